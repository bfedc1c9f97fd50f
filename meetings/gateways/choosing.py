"""Which engine does the work here: a key for the OpenAI protocol decides, this machine is the other way."""

from __future__ import annotations

from django.conf import settings

from meetings.gateways.contracts import MinuteTaker, SpeechEngine
from meetings.gateways.extractive import ExtractiveMinutes
from meetings.gateways.local_speech import LocalSpeech
from meetings.gateways.openai_minutes import OpenAIMinutes
from meetings.gateways.openai_speech import OpenAISpeech


def speech_engine() -> SpeechEngine:
    """Give the engine that listens, as the settings say now."""
    if settings.OPENAI_API_KEY:
        return OpenAISpeech(
            api_key=settings.OPENAI_API_KEY,
            base_url=settings.OPENAI_BASE_URL,
            model=settings.OPENAI_TRANSCRIPTION_MODEL,
        )
    return LocalSpeech(threads=settings.SPEECH_THREADS)


def minute_taker() -> MinuteTaker:
    """Give the engine that writes minutes, as the settings say now."""
    if settings.OPENAI_API_KEY:
        return OpenAIMinutes(
            api_key=settings.OPENAI_API_KEY,
            base_url=settings.OPENAI_BASE_URL,
            model=settings.OPENAI_MINUTES_MODEL,
        )
    return ExtractiveMinutes()
