"""Confidential files: sealed before they touch a disk or the Space, opened only on the way to who may have them."""
