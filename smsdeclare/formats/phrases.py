"""What the text formats share: counts, untrusted text on one line, colors, widths."""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from smsdeclare.redaction import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from smsdeclare.format import Style
    from smsdeclare.records import Lease


class Color(StrEnum):
    """What each color means, wherever it stands; none is the only sign of anything."""

    GOOD = "32"  #: goes out, comes in, or is as it should be
    CARE = "33"  #: wants somebody's attention: a warning, what is unknown, the sandbox
    WRONG = "31"  #: is an error, or breaks a rule
    BACK = "35"  #: is taken back or taken out
    QUIET = "2"  #: nothing is done about it
    HEAD = "1"  #: what the lines below it are about


#: So many replaced characters are named; the rest is counted.
_SWAPS = 8


def count(number: float, noun: str) -> str:
    """`1 part`, `2 parts`, `1,234.50 credits`."""
    return f"{figure(number)} {noun}{'' if number == 1 else 's'}"


def figure(number: float) -> str:
    """Thousands apart; decimals only where there are some."""
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,.2f}"


def lasting(seconds: float) -> str:
    """`12 s`, `3 min 20 s`, `2 h 5 min`."""
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes} min"
    return f"{minutes} min {left} s" if minutes else f"{left} s"


def line(text: str | None) -> str:
    """Untrusted text on one line, with nothing in it that a terminal would obey."""
    return visible(text or "", newline="\\n")


def leases(found: Sequence[tuple[Lease, bool]]) -> str:
    """Who holds the state, a paragraph for each; each lease with whether it is over."""
    told = []
    for one, is_over in found:
        end = (
            f"ran out at {one.until}, or its process has ended: it keeps nobody out"
            if is_over
            else f"until {one.until}"
        )
        told.append(f"Held by {line(one.actor)}, process {one.pid} on {line(one.host)}\n")
        told.append(f"  since   {one.since}\n  lease   {end}\n")
        told.append(f"  CI run  {line(one.ci)}\n" if one.ci else "")
        told.append(f"  plan    {one.digest}\n" if one.digest else "")
    return "".join(told) or "Nobody holds it.\n"


def normalizing(done: Mapping[str, Any]) -> str:
    """What `normalize` replaced, as `sends.normalized` has it."""
    named = []
    for swap in done["replaced"][:_SWAPS]:
        instead = f"-> `{line(swap['instead'])}`" if swap["instead"] else "left out"
        named.append(f"`{line(swap['character'])}` {instead} {swap['count']:,}x")
    more = len(done["replaced"]) - _SWAPS
    others = f" and {count(more, 'more character')}" if more > 0 else ""
    saved = f"{count(done['partsSaved'], 'part')} saved"
    return f"normalized for {count(done['receivers'], 'receiver')}, {saved}: {', '.join(named)}{others}"


def paint(text: str, color: Color, style: Style) -> str:
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
