from __future__ import annotations

import time

import pytest

from tests.meetings.gateways.test_extractive import minuted, spoken


@pytest.mark.parametrize(
    "piece", ["1. ", "well. ", "会。", "< [", "{", "um, ", ", ", "; , ", "a ", "we we ", "hm", "ab_ ", '!" ']
)
@pytest.mark.parametrize("ending", ["", " we agreed we will send it to Anna tomorrow?"])
def test_lines_that_hold_one_thing_again_and_again_are_read_at_once(piece: str, ending: str) -> None:
    lines = spoken(*[("Hana", piece * (20_000 // len(piece)) + ending)] * 4)
    began = time.process_time()
    minuted(lines)
    assert time.process_time() - began < 12


def test_a_phrase_that_no_sentence_holds_as_it_is_still_has_its_place() -> None:
    lines = spoken(*[("Hana", "a'" * 10_000)] * 4)
    assert {point.evidence[0].segment for point in minuted(lines).topics} <= {line.id for line in lines}
