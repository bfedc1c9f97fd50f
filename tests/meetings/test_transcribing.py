"""From a recording to a transcript, with engines that succeed, fail and die."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now

from chatvista.foundation import working
from chatvista.foundation.models import Job
from chatvista.foundation.problems import PermanentError, TransientError
from meetings import transcribing
from meetings.audio.opening import Media
from meetings.gateways.contracts import Hearing, Span, Utterance, Word
from meetings.models import Meeting, Segment, Transcript
from tests.fakes.openai_server import OpenAIServer, an_error, as_json
from tests.meetings import making
from tests.meetings.conftest import Capture

pytestmark = pytest.mark.django_db


class Engine:
    """Hears one line a span; `plan` says what happens at each call."""

    name = "test-engine"
    model = "one"
    longest_clip_ms = 60_000

    def __init__(self, *plan: Exception | None, longest_clip_ms: int = 60_000) -> None:
        self.plan = list(plan)
        self.longest_clip_ms = longest_clip_ms
        self.heard: list[Span] = []
        self.languages: list[str | None] = []

    def hear(self, *, media: Media, span: Span, language: str | None) -> Hearing:
        assert not isinstance(media, Path)  # opened once, so that nothing can take it away in between
        assert media.read(1)
        self.heard.append(span)
        self.languages.append(language)
        error = self.plan.pop(0) if self.plan else None
        if error is not None:
            raise error
        words = (Word("Part", span.start_ms, span.start_ms + 100), Word("one.", span.start_ms + 100, span.end_ms))
        return Hearing("en", (Utterance(span.start_ms, span.end_ms, "Part one.", words),))


def use(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr(transcribing, "speech_engine", lambda: engine)
    return engine


def run() -> Job:
    job = Job.objects.get(kind="transcribe")
    Job.objects.filter(pk=job.pk).update(next_attempt_at=Now())
    working.run_job(job_id=job.pk)
    job.refresh_from_db()
    return job


def test_one_participants_track_gives_that_speakers_name(
    capture: Capture, meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(Engine(), monkeypatch)
    pavel = meeting.participants.get(name="Pavel")
    capture(participant=pavel)
    assert run().state == "completed"
    transcript = Transcript.objects.get()
    segment = Segment.objects.select_related("speaker").get()
    assert (transcript.state, transcript.engine, transcript.language, transcript.segments_count) == (
        "completed", "test-engine", "en", 1,
    )  # fmt: skip
    assert segment.speaker is not None
    assert (segment.speaker.name, segment.speaker.participant) == ("Pavel", pavel)
    assert segment.words == [
        {"text": "Part", "start_ms": 0, "end_ms": 100},
        {"text": "one.", "start_ms": 100, "end_ms": 1000},
    ]


def test_a_mixed_track_names_nobody(capture: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    use(Engine(), monkeypatch)
    capture()
    run()
    assert Segment.objects.get().speaker is None


def test_a_long_recording_is_heard_part_by_part_and_only_the_failed_part_again(
    capture: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = use(Engine(None, None, TransientError("engine_busy", "Busy."), longest_clip_ms=1000), monkeypatch)
    capture(data=making.sound(seconds=3.5))
    job = run()
    assert (job.state, job.step, job.error_code) == ("queued", "listening", "engine_busy")
    assert not Segment.objects.exists()
    before = list(engine.heard)
    job = run()
    assert job.state == "completed"
    assert engine.heard[: len(before)] == before
    assert engine.heard[len(before)] == before[-1]
    assert len(engine.heard) == len(set(engine.heard)) + 1
    segments = list(Segment.objects.order_by("position"))
    assert segments[0].start_ms == 0
    assert segments[-1].end_ms == 3500
    assert [one.end_ms for one in segments[:-1]] == [two.start_ms for two in segments[1:]]
    assert job.checkpoint == {}


def test_a_killed_workers_transcription_goes_on_and_there_is_one_transcript(
    capture: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = use(Engine(None, KeyboardInterrupt(), longest_clip_ms=1000), monkeypatch)  # type: ignore[arg-type]  # stands for a kill
    capture(data=making.sound(seconds=2.5))
    with pytest.raises(KeyboardInterrupt):
        run()
    Job.objects.update(lease_until=Now() - timedelta(seconds=1))
    assert run().state == "completed"
    assert Transcript.objects.count() == 1
    assert len(engine.heard) == len(set(engine.heard)) + 1


def test_another_engine_does_not_continue_what_one_began(capture: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    use(Engine(None, TransientError("engine_busy", "Busy."), longest_clip_ms=1000), monkeypatch)
    capture(data=making.sound(seconds=2.5))
    run()
    other = Engine()
    other.model = "two"
    use(other, monkeypatch)
    assert run().state == "completed"
    assert other.heard == [Span(0, 2500)]


def test_a_failure_never_costs_the_recording(capture: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    use(Engine(PermanentError("language_not_supported", "Set OPENAI_API_KEY.")), monkeypatch)
    recording = capture()
    job = run()
    assert (job.state, job.error_code, job.error_detail) == ("failed", "language_not_supported", "Set OPENAI_API_KEY.")
    recording.refresh_from_db()
    assert (recording.state, recording.file.state, Transcript.objects.get().state) == ("failed", "stored", "failed")


def test_a_cancelled_transcription_writes_nothing(capture: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = capture()

    class Cancelling(Engine):
        def hear(self, *, media: Media, span: Span, language: str | None) -> Hearing:
            assert recording.job_id is not None
            working.cancel_job(job_id=recording.job_id)
            return super().hear(media=media, span=span, language=language)

    use(Cancelling(), monkeypatch)
    assert run().state == "cancelled"
    assert not Segment.objects.exists()
    assert Transcript.objects.get().state == "failed"


def test_the_meetings_language_reaches_the_engine(
    capture: Capture, meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = use(Engine(), monkeypatch)
    Meeting.objects.update(language="de-AT")
    capture()
    run()
    assert engine.languages == ["de"]


def test_openai_hears_a_recording_with_times_of_the_recording(capture: Capture, openai: OpenAIServer) -> None:
    capture(data=making.sound(seconds=2.0))
    assert run().state == "completed"
    segment = Segment.objects.get()
    assert (segment.text, segment.start_ms, segment.end_ms) == ("Good morning everyone", 500, 1800) or (
        segment.text.startswith("Good morning everyone")
    )
    assert Transcript.objects.get().engine == "openai"
    assert openai.asked[0].files["file"].startswith(b"OggS")


@pytest.mark.parametrize(
    ("answer", "state", "code"),
    [
        (an_error(401, code="invalid_api_key"), "failed", "openai_key_refused"),
        (an_error(429, code="rate_limit_exceeded", Retry_After="77"), "queued", "openai_busy"),
        (an_error(429, code="insufficient_quota"), "failed", "openai_quota_exhausted"),
        (an_error(500), "queued", "openai_busy"),
        (as_json([1, 2, 3]), "queued", "openai_bad_answer"),
    ],
)
def test_what_openai_answers_decides_whether_it_is_tried_again(
    capture: Capture, openai: OpenAIServer, answer: Any, state: str, code: str
) -> None:
    openai.next(answer)
    capture(data=making.sound(seconds=2.0))
    job = run()
    assert (job.state, job.error_code) == (state, code)
    if answer.headers.get("Retry-After"):
        assert Job.objects.filter(next_attempt_at__gte=Now() + timedelta(seconds=60)).exists()
    if state == "queued":
        assert run().state == "completed"
