"""How many parts a text takes: it is written out in units, then dealt into parts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from smsdeclare.simulator.settings import Settings

#: GSM 03.38, in the order of its codes. The blank at 0x1B is the escape, which no text can hold.
_TABLE = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x00ÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
_ESCAPE = 0x1B
_CODES: dict[str, tuple[int, ...]] = {
    character: (code,) for code, character in enumerate(_TABLE) if code != _ESCAPE
} | {
    character: (_ESCAPE, code)
    for character, code in {
        "\f": 0x0A,
        "^": 0x14,
        "{": 0x28,
        "}": 0x29,
        "\\": 0x2F,
        "[": 0x3C,
        "~": 0x3D,
        "]": 0x3E,
        "|": 0x40,
        "€": 0x65,
    }.items()
}

#: 11 units in either encoding. The number and the colon vary in the wild; the length does not.
STOP_CLAUSE = "\nSTOP:36111"

#: Web and e-mail addresses and phone numbers, as a filter for short numbers would look for them.
_CONTACT = re.compile(
    r"https?://|\bwww\."
    r"|\b[\w.+-]+@[\w-]+\.\w{2,}"
    r"|\b[a-z0-9-]+\.(?:com|fr|net|org|eu|io|be|it|es|pl|uk|ie|info|biz|me|ly)\b(?!\.\w)"
    r"|(?<![0-9])(?:\+|00)[1-9](?:[ .-]?[0-9]){7,14}(?![0-9])"
    r"|(?<![0-9])0[1-9](?:[ .-]?[0-9]{2}){4}(?![0-9])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A text's size. `units` holds escapes, and the STOP clause where there is one."""

    encoding: Literal["7bits", "unicode"]
    units: int
    parts: int
    per_part: int


def measure(text: str, settings: Settings, *, stop: bool) -> Measure:
    """`text` in parts of 160/153 septets or, with one character outside GSM 03.38, of 70/67 UTF-16 units."""
    units = [_CODES.get(character) for character in text]
    coded = [unit for unit in units if unit is not None]
    encoding: Literal["7bits", "unicode"]
    if len(coded) == len(units):
        encoding, whole, split, sizes = "7bits", 160, 153, [len(unit) for unit in coded]
    else:
        octets = [character.encode("utf-16-be", "surrogatepass") for character in text]
        encoding, whole, split, sizes = "unicode", 70, 67, [len(pair) // 2 for pair in octets]
    own, clause = sum(sizes), len(STOP_CLAUSE) if stop else 0
    if not settings.whole_characters:
        sizes = [1] * own
    if own + clause <= whole:
        return Measure(encoding=encoding, units=own + clause, parts=1, per_part=whole)
    if stop and settings.stop_limit == 302:
        parts = _deal(sizes, first=whole - clause, later=split)
    else:
        parts = _deal([*sizes, *[1] * clause], first=split, later=split)
    return Measure(encoding=encoding, units=own + clause, parts=parts, per_part=split)


def _deal(sizes: Iterable[int], *, first: int, later: int) -> int:
    """Parts needed when each character goes, whole, where room is left."""
    parts, room = 1, first
    for size in sizes:
        if size > room:
            parts, room = parts + 1, later
        room -= size
    return parts


def holds_contact(text: str) -> bool:
    """Whether a short number would refuse it. UNKNOWN: the real rule."""
    return _CONTACT.search(text) is not None
