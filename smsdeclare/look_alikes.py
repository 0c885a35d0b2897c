"""Characters outside the GSM alphabet → what reads nearly the same in it."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from typing import NamedTuple

from smsdeclare.encoding import DEFAULT_TABLE, EXTENSION_TABLE, is_gsm

#: What people and word processors write, and what a phone shows nearly alike. Accents are taken off by rule.
_LOOK_ALIKES = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc\u00b4`", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2039", "<"),
    **dict.fromkeys("\u203a", ">"),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2022\u00b7", "-"),
    **dict.fromkeys("\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u3000\t", " "),
    **dict.fromkeys("\u00ad\u200b\u2060\ufeff", ""),
    "\u2026": "...",
    "\u00d7": "x",
    "\u0153": "oe",
    "\u0152": "OE",
    "\u00b0": "o",
    "\u0142": "l",
    "\u0141": "L",
    "\u0111": "d",
    "\u0110": "D",
    "\u0131": "i",
}

_MARKS = "\u0300-\u036f"
#: A character outside the alphabet with the marks behind it, or one of the alphabet whose marks are not.
_FOREIGN = re.compile(f"[^{re.escape(DEFAULT_TABLE + EXTENSION_TABLE)}][{_MARKS}]*|.[{_MARKS}]+")


class Swap(NamedTuple):
    """A character that is replaced wherever it stands in a text."""

    #: With the marks that stand behind it, if any.
    character: str
    #: Empty where it is left out.
    instead: str
    times: int


# One takes some microseconds, and a text for each of many receivers has the same few characters again and again.
@lru_cache(maxsize=1_000)
def look_alike(character: str) -> str | None:
    """GSM characters that read nearly the same as `character`; empty where it can be left out.

    None where there are none, and for what is in the GSM alphabet itself.
    """
    if is_gsm(character):
        return None
    composed = unicodedata.normalize("NFC", character)
    if is_gsm(composed):
        return composed
    if character in _LOOK_ALIKES:
        return _LOOK_ALIKES[character]
    letters = "".join(c for c in unicodedata.normalize("NFKD", character) if not unicodedata.combining(c))
    return letters if letters and is_gsm(letters) else None


def to_gsm(text: str) -> tuple[str, tuple[Swap, ...]]:
    """`text` with look-alikes wherever there are some, and what was replaced, in the order of first appearance.

    What has no look-alike stays, and then forces the text into Unicode.
    """
    if is_gsm(text):
        return text, ()
    swapped: Counter[tuple[str, str]] = Counter()

    def swap(found: re.Match[str]) -> str:
        character = found.group()
        instead = look_alike(character)
        if instead is None:
            return character
        swapped[character, instead] += 1
        return instead

    written = _FOREIGN.sub(swap, text)
    return written, tuple(Swap(*pair, count) for pair, count in swapped.items())
