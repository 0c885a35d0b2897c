"""What the text formats share: counts, untrusted text on one line, colors, widths."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from smsdeclare.redaction import visible

if TYPE_CHECKING:
    from smsdeclare.format import Style


def count(number: float, noun: str) -> str:
    """`1 part`, `2 parts`, `1,234.50 credits`."""
    return f"{figure(number)} {noun}{'' if number == 1 else 's'}"


def figure(number: float) -> str:
    """Thousands apart; decimals only where there are some."""
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,.2f}"


def line(text: str | None) -> str:
    """Untrusted text on one line, with nothing in it that a terminal would obey."""
    return visible(text or "", newline="\\n")


def paint(text: str, color: str, style: Style) -> str:
    """`text` in a color of ECMA-48 where colors are wanted."""
    return f"\x1b[{color}m{text}\x1b[0m" if style.color else text


def width(text: str) -> int:
    """Columns that a terminal needs: East Asian wide characters take two, combining ones none."""
    return sum(
        0
        if unicodedata.category(character) in ("Mn", "Me")
        else 2
        if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )
