"""Text to encoding, parts and the characters to blame; the STOP clause.

The alphabet is 3GPP TS 23.038 (GSM 03.38): the default table, and the extension table whose characters stand
behind an escape and so take two septets. A text with any other character travels as UTF-16. One SMS holds 140
bytes: 160 septets or 70 UTF-16 code units; each part of a longer text gives up 6 bytes to the header that
joins them (TS 23.040 §9.2.3.24.1), which leaves 153 or 67.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple

Encoding = Literal["gsm7", "unicode"]

#: The default table in its own order, 0x00 to 0x7F, less the escape at 0x1B.
DEFAULT_TABLE = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION_TABLE = "\f^{}\\[~]|€"

_GSM7 = re.compile(f"[{re.escape(DEFAULT_TABLE + EXTENSION_TABLE)}]*")
_DEFAULT = re.compile(f"[{re.escape(DEFAULT_TABLE)}]*")
_EXTENDED = re.compile(f"[{re.escape(EXTENSION_TABLE)}]")
_FOREIGN = re.compile(f"[^{re.escape(DEFAULT_TABLE + EXTENSION_TABLE)}]")
#: Two UTF-16 code units each.
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")

#: Units in a text that goes out whole, and in each part of one that does not.
_LIMITS: dict[Encoding, tuple[int, int]] = {"gsm7": (160, 153), "unicode": (70, 67)}

#: OVHcloud ends an advertising SMS with a line feed, `STOP` and a number of its own such as 36184: always 11
#: characters, though number and separator vary.
STOP_CLAUSE = "\nSTOP 36XXX"


class Measure(NamedTuple):
    """What a text takes on the air."""

    encoding: Encoding
    #: Septets (gsm7, an extension character counts two) or UTF-16 code units (unicode).
    units: int
    #: SMS the phone joins again; 1 for the empty text too.
    parts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forcing:
    """A character that forces a text into Unicode."""

    character: str
    #: Where it first stands, counted in characters from 0.
    index: int
    count: int


def measure(text: str) -> Measure:
    """The encoding `text` needs, its length in that encoding's units, and its number of parts."""
    length = len(text)
    if _DEFAULT.fullmatch(text):
        return Measure("gsm7", length, 1 if length <= 160 else -(-length // 153))
    if _GSM7.fullmatch(text):
        return _with_pairs(text, "gsm7", length + len(_EXTENDED.findall(text)))
    return _with_pairs(text, "unicode", length + len(_ASTRAL.findall(text)))


def least_parts(encoding: Encoding, units: int) -> int:
    """The parts of so many units where nothing is lost at their ends."""
    whole, limit = _LIMITS[encoding]
    return 1 if units <= whole else -(-units // limit)


def _with_pairs(text: str, encoding: Encoding, units: int) -> Measure:
    whole, limit = _LIMITS[encoding]
    if units <= whole:
        return Measure(encoding, units, 1)
    # A part loses at most one unit, to a pair that would straddle its end. Only where that could add a part
    # does it matter where the pairs stand.
    fewest, most = -(-units // limit), -(-units // (limit - 1))
    return Measure(encoding, units, fewest if fewest == most or units == len(text) else len(split(text)))


def split(text: str) -> list[str]:
    """The texts of the parts, in order; joined they are `text`.

    Neither an extension character's escape pair nor a surrogate pair is torn, so a part may hold one unit
    less than it could.
    """
    doubles, whole, limit = _rules(text)
    if len(text) + len(doubles.findall(text)) <= whole:
        return [text]
    parts = []
    start = used = 0
    for index, character in enumerate(text):
        cost = 2 if doubles.match(character) else 1
        if used + cost > limit:
            parts.append(text[start:index])
            start, used = index, 0
        used += cost
    return [*parts, text[start:]]


def room(text: str) -> int:
    """Units that the last part of `text` has left, in the encoding of the whole."""
    doubles, whole, limit = _rules(text)
    *before, last = split(text)
    return (limit if before else whole) - len(last) - len(doubles.findall(last))


def _rules(text: str) -> tuple[re.Pattern[str], int, int]:
    """For the encoding of `text`: what counts two units, and the units of a text in one part and of each of several."""
    if _GSM7.fullmatch(text):
        return _EXTENDED, *_LIMITS["gsm7"]
    return _ASTRAL, *_LIMITS["unicode"]


def forcing(text: str) -> list[Forcing]:
    """The characters outside the GSM alphabet, each once, in the order in which they first stand."""
    found: dict[str, tuple[int, int]] = {}
    for match in _FOREIGN.finditer(text):
        index, count = found.get(match.group(), (match.start(), 0))
        found[match.group()] = index, count + 1
    return [Forcing(character=character, index=index, count=count) for character, (index, count) in found.items()]


def is_gsm(text: str) -> bool:
    """Whether all of `text` is in the GSM alphabet."""
    return _GSM7.fullmatch(text) is not None


def encoding_of_singles(text: str) -> Encoding | None:
    """The encoding of a text whose characters take one unit each, so that its length says it all; of others None."""
    if _DEFAULT.fullmatch(text):
        return "gsm7"
    return "unicode" if _FOREIGN.search(text) and not _ASTRAL.search(text) else None


def foreign_in(text: str) -> list[str]:
    """The characters outside the GSM alphabet, in their order, each as often as it stands there."""
    return _FOREIGN.findall(text)


def with_stop_clause(text: str) -> str:
    """`text` as it goes out where OVHcloud adds its STOP clause; the number is a placeholder."""
    return text + STOP_CLAUSE
