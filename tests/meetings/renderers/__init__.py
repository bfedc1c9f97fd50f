"""Tests of the documents people send."""
