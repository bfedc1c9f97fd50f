from __future__ import annotations

import io
import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import AuditEvent, User
from chatvista.foundation.models import Job
from meetings.models import Meeting, Segment, Speaker, Transcript
from tests.meetings import making

pytestmark = pytest.mark.django_db
SEGMENTS: list[dict[str, Any]] = [
    {"speaker": "hana", "start_ms": 1000, "end_ms": 2000, "text": "Shall we ship?"},
    {"speaker": "Pavel", "start_ms": 500, "end_ms": 2500, "text": "Yes."},
    {"speaker": None, "start_ms": 2500, "end_ms": 2500, "text": ""},
    {"speaker": "HANA", "start_ms": 3000, "end_ms": 4000, "text": "Good."},
]
VTT = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Hana>Shall we ship?\n\n00:02.000 --> 00:03.000\n<v Pavel>Yes &amp; no.\n"
SRT = "1\n00:00:01,000 --> 00:00:02,000\nHana: Shall we ship?\n"


def transcripts(meeting: Meeting) -> str:
    return f"/api/v1/meetings/{meeting.pk}/transcripts"


def segments_of(client: APIClient, transcript: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/api/v1/transcripts/{transcript['id']}/segments").json()["results"]
    return found


def test_an_import_makes_one_segment_per_given_segment_in_order(as_pavel: APIClient, meeting: Meeting) -> None:
    answer = as_pavel.post(transcripts(meeting), {"segments": SEGMENTS, "language": "en"})
    assert answer.status_code == 201
    made = answer.json()
    assert {name: made[name] for name in made if name != "id"} == {
        "meeting": str(meeting.pk), "recording": None, "version": 1, "state": "completed", "language": "en",
        "engine": "import", "model": "json", "duration_ms": 4000, "segments_count": 4,
    }  # fmt: skip
    assert as_pavel.get(answer["Location"]).json() == made
    found = segments_of(as_pavel, made)
    assert [(line["start_ms"], line["end_ms"], line["text"]) for line in found] == [
        (given["start_ms"], given["end_ms"], given["text"]) for given in SEGMENTS
    ]
    assert [line["words"] for line in found] == [None] * 4
    assert AuditEvent.objects.filter(action="transcript.imported", target_id=made["id"]).exists()


def test_speakers_are_the_participants_of_their_names(as_hana: APIClient, meeting: Meeting, hana: User) -> None:
    made = as_hana.post(transcripts(meeting), {"segments": SEGMENTS}).json()
    host = str(meeting.participants.get(user=hana).pk)
    speakers = [line["speaker"] for line in segments_of(as_hana, made)]
    assert speakers[0] == speakers[3]
    assert (speakers[0]["name"], speakers[0]["participant"], speakers[2]) == ("hana", host, None)
    assert Speaker.objects.count() == 2


def test_a_name_that_two_people_have_is_nobodys(as_hana: APIClient, meeting: Meeting) -> None:
    as_hana.post(f"/api/v1/meetings/{meeting.pk}/participants", {"email": "other@example.com", "name": "HANA"})
    made = as_hana.post(transcripts(meeting), {"segments": SEGMENTS}).json()
    assert segments_of(as_hana, made)[0]["speaker"]["participant"] is None


@pytest.mark.parametrize(
    ("kind", "body", "model", "first"),
    [
        ("text/vtt", VTT, "vtt", (1000, 2000, "Shall we ship?")),
        ("text/vtt; charset=utf-8", "\ufeff" + VTT, "vtt", (1000, 2000, "Shall we ship?")),
        ("application/x-subrip", SRT, "srt", (1000, 2000, "Shall we ship?")),
        ("text/plain", "Hana: Shall we ship?\nPavel: Yes.\n", "txt", (0, 1200, "Shall we ship?")),
    ],
)
def test_texts_are_read_by_their_content_type(
    as_hana: APIClient, meeting: Meeting, kind: str, body: str, model: str, first: tuple[int, int, str]
) -> None:
    answer = as_hana.post(f"{transcripts(meeting)}?language=en", body.encode(), content_type=kind)
    assert answer.status_code == 201
    assert (answer.json()["model"], answer.json()["language"]) == (model, "en")
    line = segments_of(as_hana, answer.json())[0]
    assert (line["start_ms"], line["end_ms"], line["text"], line["speaker"]["name"]) == (*first, "Hana")


@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [
        ("application/json", b"{}", "segments"),
        ("application/json", b'{"segments": []}', "segments"),
        ("application/json", b'{"segments": "x"}', "segments"),
        ("application/json", b'{"segments": null}', "segments"),
        ("application/json", json.dumps({"segments": [SEGMENTS[0] | {"end_ms": 1}]}).encode(), "segments.0"),
        ("application/json", json.dumps({"segments": [SEGMENTS[0] | {"text": 1}]}).encode(), "segments.0.text"),
        ("application/json", json.dumps({"segments": SEGMENTS, "engine": "x"}).encode(), "engine"),
        ("application/json", json.dumps({"segments": SEGMENTS, "language": 5}).encode(), "language"),
        ("text/vtt", b"WEBVTT\n\nnonsense\nmore", "line 3"),
        ("text/vtt", b"WEBVTT\n\n\xff\xfe", "line 3"),
        ("application/x-subrip", b"1\n00:00:02,000 --> 00:00:01,000\nx", "line 2"),
        ("text/plain", b"Hana: a\n\nPavel: b\x00c", "line 3"),
        ("text/plain", b"\n \n", "line 1"),
    ],
)
def test_what_cannot_be_imported_is_refused_by_place(
    as_hana: APIClient, meeting: Meeting, kind: str, body: bytes, field: str
) -> None:
    answer = as_hana.post(transcripts(meeting), body, content_type=kind)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])
    assert not Transcript.objects.exists()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", json.dumps({"segments": SEGMENTS}).encode()),
        ("text/vtt", VTT.encode()),
        ("application/x-subrip", SRT.encode()),
        ("text/plain", b"Hana: Shall we ship?\nPavel: Yes.\n"),
    ],
)
def test_an_import_that_breaks_off_is_not_a_shorter_transcript(
    as_hana: APIClient, meeting: Meeting, kind: str, body: bytes
) -> None:
    environ: dict[str, Any] = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body) + 20)}
    answer = as_hana.generic("POST", transcripts(meeting), "", content_type=kind, **environ)
    assert (answer.status_code, answer.json()["code"]) == (400, "body_cut_short")
    assert not Transcript.objects.exists()


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "text/vtt"])
def test_an_empty_body_is_no_transcript(as_hana: APIClient, meeting: Meeting, kind: str) -> None:
    assert as_hana.post(transcripts(meeting), b"", content_type=kind).status_code == 400


def test_a_language_that_is_none_and_a_kind_nobody_reads_are_refused(as_hana: APIClient, meeting: Meeting) -> None:
    answer = as_hana.post(f"{transcripts(meeting)}?language=!", SRT.encode(), content_type="application/x-subrip")
    assert answer.status_code == 400
    assert as_hana.post(transcripts(meeting), b"<x/>", content_type="application/xml").status_code == 415


def test_a_transcript_beyond_the_bounds_is_refused(as_hana: APIClient, meeting: Meeting) -> None:
    line = {"speaker": "Hana", "start_ms": 0, "end_ms": 1, "text": "x"}
    assert as_hana.post(transcripts(meeting), {"segments": [line] * 50_001}).status_code == 400
    huge = b"Hana: " + b"x" * (32 * 1024 * 1024)
    assert as_hana.post(transcripts(meeting), huge, content_type="text/plain").status_code == 413


def test_a_long_transcript_is_imported_in_few_queries(
    as_hana: APIClient, meeting: Meeting, django_assert_max_num_queries: Any
) -> None:
    lines = [{"speaker": f"Voice {n % 7}", "start_ms": n, "end_ms": n + 1, "text": "x"} for n in range(6000)]
    with django_assert_max_num_queries(20):
        assert as_hana.post(transcripts(meeting), {"segments": lines}).status_code == 201
    assert Segment.objects.count() == 6000


def test_segments_are_paged_in_order_without_gaps(
    as_hana: APIClient, meeting: Meeting, hana: User, django_assert_num_queries: Any
) -> None:
    transcript = making.transcript_of(meeting, hana, [str(number) for number in range(25)])
    seen: list[str] = []
    address: str | None = f"/api/v1/transcripts/{transcript.pk}/segments?page_size=10"
    while address:
        with django_assert_num_queries(3):
            page = as_hana.get(address).json()
        seen += [line["text"] for line in page["results"]]
        address = page["next"]
    assert seen == [str(number) for number in range(25)]


def test_versions_are_counted_and_listed_newest_first(as_hana: APIClient, meeting: Meeting, hana: User) -> None:
    for _ in range(3):
        making.transcript_of(meeting, hana)
    assert [each["version"] for each in as_hana.get(transcripts(meeting)).json()["results"]] == [3, 2, 1]


def test_the_same_key_imports_once(as_hana: APIClient, meeting: Meeting) -> None:
    for _ in range(2):
        answer = as_hana.post(
            transcripts(meeting), VTT.encode(), content_type="text/vtt", headers={"idempotency-key": "k"}
        )
        assert answer.status_code == 201
    assert Transcript.objects.count() == 1
    other = as_hana.post(transcripts(meeting), SRT.encode(), content_type="text/vtt", headers={"idempotency-key": "k"})
    assert other.status_code == 409


@pytest.mark.parametrize(
    ("form", "kind", "holds"),
    [
        ("vtt", "text/vtt; charset=utf-8", b"WEBVTT"),
        ("srt", "application/x-subrip; charset=utf-8", b"00:00:00,000 --> "),
        ("txt", "text/plain; charset=utf-8", b"We agreed to ship."),
        ("json", "application/json", b'"We agreed to ship."'),
        ("md", "text/markdown; charset=utf-8", b"We agreed to ship"),
    ],
)
def test_the_whole_transcript_can_be_had_in_each_format(
    as_pavel: APIClient, meeting: Meeting, hana: User, form: str, kind: str, holds: bytes
) -> None:
    transcript = making.transcript_of(meeting, hana)
    answer = as_pavel.get(f"/api/v1/transcripts/{transcript.pk}/content?format={form}", headers={"accept": "text/vtt"})
    assert (answer.status_code, answer["Content-Type"]) == (200, kind)
    assert holds in answer.content
    assert f'filename="Board-meeting-transcript.{form}"' in answer["Content-Disposition"]
    assert AuditEvent.objects.filter(action="transcript.read", target_id=transcript.pk).count() == 1


@pytest.mark.parametrize("form", ["pdf", "exe", ""])
def test_a_format_there_is_not_is_refused(as_hana: APIClient, meeting: Meeting, hana: User, form: str) -> None:
    transcript = making.transcript_of(meeting, hana)
    answer = as_hana.get(f"/api/v1/transcripts/{transcript.pk}/content?format={form}")
    assert (answer.status_code, answer.json()["code"]) == (400, "format_not_available")


def test_a_transcript_under_way_has_no_content_yet(as_hana: APIClient, meeting: Meeting) -> None:
    job = Job.objects.create(
        kind="transcribe", queue="media", tenant_id=meeting.organization_id, subject_id=meeting.pk, state="queued"
    )
    transcript = Transcript.objects.create(meeting=meeting, version=1, job=job)
    assert as_hana.get(f"/api/v1/transcripts/{transcript.pk}").json()["state"] == "queued"
    answer = as_hana.get(f"/api/v1/transcripts/{transcript.pk}/content?format=vtt")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_ready")


def test_an_outsider_and_an_observer(as_olga: APIClient, as_pavel: APIClient, meeting: Meeting, hana: User) -> None:
    transcript = making.transcript_of(meeting, hana)
    for address in ("", "/segments", "/content"):
        assert as_olga.get(f"/api/v1/transcripts/{transcript.pk}{address}").status_code == 404
    assert as_olga.post(transcripts(meeting), {"segments": SEGMENTS}).status_code == 404
    meeting.participants.filter(name="Pavel").update(role="observer")
    assert as_pavel.get(f"/api/v1/transcripts/{transcript.pk}").status_code == 200
    assert as_pavel.post(transcripts(meeting), {"segments": "nonsense"}).status_code == 403
