"""Names of downloads, made safe for a header (RFC 6266) whatever somebody called their file."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

LONGEST_NAME = 150
# Shown by a browser inside a page of this origin they could act in its name; these cannot.
SHOWN_INLINE = {
    "application/pdf", "image/png", "image/jpeg", "image/webp", "image/gif", "text/plain", "text/vtt",
}  # fmt: skip
_RESERVED = re.compile(r'[/\\:*?"<>|\x7f]')


def content_disposition(*, filename: str, inline: bool, content_type: str) -> str:
    """The header's value: `inline` only for kinds that cannot act, and a plain name beside the real one."""
    kind = "inline" if inline and may_be_shown(content_type) else "attachment"
    name = clean_filename(filename)
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().replace("%", "_").strip() or "file"
    value = f'{kind}; filename="{plain}"'
    return value if plain == name else f"{value}; filename*=UTF-8''{quote(name, safe='')}"


def may_be_shown(content_type: str) -> bool:
    """Whether a browser may show this kind in place."""
    kind = content_type.partition(";")[0].strip()
    return kind in SHOWN_INLINE or kind.startswith(("audio/", "video/"))


def clean_filename(filename: str) -> str:
    """A name that is one: no path, no control or direction characters, no leading dots, not too long, never empty."""
    text = unicodedata.normalize("NFC", filename.encode("utf-8", "ignore").decode())
    text = "".join(letter for letter in text if unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Zl", "Zp"})
    text = _RESERVED.sub("_", text).strip().strip(".").strip()
    if len(text) > LONGEST_NAME:
        stem, dot, ending = text.rpartition(".")
        text = stem[: LONGEST_NAME - 11] + dot + ending if dot and len(ending) <= 10 else text[:LONGEST_NAME]
    return text or "file"
