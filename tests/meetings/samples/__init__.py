"""Tests of the sample meeting."""
