"""Speaking to an OpenAI-compatible server: the client, and what its errors mean for the work. No prompts live here.

The SDK's own retries are off: the job that called retries, with back-off, and survives the death of this process.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import openai
from openai import OpenAI

from chatvista.foundation.problems import PermanentError, TransientError, WorkError

CONNECT_S = 10.0
_TOO_LONG = frozenset({"context_length_exceeded", "string_above_max_length"})
_LONGEST_RETRY_AFTER_S = 3600.0


class TooLongError(Exception):
    """The request holds more text than the model takes; it may fit when cut in two."""


def make_client(*, api_key: str, base_url: str, timeout_s: float) -> OpenAI:
    """Give a client that keeps its connection; `base_url` "" means OpenAI itself. Close it, or use it as a context."""
    return OpenAI(
        api_key=api_key,
        base_url=base_url or "https://api.openai.com/v1",
        max_retries=0,
        timeout=httpx2.Timeout(timeout_s, connect=CONNECT_S),
    )


@contextmanager
def translated_errors(*, model: str) -> Iterator[None]:
    """Turn whatever the SDK raises into a WorkError with a sentence that says what to do.

    Raises:
        TransientError: `openai_busy`, `openai_unreachable`, `openai_bad_answer`.
        PermanentError: `openai_key_refused`, `openai_quota_exhausted`, `openai_model_unknown`,
            `openai_request_refused`.
        TooLongError: the text does not fit the model.
    """
    try:
        yield
    except openai.APIStatusError as error:
        raise _by_status(error, model=model) from error
    except openai.APITimeoutError as error:
        raise TransientError("openai_unreachable", "The speech and language service did not answer in time.") from error
    except openai.APIResponseValidationError as error:
        raise _bad_answer() from error
    except openai.APIConnectionError as error:
        raise TransientError("openai_unreachable", "The speech and language service cannot be reached.") from error
    except (json.JSONDecodeError, UnicodeDecodeError, httpx2.HTTPError, openai.OpenAIError) as error:
        # A proxy's error page, a connection cut within the body: another try usually gets a whole answer.
        raise _bad_answer() from error


def _by_status(error: openai.APIStatusError, *, model: str) -> WorkError | TooLongError:
    status, code = error.status_code, error.code or error.type or ""
    if status in {401, 403}:
        return PermanentError(
            "openai_key_refused",
            "The speech and language service refused the key: check OPENAI_API_KEY (and OPENAI_BASE_URL).",
        )
    if code in _TOO_LONG:
        return TooLongError(code)
    if status == 429 and code in {"insufficient_quota", "billing_hard_limit_reached"}:
        return PermanentError(
            "openai_quota_exhausted", "The account behind OPENAI_API_KEY has no credit left: add credit, then retry."
        )
    if status == 429 or status in {408, 409, 425} or status >= 500:
        return TransientError(
            "openai_busy", f"The speech and language service is busy (HTTP {status}).", retry_after=_retry_after(error)
        )
    if status == 404 or code == "model_not_found":
        return PermanentError(
            "openai_model_unknown",
            f"The speech and language service does not know the model {model!r}: check its name and OPENAI_BASE_URL.",
        )
    return PermanentError(
        "openai_request_refused", f"The speech and language service refused the request (HTTP {status}, {code or '?'})."
    )


def _retry_after(error: openai.APIStatusError) -> float | None:
    headers = error.response.headers
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except ValueError:
            continue  # absent, or a date; the job's own back-off serves then
        if 0 <= seconds <= _LONGEST_RETRY_AFTER_S:
            return seconds
    return None


def _bad_answer() -> TransientError:
    return TransientError("openai_bad_answer", "The speech and language service sent an answer that makes no sense.")
