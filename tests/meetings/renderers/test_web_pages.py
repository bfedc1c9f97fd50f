"""Web pages, parsed with the standard library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from meetings.renderers import Rendered, render_minutes, render_transcript
from tests.meetings.renderers.documents import HOSTILE, MEETING, MINUTES, hostile_minutes, hostile_transcript

VOID = {"meta", "br", "img", "link", "input", "hr"}


class _Page(HTMLParser):
    """Collects elements and text, and insists that every element is closed in its turn."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def _hostile_minutes() -> Rendered:
    return render_minutes(hostile_minutes(), format="html")


def _hostile_transcript() -> Rendered:
    return render_transcript(hostile_transcript(), format="html")


@pytest.mark.parametrize("make", [_hostile_minutes, _hostile_transcript])
def test_hostile_text_becomes_no_element_and_no_attribute(make: Callable[[], Rendered]) -> None:
    page = _Page(make().content.decode())
    assert HOSTILE in page.text
    assert page.attributes("script") == []
    assert page.attributes("a") == []
    names = {name for _, attributes in page.elements for name in attributes}
    assert names <= {"lang", "dir", "charset", "http-equiv", "content", "name", "class", "scope"}


def test_the_page_is_whole_in_itself() -> None:
    source = render_minutes(MINUTES, format="html").content.decode()
    page = _Page(source)
    addresses = {
        value for _, attributes in page.elements for name, value in attributes.items() if name in {"src", "href"}
    }
    assert addresses == {MEETING.url}
    assert "url(" not in source
    assert "@media print" in source
    policies = [attributes.get("content") or "" for attributes in page.attributes("meta") if "http-equiv" in attributes]
    assert [policy.split(";")[0] for policy in policies] == ["default-src 'none'"]


@pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("pt_BR", "ltr"), ("ar", "rtl"), ("he-IL", "rtl")])
def test_language_and_direction_are_declared(language: str, direction: str) -> None:
    (root,) = _Page(render_minutes(replace(MINUTES, language=language), format="html").content.decode()).attributes(
        "html"
    )
    assert root == {"lang": language.replace("_", "-"), "dir": direction}


def test_action_items_are_a_table_with_a_header() -> None:
    page = _Page(render_minutes(MINUTES, format="html").content.decode())
    assert len(page.attributes("th")) == 4
    assert (
        "Order the chairs00:04 Pavel: \u201cI will order the chairs tomorrow.\u201dPavel10 July 2026Open" in page.text
    )
