"""Bytes on their way in: taken once, laid on both sides, and only then acknowledged."""
