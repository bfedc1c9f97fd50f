"""A transcript as sentences: who said them, in which lines, with which words. Nothing is judged here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from meetings.gateways.contracts import Line

_NOISE = re.compile(r"\{[^{}]*\}|\[[^\[\]]*\]|<[^<>]*>|—\.")
_END = re.compile(r"(?<=[.!?…])[\"'”»)]*\s+(?=\S)|(?<=[。！？])")  # noqa: RUF001 - the full-width marks are meant
_ABBREVIATION = re.compile(
    r"(?:^|\s)(?:mr|mrs|ms|dr|st|prof|hon|vs|e\.g|i\.e|z\.b|bzw|ca|nr|sr|sra|d\.h|[a-z])\.$", re.IGNORECASE
)
# German writes "am 3. Dezember"; elsewhere a number may well end a sentence.
_DAY_NUMBER = re.compile(r"(?:^|\s)\d{1,2}\.$")
_AFTER_DAY = re.compile(r"[a-zà-ÿ]|(?:Jan|Feb|März|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez)")
_WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")  # noqa: RUF001 - the typographic apostrophe is meant
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_HESITATION = re.compile(r"(?<![\w'-])(?:u[hm]+|erm+|ä+hm*|öhm*|h+m+|mm+|e+uh+|heu)(?:\s?,)?(?![\w'-])", re.IGNORECASE)
_STAMMER = re.compile(
    r"\b(?!(?:that|had|very|no|so|really|ja|nein|nous|vous|sehr|muy)\b)(\w+(?: \w+)?)(?: \1\b)+", re.IGNORECASE
)
_MARKS = (".", "!", "?", "…", '"', "”", "»", ")")
_LONGEST_RUN = 4
_TAIL = 16


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence. `lines`: indices of the lines it runs over; `quote`: what they hold; `text`: the same tidied."""

    index: int
    lines: tuple[int, ...]
    speaker: str
    quote: str
    text: str
    words: tuple[str, ...]
    is_cut_off: bool = False

    @property
    def is_question(self) -> bool:
        """Whether it ends as a question does."""
        return self.text.rstrip("\"'”») ").endswith(("?", "？"))  # noqa: RUF001 - the full-width mark is meant


def read(lines: Sequence[Line]) -> list[Sentence]:
    """Give all sentences of a transcript in order; one that runs on over lines of its speaker is one sentence."""
    found: list[Sentence] = []
    for run in _runs(lines):
        for quote, first, last in _split(run, lines):
            text = tidied(quote)
            words = tuple(tokens(text))
            if words:
                over = tuple(range(first, last + 1))
                found.append(Sentence(len(found), over, lines[first].speaker, quote, text, words))
    ended = sum(sentence.text.endswith(_MARKS) for sentence in found)
    if ended * 2 < len(found):
        return found  # this transcript has no punctuation to speak of
    return [replace(item, is_cut_off=not item.text.endswith(_MARKS)) for item in found]


def tidied(text: str) -> str:
    """Take out the transcriber's marks ({vocalsound}), hesitations, stammered repetitions and blanks before commas."""
    plain = " ".join(_HESITATION.sub(" ", _NOISE.sub(" ", text)).split())
    plain = re.sub(r"(?<=\w) (?='(?:s|ll|ve|re|d|m)\b)", "", plain)
    plain = _STAMMER.sub(r"\1", plain)
    plain = re.sub(r"\s+([,.;:!?…])", r"\1", plain).replace("’", "'")  # noqa: RUF001 - the typographic apostrophe is meant
    bare = plain.rstrip(",. ")
    return bare + "." if bare and len(plain) - len(bare) > 1 and "." in plain[len(bare) :] else plain


def tokens(text: str) -> Iterator[str]:
    """Give the words in lower case; scripts without blanks give pairs of characters."""
    for match in _WORD.finditer(text):
        word = match.group().lower()
        if _WIDE.search(word) and len(word) > 2:
            yield from (word[at : at + 2] for at in range(len(word) - 1))
        else:
            yield word


def _runs(lines: Sequence[Line]) -> Iterator[list[int]]:
    run: list[int] = []
    for index, line in enumerate(lines):
        if run and (len(run) >= _LONGEST_RUN or not _runs_on(lines[run[-1]], line)):
            yield run
            run = []
        run.append(index)
    if run:
        yield run


def _runs_on(before: Line, after: Line) -> bool:
    return (
        before.speaker == after.speaker
        and not before.text.rstrip().endswith((".", "!", "?", "…", "。", "}", "-", "—"))
        and after.text.lstrip()[:1].islower()
        and after.start_ms - before.end_ms < 2_000
    )


def _split(run: Iterable[int], lines: Sequence[Line]) -> Iterator[tuple[str, int, int]]:
    text, starts = "", []
    for index in run:
        starts.append((len(text), index))
        text += " ".join(lines[index].text.split()) + " "
    text = text.rstrip()
    begin = 0
    for cut in [*(match.end() for match in _END.finditer(text)), len(text)]:
        # Only the last few characters are looked at: the whole, again and again, would take time by its square.
        tail = text[max(begin, cut - _TAIL) : cut].rstrip()
        goes_on = _ABBREVIATION.search(tail) or (_DAY_NUMBER.search(tail) and _AFTER_DAY.match(text, cut))
        if not tail or (cut < len(text) and goes_on):
            continue
        piece = text[begin:cut].strip()
        first = max(index for start, index in starts if start <= begin)
        last = max(index for start, index in starts if start < cut)
        yield piece, first, max(first, last)
        begin = cut
