"""How a Word document looks: its styles, page, languages and fonts. What it says is `worddocument`'s business."""

from __future__ import annotations

from typing import Any

from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

INK = RGBColor(0x1C, 0x24, 0x30)
QUIET = RGBColor(0x5D, 0x67, 0x75)
ACCENT = RGBColor(0x17, 0x56, 0x6B)
HAIRLINE = "D5DBE1"
WASH = "F4F6F8"

LATIN_FONT = "Calibri"
COMPLEX_FONT = "Arial"
EAST_ASIAN_FONTS = {"ja": "Yu Gothic", "ko": "Malgun Gothic", "zh": "Microsoft YaHei"}
PAGE_WIDTH = Mm(210 - 2 * 23)


def style_document(document: Document, *, language: str, rtl: bool) -> None:
    """Give a new document A4 pages, our styles, and its language for spelling, hyphenation and fonts."""
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(23)
    section.top_margin, section.bottom_margin = Mm(22), Mm(22)
    if rtl:
        section._sectPr.append(OxmlElement("w:bidi"))  # noqa: SLF001 - python-docx has no setter for it
    _set_defaults(document, language=language, rtl=rtl)
    _set_compatibility(document)
    _style(document, "Normal", size=10.5, color=INK, after=6)
    _style(document, "Title", size=22, color=INK, bold=True, after=4)
    _style(document, "Heading 1", size=13, color=ACCENT, bold=True, before=18, after=6)
    _style(document, "Heading 2", size=9, color=QUIET, bold=True, before=14, after=6)
    _style(document, "List Number", size=10.5, color=INK, before=8, after=2)
    _style(document, "Footer", size=8, color=QUIET)
    for name, size, color, bold, after in (
        ("Kind", 9, ACCENT, True, 2),
        ("Entry", 10.5, INK, False, 2),
        ("Facts", 9.5, QUIET, False, 2),
        ("Evidence", 8.5, QUIET, False, 2),
        ("Turn", 10.5, INK, False, 8),
        ("Table Label", 8.5, QUIET, True, 2),
        ("Table Text", 10, INK, False, 2),
        ("Note", 8, QUIET, False, 0),
    ):
        document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH).base_style = document.styles["Normal"]
        _style(document, name, size=size, color=color, bold=bold, after=after)
    document.styles["Entry"].paragraph_format.space_before = Pt(8)
    document.styles["Turn"].paragraph_format.keep_together = True
    document.styles["Evidence"].paragraph_format.line_spacing = 1.0
    shade(document.styles["Note"].element.get_or_add_pPr(), fill=WASH)


def _style(
    document: Document,
    name: str,
    *,
    size: float,
    color: RGBColor,
    bold: bool = False,
    before: float = 0,
    after: float = 0,
) -> None:
    style = document.styles[name]
    style.font.size, style.font.bold, style.font.italic, style.font.color.rgb = Pt(size), bold, False, color
    style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(before), Pt(after)
    properties = style.element.get_or_add_rPr()
    for tag in ("w:rFonts", "w:spacing", "w:kern"):
        for found in properties.findall(qn(tag)):
            properties.remove(found)
    for border in style.element.get_or_add_pPr().findall(qn("w:pBdr")):
        border.getparent().remove(border)
    # Scripts such as Arabic and Hebrew take their size and weight from elements of their own.
    font = style.font
    font.cs_bold = bold
    size_cs = OxmlElement("w:szCs")
    size_cs.set(qn("w:val"), str(int(size * 2)))
    for found in properties.findall(qn("w:szCs")):
        properties.remove(found)
    properties.find(qn("w:sz")).addnext(size_cs)


def _set_defaults(document: Document, *, language: str, rtl: bool) -> None:
    code = language.split("-", maxsplit=1)[0]
    defaults = document.styles.element.find(qn("w:docDefaults")).find(qn("w:rPrDefault")).find(qn("w:rPr"))
    for child in list(defaults):
        defaults.remove(child)
    fonts = OxmlElement("w:rFonts")
    for slot, family in (
        ("ascii", LATIN_FONT),
        ("eastAsia", EAST_ASIAN_FONTS.get(code, "Microsoft YaHei")),
        ("hAnsi", LATIN_FONT),
        ("cs", COMPLEX_FONT),
    ):
        fonts.set(qn(f"w:{slot}"), family)
    spoken = OxmlElement("w:lang")
    spoken.set(qn("w:val"), "en" if rtl or code in EAST_ASIAN_FONTS else language)
    spoken.set(qn("w:eastAsia"), language if code in EAST_ASIAN_FONTS else "zh-CN")
    spoken.set(qn("w:bidi"), language if rtl else "ar-SA")
    defaults.append(fonts)
    defaults.append(spoken)


def _set_compatibility(document: Document) -> None:
    # Without it Word opens the document in the compatibility mode of 2007.
    mode = OxmlElement("w:compatSetting")
    for name, value in (
        ("name", "compatibilityMode"),
        ("uri", "http://schemas.microsoft.com/office/word"),
        ("val", "15"),
    ):
        mode.set(qn(f"w:{name}"), value)
    settings = document.settings.element
    compat = settings.find(qn("w:compat"))
    if compat is None:
        compat = OxmlElement("w:compat")
        settings.append(compat)
    compat.append(mode)


def shade(properties: Any, *, fill: str) -> None:
    """Give a paragraph style, by its properties element, a plain background."""
    shading = OxmlElement("w:shd")
    shading.set(qn("w:val"), "clear")
    shading.set(qn("w:color"), "auto")
    shading.set(qn("w:fill"), fill)
    properties.insert_element_before(
        shading, "w:tabs", "w:suppressAutoHyphens", "w:bidi", "w:spacing", "w:ind", "w:jc", "w:rPr"
    )


def rule(properties: Any, *, side: str, color: str, eighths: int) -> None:
    """Draw a line at one side of a paragraph, given by its properties element; `eighths` of a point thick."""
    borders = OxmlElement("w:pBdr")
    line = OxmlElement(f"w:{side}")
    for name, value in (("val", "single"), ("sz", str(eighths)), ("space", "6"), ("color", color)):
        line.set(qn(f"w:{name}"), value)
    borders.append(line)
    properties.insert_element_before(
        borders, "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:bidi", "w:spacing", "w:ind", "w:jc", "w:rPr"
    )
