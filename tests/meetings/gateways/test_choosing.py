from __future__ import annotations

from typing import Any

from meetings.gateways import choosing
from meetings.gateways.extractive import ExtractiveMinutes
from meetings.gateways.local_speech import LocalSpeech
from meetings.gateways.openai_minutes import OpenAIMinutes
from meetings.gateways.openai_speech import OpenAISpeech


def test_without_a_key_the_work_is_done_here(settings: Any) -> None:
    settings.OPENAI_API_KEY = ""
    assert isinstance(choosing.speech_engine(), LocalSpeech)
    assert isinstance(choosing.minute_taker(), ExtractiveMinutes)


def test_with_a_key_the_named_models_do_it(settings: Any) -> None:
    settings.OPENAI_API_KEY = "sk-x"
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"
    settings.OPENAI_MINUTES_MODEL = "mine"
    speech, taker = choosing.speech_engine(), choosing.minute_taker()
    assert isinstance(speech, OpenAISpeech)
    assert speech.model == "whisper-1"
    assert isinstance(taker, OpenAIMinutes)
    assert taker.model == "mine"
