"""Transcripts other programs wrote, read into plain lines: JSON, WebVTT, SubRip and `Name: text`. No database."""
