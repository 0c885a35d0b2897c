"""Whether data fits a schema, told fast: where it does, nobody has to load the library that says why it does not."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Keywords that ask for nothing.
_NOTES = frozenset({"title", "description", "examples", "default", "then", "else", "$comment"})
_SCALARS = (str, int, float, bool, type(None))


class _Unsure(Exception):
    """A keyword, or a form of one, that is not read here."""


def fits(value: Any, schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> bool:
    """Whether `value` fits for sure; False says nothing. `definitions` are what `#/$defs/NAME` names.

    The rules are those of JSON Schema 2020-12 but for `integer`, which 1.0 is not.
    """
    try:
        return _fits(value, schema, definitions)
    except _Unsure:
        return False


def _fits(value: Any, schema: Any, definitions: Mapping[str, Any]) -> bool:
    if isinstance(schema, bool):
        return schema
    for keyword, wanted in schema.items():
        if keyword in _NOTES:
            continue
        check = _CHECKS.get(keyword)
        if check is None:
            raise _Unsure
        if not check(value, wanted, schema, definitions):
            return False
    return True


def _ref(value: Any, wanted: str, _: Any, definitions: Mapping[str, Any]) -> bool:
    begin, _, name = wanted.rpartition("/")
    if begin != "#/$defs" or name not in definitions:
        raise _Unsure
    return _fits(value, definitions[name], definitions)


def _type(value: Any, wanted: str | list[str], *_: Any) -> bool:
    return any(_IS[name](value) for name in ([wanted] if isinstance(wanted, str) else wanted))


_IS: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}


def _properties(value: Any, wanted: Mapping[str, Any], _: Any, definitions: Mapping[str, Any]) -> bool:
    return not isinstance(value, dict) or all(
        _fits(one, wanted[name], definitions) for name, one in value.items() if name in wanted
    )


def _additional(value: Any, wanted: Any, schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> bool:
    if "patternProperties" in schema:
        raise _Unsure
    named = schema.get("properties", {})
    return not isinstance(value, dict) or all(
        _fits(one, wanted, definitions) for name, one in value.items() if name not in named
    )


def _names(value: Any, wanted: Any, _: Any, definitions: Mapping[str, Any]) -> bool:
    return not isinstance(value, dict) or all(_fits(name, wanted, definitions) for name in value)


def _required(value: Any, wanted: list[str], *_: Any) -> bool:
    return not isinstance(value, dict) or all(name in value for name in wanted)


def _dependent(value: Any, wanted: Mapping[str, list[str]], *_: Any) -> bool:
    return not isinstance(value, dict) or all(
        other in value for name, others in wanted.items() if name in value for other in others
    )


def _items(value: Any, wanted: Any, schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> bool:
    if "prefixItems" in schema:
        raise _Unsure
    return not isinstance(value, list) or all(_fits(one, wanted, definitions) for one in value)


def _condition(value: Any, wanted: Any, schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> bool:
    branch = "then" if _fits(value, wanted, definitions) else "else"
    return _fits(value, schema.get(branch, True), definitions)


def _one_of(value: Any, wanted: list[Any], _: Any, definitions: Mapping[str, Any]) -> bool:
    return sum(_fits(value, one, definitions) for one in wanted) == 1


def _any_of(value: Any, wanted: list[Any], _: Any, definitions: Mapping[str, Any]) -> bool:
    return any(_fits(value, one, definitions) for one in wanted)


def _not(value: Any, wanted: Any, _: Any, definitions: Mapping[str, Any]) -> bool:
    return not _fits(value, wanted, definitions)


def _enum(value: Any, wanted: list[Any], *_: Any) -> bool:
    return any(_const(value, one) for one in wanted)


def _const(value: Any, wanted: Any, *_: Any) -> bool:
    if not isinstance(wanted, _SCALARS):
        raise _Unsure
    # To JSON true is not 1.
    return isinstance(value, bool) == isinstance(wanted, bool) and bool(value == wanted)


def _pattern(value: Any, wanted: str, *_: Any) -> bool:
    return not isinstance(value, str) or whole(wanted).search(value) is not None


@cache
def whole(pattern: str) -> re.Pattern[str]:
    """A pattern of a schema; Python's $ also matches before a last newline, the schema's does not."""
    return re.compile(pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern)


def _least(value: Any, wanted: float, *_: Any) -> bool:
    return not _IS["number"](value) or bool(value >= wanted)


def _most(value: Any, wanted: float, *_: Any) -> bool:
    return not _IS["number"](value) or bool(value <= wanted)


def _shortest(value: Any, wanted: int, *_: Any) -> bool:
    return not isinstance(value, str) or len(value) >= wanted


def _longest(value: Any, wanted: int, *_: Any) -> bool:
    return not isinstance(value, str) or len(value) <= wanted


def _fewest(value: Any, wanted: int, *_: Any) -> bool:
    return not isinstance(value, list) or len(value) >= wanted


_CHECKS: Mapping[str, Callable[[Any, Any, Mapping[str, Any], Mapping[str, Any]], bool]] = {
    "$ref": _ref,
    "type": _type,
    "properties": _properties,
    "additionalProperties": _additional,
    "propertyNames": _names,
    "required": _required,
    "dependentRequired": _dependent,
    "items": _items,
    "minItems": _fewest,
    "if": _condition,
    "oneOf": _one_of,
    "anyOf": _any_of,
    "not": _not,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "minimum": _least,
    "maximum": _most,
    "minLength": _shortest,
    "maxLength": _longest,
}
