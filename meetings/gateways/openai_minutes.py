"""Minutes by a language model behind the OpenAI protocol: the whole transcript, part by part where it is long.

Each part is minuted on its own (map), then drafts are merged until one is left (reduce). Chat completions are used
because other servers that speak OpenAI's protocol offer them too. Wording and schema: `minute_wording`; what is kept of
an answer: `minute_checking`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openai import OpenAI

from chatvista.foundation.problems import PermanentError, TransientError
from meetings.gateways.contracts import Brief, Coverage, Draft, Line, Progress
from meetings.gateways.minute_checking import Judged, UnusableError, as_points, joined, judge
from meetings.gateways.minute_wording import ask, drafts_message, line_text, merge, schema, transcript_message
from meetings.gateways.openai_calls import TooLongError, make_client, translated_errors

PART_CHARACTERS = 120_000  # about 30,000 tokens: a two-hour meeting in one or two parts, far below today's windows


class OpenAIMinutes:
    """The chat/completions endpoint with structured output.

    Args:
        api_key: sent as a bearer token; never logged.
        base_url: "" for OpenAI itself.
        model: the model's name at that server; it must follow a JSON schema.
        timeout_s: how long one answer may take.
        part_characters: how much transcript one call may hold.
    """

    name = "openai"

    def __init__(
        self,
        *,
        api_key: str,
        base_url: str,
        model: str,
        timeout_s: float = 300.0,
        part_characters: int = PART_CHARACTERS,
    ) -> None:
        self.model = model
        self._api_key = api_key
        self._base_url = base_url
        self._timeout_s = timeout_s
        self._part_characters = part_characters

    def draft(self, *, lines: Sequence[Line], brief: Brief, progress: Progress) -> Draft:
        """Write minutes; see `contracts.MinuteTaker`. A transcript without lines gives empty minutes and no call.

        Raises:
            TransientError: those of `openai_calls`, `minutes_answer_unusable`.
            PermanentError: those of `openai_calls`, `minutes_refused`, `minutes_filtered`, `minutes_answer_truncated`.
        """
        texts = [line_text(number=number, line=line) for number, line in enumerate(lines, start=1)]
        shortened = [text[: self._part_characters] for text in texts]
        judged = joined([])
        if texts:
            with make_client(api_key=self._api_key, base_url=self._base_url, timeout_s=self._timeout_s) as client:
                judged = _Taking(client, model=self.model, brief=brief, budget=self._part_characters).take(
                    shortened, progress=progress
                )
        progress(1.0)
        points = {name: as_points(entries, lines=lines) for name, entries in judged.lists.items()}
        return Draft(
            **points,
            coverage=Coverage(
                segments_total=len(lines),
                segments_used=len(lines),
                truncated=shortened != texts,
                dropped=dict(judged.dropped),
            ),
        )


class _TruncatedError(Exception):
    """The answer (or the question) did not fit."""


class _Taking:
    """One taking of minutes: the client and what stays the same from call to call."""

    def __init__(self, client: OpenAI, *, model: str, brief: Brief, budget: int) -> None:
        self._client = client
        self._model = model
        self._brief = brief
        self._budget = budget

    def take(self, texts: Sequence[str], *, progress: Progress) -> Judged:
        parts = _parts(texts, budget=self._budget)
        drafts: list[Judged] = []
        for number, part in enumerate(parts, start=1):
            drafts += self._map(texts, part, number=number, parts=len(parts), may_split=True)
            progress(0.9 * number / len(parts))
        return self._reduce(drafts)

    def _map(self, texts: Sequence[str], part: range, *, number: int, parts: int, may_split: bool) -> list[Judged]:
        message = transcript_message(texts=texts[part.start : part.stop], brief=self._brief, part=number, parts=parts)
        try:
            # Only the part's own lines may be cited: a reference to another part is a guess.
            return [self._ask(ask(self._brief), message, known=range(part.start + 1, part.stop + 1))]
        except _TruncatedError as error:
            if not may_split or len(part) < 2:
                raise PermanentError(
                    "minutes_answer_truncated",
                    f"The model {self._model!r} cannot answer at this length: choose one with a larger window.",
                ) from error
        middle = (part.start + part.stop) // 2
        halves = (range(part.start, middle), range(middle, part.stop))
        return [
            draft
            for half in halves
            for draft in self._map(texts, half, number=number, parts=max(parts, 2), may_split=False)
        ]

    def _reduce(self, drafts: list[Judged]) -> Judged:
        while len(drafts) > 1:
            # At least two at a time, else it would never end.
            size = max(2, self._budget // (1 + max(len(str(draft.as_json())) for draft in drafts)))
            drafts = [self._merge(drafts[start : start + size]) for start in range(0, len(drafts), size)]
        return drafts[0]

    def _merge(self, drafts: list[Judged]) -> Judged:
        together = joined(drafts)
        if len(drafts) == 1:
            return drafts[0]
        cited = frozenset(
            number
            for draft in drafts
            for entries in draft.lists.values()
            for entry in entries
            for number in entry.lines
        )
        if not cited:
            return together
        message = drafts_message(drafts=[draft.as_json() for draft in drafts], brief=self._brief)
        try:
            merged = self._ask(merge(self._brief), message, known=cited)
        except _TruncatedError:
            return together  # what was found is kept as it stands, only less well worded
        for draft in drafts:
            merged.dropped.update(draft.dropped)
        return merged

    def _ask(self, system: str, user: str, *, known: range | frozenset[int]) -> Judged:
        try:
            with translated_errors(model=self._model):
                raw = self._client.chat.completions.with_raw_response.create(
                    model=self._model,
                    messages=[{"role": "system", "content": system}, {"role": "user", "content": user}],
                    response_format={
                        "type": "json_schema",
                        "json_schema": {"name": "minutes", "strict": True, "schema": schema()},
                    },
                )
                answer = raw.http_response.json()
        except TooLongError as error:
            raise _TruncatedError from error
        try:
            return judge(_content(answer), known=known)
        except UnusableError as error:
            # Models differ from one try to the next, so this is tried again; the job's attempts are bounded.
            raise TransientError(
                "minutes_answer_unusable", f"The model {self._model!r} wrote no usable minutes ({error})."
            ) from error


def _content(answer: Any) -> str:
    try:
        choice = answer["choices"][0]
        message, reason = choice["message"], choice.get("finish_reason")
        refusal, content = message.get("refusal"), message.get("content")
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise UnusableError("no answer in the answer") from error
    if reason == "content_filter":
        raise PermanentError("minutes_filtered", "The language service's content filter stopped the minutes.")
    if refusal:
        raise PermanentError("minutes_refused", "The language model refused to write minutes of this meeting.")
    if reason == "length":
        raise _TruncatedError
    if not isinstance(content, str):
        raise UnusableError("no text in the answer")
    return content


def _parts(texts: Sequence[str], *, budget: int) -> list[range]:
    """Cut the lines into runs that each stay within the budget of characters."""
    parts: list[range] = []
    start = size = 0
    for number, text in enumerate(texts):
        if number > start and size + len(text) + 1 > budget:
            parts.append(range(start, number))
            start, size = number, 0
        size += len(text) + 1
    return [*parts, range(start, len(texts))]
