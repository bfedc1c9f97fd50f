"""Operators' view of meetings. People's words and what engines wrote are read here and never edited."""

from __future__ import annotations

from meetings.admin import exports, meetings, minutes, recordings, transcripts

__all__ = ["exports", "meetings", "minutes", "recordings", "transcripts"]
