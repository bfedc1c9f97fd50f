"""Which engine does the work here: a key for the OpenAI protocol decides, this machine is the other way."""

from __future__ import annotations

from django.conf import settings

from meetings.gateways.contracts import MinuteTaker, SpeechEngine
from meetings.gateways.extractive import ExtractiveMinutes
from meetings.gateways.local_speech import LocalSpeech
from meetings.gateways.openai_minutes import OpenAIMinutes
from meetings.gateways.openai_speech import OpenAISpeech

# The SDK lists their announced ends: whisper-1 (the one with word times) 2027-02-26; gpt-5-mini 2026-12-11, hence 5.4.
TRANSCRIPTION_MODEL = "whisper-1"
MINUTES_MODEL = "gpt-5.4-mini"


def speech_engine() -> SpeechEngine:
    """Give the engine that listens, as the settings say now."""
    key = getattr(settings, "OPENAI_API_KEY", "") or ""
    if key:
        return OpenAISpeech(
            api_key=key,
            base_url=getattr(settings, "OPENAI_BASE_URL", "") or "",
            model=getattr(settings, "OPENAI_TRANSCRIPTION_MODEL", "") or TRANSCRIPTION_MODEL,
        )
    return LocalSpeech(threads=getattr(settings, "SPEECH_THREADS", 0) or 0)


def minute_taker() -> MinuteTaker:
    """Give the engine that writes minutes, as the settings say now."""
    key = getattr(settings, "OPENAI_API_KEY", "") or ""
    if key:
        return OpenAIMinutes(
            api_key=key,
            base_url=getattr(settings, "OPENAI_BASE_URL", "") or "",
            model=getattr(settings, "OPENAI_MINUTES_MODEL", "") or MINUTES_MODEL,
        )
    return ExtractiveMinutes()
