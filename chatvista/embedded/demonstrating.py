"""The sample meeting, sent through the public API as a client would, and what comes out of it shown to a person."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

from chatvista.embedded.client import Client, RefusedError
from chatvista.embedded.home import CHECKOUT, Home
from chatvista.embedded.preparing import LOGINS
from chatvista.embedded.storytelling import complain, say

_SAMPLES = CHECKOUT / "meetings" / "samples"
_REFERENCE = "sample-meeting"
_RECORD = "sample.json"
_LINES_SHOWN = 6
_LISTS = {"decisions": "Decisions", "action_items": "To do", "open_questions": "Open questions"}
# format: (what it is made of, file name, how such a file begins)
_DOCUMENTS = {
    "pdf": ("minutes", "minutes.pdf", b"%PDF-"),
    "docx": ("minutes", "minutes.docx", b"PK\x03\x04"),
    "vtt": ("transcripts", "captions.vtt", b"WEBVTT"),
}


def demonstrate(*, home: Home, url: str) -> int:
    """Send the sample, or find what an earlier run made of it; show it and keep its documents in `.chatvista/demo`.

    Returns:
        0 when PDF, DOCX and captions lie there; 1, with the reason told, when not.
    """
    try:
        _Demonstration(home=home, client=Client(url)).run()
    except RefusedError as error:
        complain(f"  The sample did not come through. {error}")
        return 1
    return 0


class _Demonstration:
    """The steps of the sample; what was made is remembered, since a second run shows and does not repeat."""

    def __init__(self, *, home: Home, client: Client) -> None:
        self._home = home
        self._client = client
        self._folder = home.path / "demo"
        self._made: dict[str, str] = {name: str(value) for name, value in home.read(_RECORD).items()}

    def run(self) -> None:
        """All of it, in order."""
        login = self._home.read(LOGINS)["host"]
        self._client.sign_in(email=login["email"], password=login["password"])
        meeting = self._meeting()
        say(f"The sample: {meeting['title']}")
        self._invite(meeting["id"])
        recording = self._recording(meeting["id"])
        transcript = self._transcript(meeting["id"], recording)
        minutes = self._minutes(meeting["id"])
        self._folder.mkdir(mode=0o700, exist_ok=True)
        say("\n  Documents")
        for form, (kind, name, magic) in _DOCUMENTS.items():
            source = minutes if kind == "minutes" else transcript
            self._document(f"/{kind}/{source['id']}", form=form, path=self._folder / name, magic=magic)
        self._show_copies(recording["file"])

    def _meeting(self) -> dict[str, Any]:
        found = self._client.get(f"/meetings?external_ref={_REFERENCE}")["results"]
        if found:
            meeting: dict[str, Any] = found[0]
            return meeting
        script = _script()
        wanted = {"title": script["title"], "language": script["language"], "external_ref": _REFERENCE}
        if "held_on" in script:
            wanted["scheduled_start"] = f"{script['held_on']}T09:00:00Z"
        return self._client.post("/meetings", wanted)

    def _invite(self, meeting_id: str) -> None:
        """Add who speaks in the sample, as people from outside: so minutes know who has to do what."""
        path = f"/meetings/{meeting_id}/participants"
        present = {person["email"] for person in self._client.get(f"{path}?page_size=200")["results"]}
        for person in _script()["participants"]:
            email = f"{person['name'].lower()}@library.example"
            if email not in present:
                self._client.post(path, {"name": person["name"], "email": email, "role": person["role"]})

    def _recording(self, meeting_id: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = self._client.get(f"/meetings/{meeting_id}/recordings")["results"]
        if found:
            say("  the recording is there from an earlier run")
            recording = found[0]
        else:
            file = _SAMPLES / "meeting.opus"
            say(f"  sending {file.name} ({file.stat().st_size // 1024} KiB) ...")
            path = f"/meetings/{meeting_id}/recordings"
            recording = self._client.upload(path, file, content_type="audio/ogg")
        job = recording.get("job")
        if job and job["state"] in {"failed", "cancelled"}:
            say("  transcription had not succeeded, trying again ...")
            job = self._client.post(f"/recordings/{recording['id']}/retry", {}).get("job") or job
        if job and job["state"] != "completed":
            self._client.follow(job["id"], tell=_tell)
        return recording

    def _transcript(self, meeting_id: str, recording: dict[str, Any]) -> dict[str, Any]:
        done = [
            transcript
            for transcript in self._client.get(f"/meetings/{meeting_id}/transcripts")["results"]
            if transcript["state"] == "completed"
        ]
        if not done:
            raise RefusedError(status=200, what=f"Recording {recording['id']}", told="it has no transcript")
        transcript: dict[str, Any] = max(done, key=lambda each: int(each["version"]))
        segments = self._client.get(f"/transcripts/{transcript['id']}/segments?page_size=200")["results"]
        say(f"\n  Transcript ({transcript['engine']}, {transcript['segments_count']} segments)")
        for segment in segments[:_LINES_SHOWN]:
            name = (segment.get("speaker") or {}).get("name") or ""
            say(f"    {clock(segment['start_ms'])}  {f'{name}: ' if name else ''}{segment['text']}")
        if len(segments) > _LINES_SHOWN:
            say("    ...")
        return transcript

    def _minutes(self, meeting_id: str) -> dict[str, Any]:
        minutes = self._client.find(f"/minutes/{self._made['minutes']}") if "minutes" in self._made else None
        if minutes is None:
            begun = self._client.post(f"/meetings/{meeting_id}/minutes", {})
            self._client.follow(begun["job"]["id"], tell=_tell)
            minutes = self._client.get(f"/minutes/{begun['minutes']['id']}")
            self._remember("minutes", minutes["id"])
        say(f"\n  Minutes ({minutes['engine']})")
        for line in textwrap.wrap(minutes["summary"], width=96):
            say(f"    {line}")
        for name, title in _LISTS.items():
            if minutes[name]:
                say(f"    {title}")
            for entry in minutes[name]:
                when = clock(entry["evidence"][0]["start_ms"]) if entry["evidence"] else "     "
                say(f"      {when}  {entry['text']}{_charge(entry)}")
        return minutes

    def _document(self, source: str, *, form: str, path: Path, magic: bytes) -> None:
        export = self._client.find(f"/exports/{self._made[form]}") if form in self._made else None
        if export is None:
            begun = self._client.post(f"{source}/exports", {"format": form})
            self._client.follow(begun["job"]["id"], tell=lambda job: None)
            export = begun["export"]
            self._remember(form, export["id"])
        content = self._client.download(f"/exports/{export['id']}/content")
        if not content.startswith(magic):
            raise RefusedError(status=200, what=f"The {form.upper()}", told="it does not look like one")
        draft = path.with_name(f".{path.name}")
        draft.write_bytes(content)
        draft.replace(path)
        say(f"    {form.upper():<5} {path}  ({len(content):,} bytes)")

    def _show_copies(self, file_id: str) -> None:
        file = self._client.get(f"/files/{file_id}")
        say(f"\n  Copies of the recording (sha256 {file['sha256'][:12]}..., durability: {file['durability']})")
        for copy in file["copies"]:
            say(f"    {copy['side']:<6} {copy['state']}")

    def _remember(self, name: str, value: str) -> None:
        self._made[name] = value
        self._home.write(_RECORD, self._made)


def clock(milliseconds: int) -> str:
    """A position in a recording, as mm:ss or h:mm:ss."""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"


def _script() -> dict[str, Any]:
    script: dict[str, Any] = json.loads((_SAMPLES / "script.json").read_text(encoding="utf-8"))
    return script


def _charge(entry: dict[str, Any]) -> str:
    """Who has to do it by when, as far as it was said."""
    owner = (entry.get("owner") or {}).get("name")
    said = [word for word in (owner, f"by {entry['due_on']}" if entry.get("due_on") else "") if word]
    return f"  ({', '.join(said)})" if said else ""


def _tell(job: dict[str, Any]) -> None:
    step = f" ({job['step']})" if job["step"] else ""
    say(f"  {job['kind']}: {job['state']}{step} {float(job['progress']):.0%}")
