"""Which engine does the work here: a key for the OpenAI protocol decides, this machine is the other way.

Engines are imported when they are chosen: the SDK alone is a second and 60 MB that a web process never needs.
"""

from __future__ import annotations

from django.conf import settings

from meetings.gateways.contracts import MinuteTaker, SpeechEngine


def speech_engine() -> SpeechEngine:
    """Give the engine that listens, as the settings say now."""
    if settings.OPENAI_API_KEY:
        from meetings.gateways.openai_speech import OpenAISpeech  # noqa: PLC0415  see above

        return OpenAISpeech(
            api_key=settings.OPENAI_API_KEY,
            base_url=settings.OPENAI_BASE_URL,
            model=settings.OPENAI_TRANSCRIPTION_MODEL,
        )
    from meetings.gateways.local_speech import LocalSpeech  # noqa: PLC0415

    return LocalSpeech(threads=settings.SPEECH_THREADS)


def minute_taker() -> MinuteTaker:
    """Give the engine that writes minutes, as the settings say now."""
    if settings.OPENAI_API_KEY:
        from meetings.gateways.openai_minutes import OpenAIMinutes  # noqa: PLC0415

        return OpenAIMinutes(
            api_key=settings.OPENAI_API_KEY,
            base_url=settings.OPENAI_BASE_URL,
            model=settings.OPENAI_MINUTES_MODEL,
        )
    from meetings.gateways.extractive import ExtractiveMinutes  # noqa: PLC0415

    return ExtractiveMinutes()
