"""The filters and tests of texts: each refuses what is missing, where MiniJinja's own let some of it pass."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable

#: Characters.
TEXT_LIMIT = 10_000
_FIGURE = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?")


class Missing(Exception):
    """A filter or test was given what is not there."""


class Misfit(Exception):
    """A filter was given what it can't work on; the message names no value."""


def _text(value: object) -> str:
    """A filter's input as text. None is how MiniJinja hands over what is missing."""
    if type(value) is str:
        return value
    if value is None:
        raise Missing
    return str(printed(value))


def printed(value: object) -> object:
    """What a tag prints: as it is, but for what Python or MiniJinja would write their own way."""
    if type(value) is str:
        return value
    if value is None:
        # `x if y` without `else`; MiniJinja has refused by itself what is missing.
        return ""
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is float and math.isfinite(value):
        from decimal import Decimal  # noqa: PLC0415 - most texts compute nothing

        # MiniJinja hands over 2.0 as 2; so all whole figures print without a fraction, whoever hands them over.
        return int(value) if value.is_integer() else format(Decimal(repr(value)), "f")
    if type(value) is int:
        return value
    raise Misfit("a tag prints something other than a text or a figure")


def _figure(value: object, default: object = Misfit) -> int | float:
    if type(value) in (int, float):
        return cast("int | float", value)
    figure = _text(value).strip()
    if _FIGURE.fullmatch(figure):
        return float(figure) if "." in figure else int(figure)
    if default is Misfit:
        raise Misfit("a value is no figure")
    return _figure(default)


def _round(value: object, precision: object = 0) -> int | float:
    digits = _figure(precision)
    if value is None:
        raise Missing
    if type(value) not in (int, float) or type(digits) is not int or not -15 <= digits <= 15:
        raise Misfit("`round` takes a figure and the number of its decimals")
    return round(cast("int | float", value), digits)


def _replace(value: object, old: object, new: object) -> str:
    text, found, by = _text(value), _text(old), _text(new)
    # `replace` can multiply a text, and MiniJinja counts no fuel for what a filter does.
    if len(text) + text.count(found) * (len(by) - len(found)) > TEXT_LIMIT:
        raise Misfit(f"`replace` makes more than {TEXT_LIMIT:,} characters")
    return text.replace(found, by)


def _truncate(
    value: object, length: object = 255, killwords: object = False, end: object = "...", leeway: object = 5
) -> str:
    """As in Jinja: up to `leeway` characters more than `length` stay as they are; `end` counts."""
    text, closing, most, spare = _text(value), _text(end), int(_figure(length)), int(_figure(leeway))
    if killwords is None:
        raise Missing
    if len(text) <= most + spare:
        return text
    kept = text[: max(most - len(closing), 0)]
    return (kept if killwords else kept.rsplit(" ", 1)[0]) + closing


def _end(value: object, place: int) -> str:
    text = _text(value)
    if not text:
        raise Missing
    return text[place]


_WORD = re.compile(r"[^\s\-({\[<]+")
FILTERS: dict[str, Callable[..., object]] = {
    "abs": lambda value: abs(_figure(value)),
    "capitalize": lambda value: _text(value).capitalize(),
    "first": lambda value: _end(value, 0),
    "float": lambda value, default=Misfit: float(_figure(value, default)),
    "int": lambda value, default=Misfit: int(_figure(value, default)),
    "last": lambda value: _end(value, -1),
    "length": lambda value: len(_text(value)),
    "lower": lambda value: _text(value).lower(),
    "replace": _replace,
    "round": _round,
    "string": _text,
    "title": lambda value: _WORD.sub(lambda word: word.group().capitalize(), _text(value)),
    "trim": lambda value, characters=" \t\r\n": _text(value).strip(_text(characters)),
    "truncate": _truncate,
    "upper": lambda value: _text(value).upper(),
    "urlencode": lambda value: quote(_text(value)),
}

TESTS: dict[str, Callable[..., bool]] = {
    "startingwith": lambda text, start: _text(text).startswith(_text(start)),
    "endingwith": lambda text, end: _text(text).endswith(_text(end)),
}
