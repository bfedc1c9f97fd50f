"""WHAT is kept: meetings, recordings, transcripts, minutes, action items, exports."""
