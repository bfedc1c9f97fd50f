"""The nouns of a meeting, one file each."""

from meetings.models.export import Export
from meetings.models.meeting import Meeting, MeetingStatus
from meetings.models.minutes import ActionItem, ActionStatus, Citation, Minutes, MinutesItem, MinutesStatus, Section
from meetings.models.participant import Participant, ParticipantRole
from meetings.models.recording import Recording
from meetings.models.transcript import Segment, Speaker, Transcript

__all__ = [
    "ActionItem",
    "ActionStatus",
    "Citation",
    "Export",
    "Meeting",
    "MeetingStatus",
    "Minutes",
    "MinutesItem",
    "MinutesStatus",
    "Participant",
    "ParticipantRole",
    "Recording",
    "Section",
    "Segment",
    "Speaker",
    "Transcript",
]
