"""The pages that people see, in Debian's Chromium: they work, nothing fails quietly, and nothing is asked of others."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
import yaml
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, expect, sync_playwright

from tests.journeys.houses import Caller, House, a_house, eventually
from tests.journeys.sounds import SAMPLE, noise

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
BOTH = pytest.mark.parametrize("scheme", ["light", "dark"])
LISTS = [
    "accounts/auditevent", "accounts/organization", "accounts/session", "accounts/user", "auth/group",
    "foundation/idempotencykey", "foundation/job", "meetings/actionitem", "meetings/citation", "meetings/export",
    "meetings/meeting", "meetings/minutes", "meetings/minutesitem", "meetings/participant", "meetings/recording",
    "meetings/segment", "meetings/speaker", "meetings/transcript", "storage_sync/copy", "storage_sync/storedfile",
]  # fmt: skip


class Inhabited:
    """A service in which a meeting has become documents, and the operator's password."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house = house
        self.url = f"http://127.0.0.1:{house.port}"
        logins = folder / "logins.json"
        house.manage("seed", "--logins", str(logins))
        people = json.loads(logins.read_text())
        self.operator: dict[str, str] = people["operator"]
        house.start("web")
        house.start("worker")
        caller = Caller(house.port)
        caller.token = caller.ask("POST", "/auth/login", json_body=people["host"]).data["access"]
        self._furnish(caller)

    def _furnish(self, caller: Caller) -> None:
        meeting = caller.meeting("Planning the opening")
        own = f"/meetings/{meeting}"
        guest = {"name": "Daniel", "email": "daniel@example.com"}
        assert caller.ask("POST", f"{own}/participants", json_body=guest).status == 201
        ogg = {"Content-Type": "audio/ogg", "Idempotency-Key": "one"}
        recording = caller.ask("POST", f"{own}/recordings", body=SAMPLE.read_bytes(), headers=ogg).data
        self._follow(caller, recording["job"])
        # An import gives speakers.
        said = [{"speaker": "Daniel", "start_ms": 0, "end_ms": 900, "text": "We decided to stay open until eight."}]
        assert caller.ask("POST", f"{own}/transcripts", json_body={"segments": said}).status == 201
        transcripts = caller.ask("GET", f"{own}/transcripts").data["results"]
        heard = next(transcript["id"] for transcript in transcripts if transcript["recording"])
        asked = caller.ask("POST", f"{own}/minutes", json_body={"transcript": heard}).data
        self._follow(caller, asked["job"])
        for form in ("pdf", "docx"):
            of_minutes = f"/minutes/{asked['minutes']['id']}/exports"
            self._follow(caller, caller.ask("POST", of_minutes, json_body={"format": form}).data["job"])
        self.house.stop("worker")
        waiting = caller.upload(meeting, noise(seconds=2), transcribe=True).data
        assert caller.ask("POST", f"/recordings/{waiting['id']}/cancel").status == 200
        self.cancelled = waiting["job"]["id"]

    def _follow(self, caller: Caller, job: dict[str, Any]) -> None:
        eventually(
            lambda: caller.ask("GET", f"/jobs/{job['id']}").data["state"] == "completed",
            within=60,
            every=0.3,
            or_else=lambda: self.house.log("worker"),
        )


@pytest.fixture(scope="module")
def inhabited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inhabited]:
    if CHROMIUM is None:
        pytest.skip("Debian's package `chromium` is not installed")
    with a_house() as house:
        yield Inhabited(house, tmp_path_factory.mktemp("logins"))


@pytest.fixture(scope="module")
def browser(inhabited: Inhabited) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=QUIET)
        yield browser
        browser.close()


class Watched:
    """A page whose every request and complaint is written down."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked: set[str] = set()
        self.blocked: set[str] = set()
        self.troubles: list[str] = []
        page.on("request", self._note_request)
        page.on("requestfailed", self._note_failure)
        page.on("response", self._note_response)
        page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        page.on("console", self._note_console)

    def _note_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in {"data", "blob"}:
            self.asked.add(address.hostname or "")

    def _note_failure(self, request: Request) -> None:
        # Our own policy forbade it: it has not left the browser.
        if request.failure == "csp":
            self.blocked.add(urlsplit(request.url).hostname or "")
        else:
            self.troubles.append(f"failed: {request.url} {request.failure}")

    def _note_response(self, response: Response) -> None:
        if response.status >= 400:
            self.troubles.append(f"{response.status}: {response.url}")

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and "Content Security Policy" not in message.text:
            self.troubles.append(f"console: {message.text}")

    def visit(self, url: str, *, until: Literal["load", "networkidle"] = "networkidle") -> None:
        """Open an address and wait until it is at rest."""
        self.page.goto(url, wait_until=until)

    def require_quiet(self) -> None:
        """Nothing failed, and nobody else was asked for anything."""
        assert self.troubles == []
        assert self.asked - self.blocked == {"127.0.0.1"}


@pytest.fixture
def scheme() -> Literal["light", "dark"]:
    """What the visitor prefers; tests that try both say so."""
    return "light"


@pytest.fixture
def watched(browser: Browser, scheme: Literal["light", "dark"]) -> Iterator[Watched]:
    """A new visitor's page."""
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(15_000)
    yield Watched(context.new_page())
    context.close()


@BOTH
def test_the_front_page_leads_everywhere(watched: Watched, inhabited: Inhabited, tmp_path: Path) -> None:
    watched.visit(inhabited.url)
    assert watched.page.title() == "ChatVista"
    watched.page.screenshot(path=tmp_path / "front.png")
    addresses = [link.get_attribute("href") for link in watched.page.locator("a").all()]
    assert addresses == ["/api/docs", "/api/redoc", "/api/schema", "/admin/", "/health"]
    for address in addresses:
        answer = watched.page.request.get(f"{inhabited.url}{address}")
        assert answer.status == 200
    watched.require_quiet()


def operations_of(inhabited: Inhabited) -> int:
    document = yaml.safe_load(Caller(inhabited.house.port).ask("GET", "/api/schema").body)
    methods = {"get", "post", "put", "patch", "delete"}
    return sum(len(methods & path.keys()) for path in document["paths"].values())


def test_redoc_shows_the_whole_api(watched: Watched, inhabited: Inhabited, tmp_path: Path) -> None:
    watched.visit(f"{inhabited.url}/api/redoc")
    expect(watched.page.locator("h1").first).to_contain_text("ChatVista")
    expect(watched.page.locator("[id^='tag/'] [id^='operation/'], [id*='/operation/']")).not_to_have_count(0)
    watched.page.screenshot(path=tmp_path / "redoc.png")
    watched.require_quiet()


def try_out(page: Page, method: str, path: str, *, body: object = None) -> dict[str, Any]:
    """Use one operation of the Swagger page as a person would; the JSON of the answer."""
    block = page.locator(f".opblock-{method}", has=page.locator(f'[data-path="{path}"]'))
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    if body is not None:
        block.locator("textarea.body-param__text").fill(json.dumps(body))
    with page.expect_response(lambda response: urlsplit(response.url).path == path) as told:
        block.get_by_role("button", name="Execute").click()
    shown = block.locator(".live-responses-table tbody .response-col_status").first
    expect(shown).to_contain_text(str(told.value.status))
    answer: dict[str, Any] = told.value.json()
    return answer


def test_the_documentation_can_be_used(watched: Watched, inhabited: Inhabited, tmp_path: Path) -> None:
    page = watched.page
    watched.visit(f"{inhabited.url}/api/docs")
    expect(page.locator(".opblock")).to_have_count(operations_of(inhabited))
    page.screenshot(path=tmp_path / "docs.png", full_page=True)
    person = {"email": f"{uuid.uuid4().hex}@example.org", "password": "a long passphrase 7", "name": "Hana"}
    token = try_out(page, "post", "/api/v1/auth/register", body=person)["access"]

    page.locator(".btn.authorize").first.click()
    page.locator(".modal-ux form", has_text="accessToken").locator("input").fill(token)
    page.locator(".modal-ux form", has_text="accessToken").locator(".btn.authorize").click()
    page.locator(".modal-ux .btn-done").first.click()
    made = try_out(page, "post", "/api/v1/meetings", body={"title": "Made in the documentation"})
    listed = try_out(page, "get", "/api/v1/meetings")
    assert [meeting["id"] for meeting in listed["results"]] == [made["id"]]
    page.screenshot(path=tmp_path / "docs-used.png")
    watched.require_quiet()


def sign_in(watched: Watched, inhabited: Inhabited) -> None:
    watched.visit(f"{inhabited.url}/admin/")
    watched.page.locator("input[name=username]").fill(inhabited.operator["email"])
    watched.page.locator("input[name=password]").fill(inhabited.operator["password"])
    watched.page.locator("form [type=submit]").click()
    watched.page.wait_for_url("**/admin/")


@BOTH
def test_an_operator_sees_every_list(watched: Watched, inhabited: Inhabited, tmp_path: Path, scheme: str) -> None:
    page = watched.page
    sign_in(watched, inhabited)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=tmp_path / "admin.png")
    found = {link.get_attribute("href") or "" for link in page.locator("a[href^='/admin/']").all()}
    assert {f"/admin/{name}/" for name in LISTS} <= found
    for name in LISTS:
        watched.visit(f"{inhabited.url}/admin/{name}/", until="load")
        page.screenshot(path=tmp_path / f"{name.replace('/', '-')}.png")
        rows = page.locator("#result_list tbody tr")
        if name != "auth/group":
            expect(rows).not_to_have_count(0)
            link = rows.first.locator("a[href*='/admin/']").first
            if scheme == "light" and link.count():
                watched.visit(f"{inhabited.url}{link.get_attribute('href')}", until="load")
                page.screenshot(path=tmp_path / f"{name.replace('/', '-')}-one.png")
    watched.require_quiet()


def test_an_operator_tries_a_job_again(watched: Watched, inhabited: Inhabited, tmp_path: Path) -> None:
    page = watched.page
    job = inhabited.cancelled
    inhabited.house.sql("UPDATE foundation_job SET state = 'cancelled' WHERE id = %s", job)
    sign_in(watched, inhabited)
    watched.visit(f"{inhabited.url}/admin/foundation/job/")
    page.locator(f"input[name=_selected_action][value='{job}']").check()
    page.screenshot(path=tmp_path / "jobs.png")
    page.locator("select[name=action]").select_option("retry")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("body")).to_contain_text("are queued again")
    page.screenshot(path=tmp_path / "jobs-after.png")
    assert inhabited.house.sql("SELECT state FROM foundation_job WHERE id = %s", job) == [("queued",)]
    watched.require_quiet()
