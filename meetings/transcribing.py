"""From a recording to a transcript: cut where nobody speaks, listen part by part, write all at once.

Every part heard is kept in the job's checkpoint, so a killed worker costs at most the part it was hearing. The
transcript is written in the transaction that ends the job: there is exactly one, or none.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db.models import Max

from chatvista.foundation.problems import PermanentError
from chatvista.foundation.working import Work, queue_job
from meetings.audio import cutting
from meetings.audio.opening import Media
from meetings.gateways.choosing import speech_engine
from meetings.gateways.contracts import Hearing, Span, SpeechEngine, Utterance, Word
from meetings.gateways.stitching import stitch
from meetings.models import Meeting, Recording, Segment, Speaker, Transcript
from storage_sync.giving import reading

KIND = "transcribe"


def queue_transcription(*, recording: Recording) -> Transcript:
    """Make the next transcript of a recording and queue the work on it, in the caller's transaction."""
    meeting = Meeting.objects.select_for_update().get(pk=recording.meeting_id)
    job = queue_job(
        kind=KIND,
        tenant_id=meeting.organization_id,
        subject_id=recording.pk,
        params={"language": meeting.language.split("-")[0].lower()},
    )
    recording.job = job
    recording.save(update_fields=["job", "updated_at"])
    return Transcript.objects.create(
        meeting=meeting, recording=recording, job=job, version=next_version(meeting), duration_ms=recording.duration_ms
    )


def next_version(meeting: Meeting) -> int:
    """The number of the meeting's next transcript. The meeting's row must be locked."""
    newest: int | None = meeting.transcripts.aggregate(newest=Max("version"))["newest"]
    return (newest or 0) + 1


def transcribe(work: Work) -> None:
    """Do one transcription job, from wherever an earlier attempt got to."""
    transcript = Transcript.objects.select_related("recording__file", "recording__participant").get(job=work.job)
    recording = transcript.recording
    if recording is not None and recording.file.state == "lost":
        raise PermanentError("file_lost", "No intact copy of the recording is left.")
    if recording is None or recording.file.state != "stored":
        raise PermanentError("recording_archived", "The recording is in the archive; restore it and try again.")
    engine = speech_engine()
    work.enter("fetching")
    with reading.opened(recording.file) as media:
        heard = _heard(work, engine=engine, media=media, duration_ms=recording.duration_ms)
    work.enter("writing")
    _write(work, transcript=transcript, engine=engine, hearings=[_hearing(part) for part in heard])


def _heard(work: Work, *, engine: SpeechEngine, media: Media, duration_ms: int) -> list[dict[str, Any]]:
    """What the engine hears in every part, those of earlier attempts included, as kept in the checkpoint."""
    _forget_other_engine(work, engine)
    spans = _spans(work, engine=engine, media=media, duration_ms=duration_ms)
    work.enter("listening")
    language = work.job.params.get("language") or None
    heard: list[dict[str, Any]] = work.job.checkpoint.get("heard", [])
    for span in spans[len(heard) :]:
        work.progress(len(heard) / len(spans))
        hearing = engine.hear(media=media, span=span, language=language)
        heard = [*heard, asdict(hearing)]
        work.keep(heard=heard)
    return heard


def _forget_other_engine(work: Work, engine: SpeechEngine) -> None:
    """Parts heard by one engine are not continued by another: their cuts and their language need not agree."""
    name = f"{engine.name} {engine.model}"
    if work.job.checkpoint.get("engine") != name:
        work.job.note(checkpoint={"engine": name})


def _spans(work: Work, *, engine: SpeechEngine, media: Media, duration_ms: int) -> list[Span]:
    kept = work.job.checkpoint.get("spans")
    if kept is None:
        work.enter("cutting")
        if duration_ms <= engine.longest_clip_ms:
            cuts: tuple[Span, ...] = (Span(0, duration_ms),)
        else:
            loudness = cutting.energies(media, duration_ms=duration_ms, progress=lambda _: work.progress(0.0))
            cuts = cutting.spans(loudness, longest_ms=engine.longest_clip_ms)
        kept = [[span.start_ms, span.end_ms] for span in cuts]
        work.keep(spans=kept)
    return [Span(start, end) for start, end in kept]


def _hearing(part: dict[str, Any]) -> Hearing:
    return Hearing(
        language=part["language"],
        utterances=tuple(
            Utterance(
                start_ms=line["start_ms"],
                end_ms=line["end_ms"],
                text=line["text"],
                words=None if line["words"] is None else tuple(Word(**word) for word in line["words"]),
            )
            for line in part["utterances"]
        ),
    )


def _write(work: Work, *, transcript: Transcript, engine: SpeechEngine, hearings: list[Hearing]) -> None:
    recording = transcript.recording
    heard = stitch(hearings)
    with work.finishing():
        speaker = None
        if recording is not None and recording.participant is not None:
            person = recording.participant
            speaker = Speaker.objects.create(transcript=transcript, name=person.name, participant=person)
        Segment.objects.bulk_create(
            [
                Segment(
                    transcript=transcript,
                    speaker=speaker,
                    position=position,
                    start_ms=line.start_ms,
                    end_ms=line.end_ms,
                    text=line.text,
                    words=None if line.words is None else [asdict(word) for word in line.words],
                )
                for position, line in enumerate(heard.utterances)
            ],
            batch_size=1000,
        )
        transcript.engine = engine.name
        transcript.model = engine.model
        transcript.language = heard.language
        transcript.segments_count = len(heard.utterances)
        transcript.save(update_fields=["engine", "model", "language", "segments_count", "updated_at"])
