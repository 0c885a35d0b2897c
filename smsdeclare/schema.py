"""JSON schema errors → diagnostics in plain words; and where the schemas are."""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from smsdeclare import codes
from smsdeclare.acceptance import fits, whole
from smsdeclare.diagnostics import Diagnostic, Related, by_place
from smsdeclare.files import MOST_DIAGNOSTICS, short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

    from smsdeclare.codes import Code
    from smsdeclare.diagnostics import Span
    from smsdeclare.document import Document, Route

Kind = Literal["root", "part", "policy", "policyFile"]

_NAME = "definitions.v1"
_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}
#: What people bring from OVHcloud's other calls (`/batches`) and from other tools.
_OTHER_SPELLINGS = {
    "noStop": "noStopClause",
    "from": "sender",
    "deferred": "sendAt",
    "message": "text",
    "body": "text",
    "recipients": "to",
}


def schema_path(name: str) -> Path:
    """The file of the schema `definitions.v1`, say: beside the code once installed, else in schemas/."""
    folder = Path(__file__).parent / "schemas"
    if not folder.is_dir():
        folder = Path(__file__).parent.parent / "schemas"
    return folder / f"{name}.schema.json"


def load_schema(name: str) -> dict[str, Any]:
    """A schema as plain data. Raises FileNotFoundError for one that does not exist."""
    schema: dict[str, Any] = json.loads(schema_path(name).read_text("utf-8"))
    return schema


def validate(document: Document, *, kind: Kind) -> list[Diagnostic]:
    """What is wrong with the structure of a file, in the order of the file: one diagnostic a mistake.

    `kind` says whether it is a project's root file, one of the others, or a policy from outside.
    """
    if fits(document.data, {"$ref": f"#/$defs/{kind}"}, _definitions()):
        return []
    found: list[Diagnostic] = []
    seen: set[Route] = set()
    for error in islice(_validator(kind).iter_errors(document.data), MOST_DIAGNOSTICS):
        found += _Reading(document, error).diagnostics(seen)
    return by_place(found)


@cache
def _validator(kind: Kind) -> Validator:
    from jsonschema import Draft202012Validator, ValidationError, validators  # noqa: PLC0415 - takes 0.1 s

    def pattern(_: Any, wanted: str, instance: Any, __: Any) -> Iterator[ValidationError]:
        if isinstance(instance, str) and not whole(wanted).search(instance):
            yield ValidationError("does not match")

    def is_integer(_: Any, instance: Any) -> bool:
        # JSON schema takes 1.0 for an integer; a revision 1.0 would be another one than 1.
        return isinstance(instance, int) and not isinstance(instance, bool)

    types = Draft202012Validator.TYPE_CHECKER.redefine("integer", is_integer)
    extend: Any = validators.extend
    validator = extend(Draft202012Validator, {"pattern": pattern}, type_checker=types)
    built: Validator = validator({"$ref": f"#/$defs/{kind}", "$defs": _definitions()})
    return built


@cache
def _definitions() -> dict[str, Any]:
    definitions: dict[str, Any] = load_schema(_NAME)["$defs"]
    return definitions


class _Reading:
    """One error of the validator, put into words."""

    def __init__(self, document: Document, error: ValidationError) -> None:
        self.document = document
        self.route: Route = tuple(error.absolute_path)
        self.keyword = str(error.validator)
        self.wanted: Any = error.validator_value
        self.value: Any = error.instance
        self.schema: dict[str, Any] = error.schema if isinstance(error.schema, dict) else {}
        self.about_key = "propertyNames" in error.absolute_schema_path

    def diagnostics(self, seen: set[Route]) -> list[Diagnostic]:
        """None for a second error about a value of `seen`: its type is wrong, the rest follows from that."""
        match self.keyword:
            case "oneOf" | "not" if not isinstance(self.value, dict):
                # What is no mapping has, for the schema, every key that it asks for. Its type is reported.
                found = []
            case "additionalProperties":
                allowed = self.schema.get("properties", {})
                found = [self._unknown_key(key, allowed) for key in self.value if key not in allowed]
            case "required":
                found = [self._missing(key) for key in self.wanted if key not in self.value]
            case "dependentRequired":
                found = list(self._dependent())
            case "oneOf":
                found = [self._sources()]
            case "not":
                first, second = self.wanted["required"]
                found = [self._not_together(self.route, second, first)]
            case _ if self.about_key:
                route = (*self.route, str(self.value))
                found = [self._bad_name(route, self.document.key_span(route))]
            case _:
                found = [] if self.route in seen else [self._bad_value()]
                seen.add(self.route)
        return found

    def _bad_value(self) -> Diagnostic:
        if self.keyword == "type":
            return self._wrong_type()
        if self.wanted == _definitions()["name"]["pattern"]:
            return self._bad_name(self.route, self.document.span(self.route))
        return self._wrong_value()

    def _unknown_key(self, key: str, allowed: dict[str, Any]) -> Diagnostic:
        route = (*self.route, key)
        if key == "tag" and "noStopClause" in allowed:
            return self._about_key(codes.TAG_RESERVED, route, "")
        if not self.route and key in _definitions()["root"]["properties"]:
            return self._about_key(codes.ROOT_ONLY, route, f"`{key}`")
        free = {_folded(name): name for name in allowed if name not in self.value}
        near = difflib.get_close_matches(_folded(key), free, n=1)
        other = _OTHER_SPELLINGS.get(key)
        if key == "<<":
            suggestion = "YAML 1.2 merges no mappings: write their keys out, or name them under `options`."
        elif other in free.values():
            suggestion = f"Did you mean `{other}`?"
        elif "options" in allowed and key in _definitions()["options"]["properties"]:
            suggestion = f"Put `{key}` under `options`."
        elif near:
            suggestion = f"Did you mean `{free[near[0]]}`?"
        else:
            suggestion = f"Allowed here: {_listed(allowed)}."
        return self._about_key(codes.UNKNOWN_KEY, route, f"`{short(key)}`", suggestion)

    def _missing(self, key: str) -> Diagnostic:
        described = self.schema.get("properties", {}).get(key, {})
        if "$ref" in described and "examples" not in described:
            described = _definitions()[described["$ref"].rpartition("/")[2]]
        example = next((e for e in described.get("examples", ()) if isinstance(e, str | int)), None)
        suggestion = f"For example: `{key}: {json.dumps(example, ensure_ascii=False)}`." if example else ""
        return Diagnostic(
            code=codes.MISSING_KEY,
            detail=f"`{key}`",
            span=self.document.key_span(self.route),
            path=dotted((*self.route, key)),
            suggestion=suggestion,
        )

    def _dependent(self) -> Iterator[Diagnostic]:
        for key, needed in self.wanted.items():
            for other in needed:
                if key not in self.value or other in self.value:
                    continue
                source = next((name for name in ("numbers", "union") if name in self.value), None)
                if other == "csv" and source:
                    yield self._not_together(self.route, key, source)
                elif other != "csv":
                    # Where no source stands at all, that is the mistake, and it is reported.
                    yield self._missing(other)

    def _sources(self) -> Diagnostic:
        sources = [branch["required"][0] for branch in self.wanted]
        given = [name for name in self.value if name in sources]
        if given:
            return self._not_together(self.route, given[1], given[0])
        suggestion = "Say where the receivers come from."
        return self._about_key(codes.MISSING_KEY, self.route, f"one of {_listed(sources)}", suggestion)

    def _not_together(self, route: Route, key: str, other: str) -> Diagnostic:
        first = Related(span=self.document.key_span((*route, other)), label=f"`{other}` stands here")
        detail = f"`{key}` does not go with `{other}`"
        return self._about_key(codes.NOT_TOGETHER, (*route, key), detail, related=(first,))

    def _wrong_type(self) -> Diagnostic:
        wanted = [self.wanted] if isinstance(self.wanted, str) else self.wanted
        found = _type_of(self.value)
        detail = f"expected {_either([_TYPES[name] for name in wanted])}, found {_TYPES[found]}"
        return self._about_value(codes.WRONG_TYPE, detail, self._retype(wanted, found))

    def _retype(self, wanted: list[str], found: str) -> str:
        """What to write instead; empty where that is anybody's guess."""
        written = "" if found in ("object", "array") else short(self.document.written(self.route))
        # Where a phone number may stand, the schema gives one as an example.
        takes_numbers = any(str(example).startswith("+") for example in self.schema.get("examples", ()))
        suggestion = ""
        if found == "null":
            suggestion = "Fill it in or remove the key."
        elif found == "integer" and takes_numbers:
            suggestion = f'Quote it and begin with +: "+{written}".'
        elif "string" in wanted and found in ("integer", "number", "boolean"):
            suggestion = f'Quote it: "{written}".'
        elif wanted == ["array"] and found == "string":
            suggestion = f"Write a list: [{written}]."
        elif wanted == ["boolean"] and written.lower() in ("yes", "on", "true"):
            suggestion = "Write `true`."
        elif wanted == ["boolean"] and written.lower() in ("no", "off", "false"):
            suggestion = "Write `false`."
        elif wanted[0] in ("integer", "number") and re.fullmatch(r"[0-9]+(\.0+)?", written):
            suggestion = f"Write {written.partition('.')[0]}, without quotes or decimals."
        return suggestion

    def _wrong_value(self) -> Diagnostic:
        quoted = "" if isinstance(self.value, list | dict) else f"`{short(self.document.written(self.route))}`"
        suggestion = ""
        match self.keyword:
            case "enum":
                detail = f"{quoted} is none of {_listed(self.wanted)}"
                folded = {_folded(name): name for name in self.wanted}
                near = difflib.get_close_matches(_folded(str(self.value)), folded, n=1)
                suggestion = f"Did you mean `{folded[near[0]]}`?" if near else ""
            case "const":
                detail = f"{quoted} is not {self.wanted}, the only value allowed"
            case "minimum":
                detail = f"{quoted} is less than {self.wanted}"
            case "minLength":
                detail = "the text is empty"
            case "minItems":
                detail = "the list is empty"
            case "maxLength":
                detail = f"{quoted} is longer than {self.wanted} character{'s' if self.wanted > 1 else ''}"
            case _:
                detail = f"{quoted} is not in the right form"
                suggestion = f"{self.schema['description']} For example: {self.schema['examples'][0]}"
        return self._about_value(codes.WRONG_VALUE, detail, suggestion)

    def _bad_name(self, route: Route, span: Span) -> Diagnostic:
        name = str(self.value)
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
        better = re.sub(r"[^A-Za-z0-9_]+", "-", plain).lstrip("-_0123456789")[:63].rstrip("-_")
        better = better[:1].lower() + better[1:]
        suggestion = f"For example: `{better}`." if better else ""
        detail = f"`{short(name)}`"
        return Diagnostic(code=codes.BAD_NAME, detail=detail, span=span, path=dotted(route), suggestion=suggestion)

    def _about_key(
        self,
        code: Code,
        route: Route,
        detail: str,
        suggestion: str = "",
        *,
        related: tuple[Related, ...] = (),
    ) -> Diagnostic:
        span = self.document.key_span(route)
        return Diagnostic(
            code=code, detail=detail, span=span, path=dotted(route), suggestion=suggestion, related=related
        )

    def _about_value(self, code: Code, detail: str, suggestion: str) -> Diagnostic:
        span = self.document.span(self.route)
        return Diagnostic(code=code, detail=detail, span=span, path=dotted(self.route), suggestion=suggestion)


def dotted(route: Route) -> str:
    """`("messages", "welcome", "to", 0)` as `messages.welcome.to[0]`; long keys cut."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{short(step)}" for step in route)
    return "".join(steps).removeprefix(".")


def _type_of(value: Any) -> str:
    types = {
        type(None): "null",
        bool: "boolean",
        int: "integer",
        float: "number",
        str: "string",
        list: "array",
    }
    return types.get(type(value), "object")


def _folded(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _listed(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _either(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]
