"""The sample's client: patient with a busy service, never creating twice, repeating the service's own words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from chatvista.embedded.client import Client, RefusedError
from chatvista.embedded.demonstrating import clock


def test_a_busy_service_is_asked_again_with_the_same_key(httpserver: HTTPServer) -> None:
    keys: list[str] = []

    def answer(request: Request) -> Response:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) < 3:
            return Response(status=503, headers={"Retry-After": "0"})
        return Response(json.dumps({"id": "1"}), status=201)

    httpserver.expect_request("/api/v1/meetings", method="POST").respond_with_handler(answer)
    assert Client(httpserver.url_for("")).post("/meetings", {"title": "t"}) == {"id": "1"}
    assert len(keys) == 3
    assert len(set(keys)) == 1


def test_a_problem_is_told_in_its_own_words(httpserver: HTTPServer) -> None:
    problem = {"status": 415, "detail": "This is neither audio nor video."}
    httpserver.expect_request("/api/v1/x").respond_with_json(problem, status=415)
    with pytest.raises(RefusedError, match="neither audio nor video") as caught:
        Client(httpserver.url_for("")).get("/x")
    assert caught.value.status == 415


def test_a_failed_job_ends_the_waiting_with_its_reason(httpserver: HTTPServer) -> None:
    job = {"id": "1", "kind": "transcribe", "step": "", "progress": 0.5}
    httpserver.expect_ordered_request("/api/v1/jobs/1").respond_with_json({**job, "state": "running"})
    failed = {**job, "state": "failed", "error": {"code": "no_audio_track", "detail": "There is no sound in it."}}
    httpserver.expect_ordered_request("/api/v1/jobs/1").respond_with_json(failed)
    told: list[str] = []
    with pytest.raises(RefusedError, match="There is no sound in it"):
        Client(httpserver.url_for("")).follow("1", tell=lambda each: told.append(each["state"]))
    assert told == ["running", "failed"]


def test_an_upload_is_the_file_and_says_its_name_and_length(httpserver: HTTPServer, tmp_path: Path) -> None:
    file = tmp_path / "meeting.opus"
    file.write_bytes(b"OggS" * 1000)

    def answer(request: Request) -> Response:
        sent = {"length": request.content_length, "same": request.get_data() == file.read_bytes()}
        return Response(json.dumps({**sent, "said": request.headers["Content-Disposition"]}), status=201)

    httpserver.expect_request("/api/v1/r", method="POST").respond_with_handler(answer)
    said = Client(httpserver.url_for("")).upload("/r", file, content_type="audio/ogg")
    assert said == {"length": 4000, "same": True, "said": 'attachment; filename="meeting.opus"'}


def test_nothing_there_is_none_and_not_an_error(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/v1/x").respond_with_json({"detail": "gone"}, status=404)
    assert Client(httpserver.url_for("")).find("/x") is None


@pytest.mark.parametrize(("position", "shown"), [(0, "00:00"), (61_999, "01:01"), (3_600_000, "1:00:00")])
def test_a_position_reads_as_a_clock(position: int, shown: str) -> None:
    assert clock(position) == shown
