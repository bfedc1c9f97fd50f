"""Names of languages as Whisper tells them, and their ISO 639-1 codes."""

from __future__ import annotations

_CODES = {
    "afrikaans": "af", "arabic": "ar", "armenian": "hy", "azerbaijani": "az", "belarusian": "be", "bengali": "bn",
    "bosnian": "bs", "bulgarian": "bg", "cantonese": "zh", "castilian": "es", "catalan": "ca", "chinese": "zh",
    "croatian": "hr", "czech": "cs", "danish": "da", "dutch": "nl", "english": "en", "estonian": "et", "finnish": "fi",
    "flemish": "nl", "french": "fr", "galician": "gl", "german": "de", "greek": "el", "hebrew": "he", "hindi": "hi",
    "hungarian": "hu", "icelandic": "is", "indonesian": "id", "italian": "it", "japanese": "ja", "kannada": "kn",
    "kazakh": "kk", "korean": "ko", "latvian": "lv", "lithuanian": "lt", "macedonian": "mk", "malay": "ms",
    "mandarin": "zh", "maori": "mi", "marathi": "mr", "nepali": "ne", "norwegian": "no", "persian": "fa",
    "polish": "pl", "portuguese": "pt", "punjabi": "pa", "romanian": "ro", "russian": "ru", "serbian": "sr",
    "slovak": "sk", "slovenian": "sl", "spanish": "es", "swahili": "sw", "swedish": "sv", "tagalog": "tl",
    "tamil": "ta", "telugu": "te", "thai": "th", "turkish": "tr", "ukrainian": "uk", "urdu": "ur",
    "valencian": "ca", "vietnamese": "vi", "welsh": "cy",
}  # fmt: skip


def code_of(name: str) -> str:
    """Give the ISO 639-1 code of a language told by its English name or its code; "" when unknown."""
    lowered = name.strip().lower()
    if len(lowered) == 2 and lowered.isascii() and lowered.isalpha():
        return lowered
    return _CODES.get(lowered, "")
