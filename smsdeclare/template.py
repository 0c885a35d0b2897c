"""MiniJinja, strict, with fuel; what a text needs, and the text for one receiver.

MiniJinja's own strictness lets holes through: in 3.1 `[a]`, `a|length`, `a|urlencode` and `a is string` all pass
for an `a` that is missing. So a reader of our own goes over each text first and lets through only a part of the
language that is tight: values are texts, figures and yes or no, never lists, maps or none, and every filter but
`default` is ours and refuses what is missing.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from smsdeclare import codes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from smsdeclare.codes import Code

#: Characters.
SOURCE_LIMIT, TEXT_LIMIT = 20_000, 10_000
#: MiniJinja counts about one for each step, and one for each byte that `*` repeats.
_FUEL = 3 * SOURCE_LIMIT
_DEPTH = 40

_TAG = re.compile(r"\{[{%#]")
#: Comments and `raw`, as MiniJinja's lexer takes them; nothing in them is read.
_SKIPPED = re.compile(
    r"\{\#.*?\#\} | \{%[-+]?\s*raw\s*[-+]?%\} .*? \{%[-+]?\s*endraw\s*[-+]?%\}", re.VERBOSE | re.DOTALL | re.ASCII
)
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+) | (?P<end>[-+]?(?:\}\}|%\}))
      | (?P<text>'(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*") | (?P<figure>[0-9]{1,15}(?:\.[0-9]{1,15})?(?![\w.]))
      | (?P<name>[^\W\d]\w*) | (?P<sign>[=!<>]= | // | \*\* | [-+*/%~<>=|.,:()\[\]{}])""",
    re.VERBOSE | re.DOTALL,
)
_STATEMENTS = ("if", "elif", "else", "endif")
_CONSTANTS = ("true", "false", "True", "False")
_INFIX = frozenset("+ - * / // % ~ == != < > <= >= and or in if else".split())
_KEYWORDS = (*_CONSTANTS, "and", "or", "not", "in", "is", "if", "else")
#: Where one of these stands, more than its being printed hangs on a value.
_DECIDING = frozenset({*_INFIX - frozenset("+-*/%~"), "elif", "is", "not", "length"})
_TESTS = ("defined", "endingwith", "startingwith", "undefined")

#: C0 but newline, DEL, C1, and halves of surrogate pairs, which no UTF-8 can carry.
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_FIGURE = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?")


class TemplateProblem(ValueError):  # noqa: N818 - it also says what is wrong with a receiver's values
    """A text can't be used, or not for this receiver. `detail` never holds a receiver's value."""

    def __init__(self, code: Code, detail: str, offset_line: int | None = None) -> None:
        super().__init__(detail)
        #: TEMPLATE_SYNTAX, TEMPLATE_FORBIDDEN, TEMPLATE_HOLE, TEMPLATE_FAILED, TEXT_EMPTY or TEXT_CONTROL.
        self.code = code
        self.detail = detail
        #: The line within the text, from 1, where it is known.
        self.offset_line = offset_line


class _Missing(Exception):  # noqa: N818 - never leaves this module
    """A filter or test was given what is not there."""


class _Misfit(Exception):  # noqa: N818 - never leaves this module
    """A filter was given what it can't work on; the message names no value."""


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


class _Use(NamedTuple):
    """One place where a text uses a value."""

    name: str
    is_column: bool
    line: int
    #: Whether `default` or `is defined` follows.
    guarded: bool
    #: Whether a condition hangs on it.
    decides: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A text of which all that can be checked without receivers has been checked."""

    source: str
    #: The variables it uses, `row` not counted.
    names: frozenset[str]
    #: The columns it uses as `row['…']` or `row.x`.
    row_columns: frozenset[str]
    _uses: tuple[_Use, ...] = field(repr=False)
    #: None where there is nothing to render.
    _renderer: Callable[..., str] | None = field(repr=False, compare=False)

    @property
    def is_plain(self) -> bool:
        """Whether it has no template syntax at all."""
        return self._renderer is None

    def render(self, own: Mapping[str, str], variables: Mapping[str, str]) -> str:
        """The text for one receiver, whose own values win over `variables`. Raises TemplateProblem.

        What is not in the mappings is missing, which is an error unless the text provides for it.
        """
        if self._renderer is None:
            return _checked(_as_written(self.source))
        values: dict[str, Any] = {}
        for name in self.names:
            if name in own:
                values[name] = own[name]
            elif name in variables:
                values[name] = variables[name]
        if self.row_columns:
            values["row"] = {name: own[name] for name in self.row_columns if name in own}
        try:
            text = self._renderer("text", **values)
        # MiniJinja's errors, those of our filters, and Python's where a filter is called wrongly.
        except Exception as error:  # noqa: BLE001 - each becomes one that names no value
            raise self._explained(error, own, variables) from None
        return _checked(text)

    def sample(self, own_names: Collection[str], variables: Mapping[str, str]) -> str:
        """The text with a receiver's own values shown as `‹name›` and the variables' values filled in.

        As written where that can't be done: a condition hangs on an own value, or a filter wants a figure.
        """
        written = _as_written(self.source)
        own = {name: f"‹{name}›" for name in own_names}
        if any(use.decides and use.name in own for use in self._uses):
            return written
        try:
            text = self.render(own, variables)
        except TemplateProblem:
            return written
        rest = text.casefold()
        for use in self._uses:
            rest = rest.replace(f"‹{use.name}›".casefold(), "")
        # A filter such as `first` leaves half a placeholder behind.
        return written if "‹" in rest or "›" in rest else text

    def _explained(
        self, error: Exception, own: Mapping[str, str], variables: Mapping[str, str]
    ) -> TemplateProblem:
        kind, line, said = (getattr(error, name, None) for name in ("kind", "line", "detail"))
        missing = [
            use
            for use in self._uses
            if not use.guarded and use.name not in own and (use.is_column or use.name not in variables)
        ]
        here = [use for use in missing if use.line == line] or missing
        undefined = here and kind == "InvalidOperation" and (said is None or "undefined" in said)
        if isinstance(error, _Missing) or kind == "UndefinedError" or undefined:
            names = dict.fromkeys(f"`row['{use.name}']`" if use.is_column else f"`{use.name}`" for use in here)
            return TemplateProblem(codes.TEMPLATE_HOLE, ", ".join(names) or "a part of a value is missing", line)
        if isinstance(error, UnicodeError):
            return TemplateProblem(codes.TEXT_CONTROL, "half of a surrogate pair")
        if kind == "OutOfFuel":
            return TemplateProblem(codes.TEMPLATE_FAILED, "it computes too much", line)
        # MiniJinja's own words may quote a value, as in `unable to calculate 7 / 0`; ours do not.
        what = str(error) if isinstance(error, _Misfit) else "an operation does not fit its values"
        return TemplateProblem(codes.TEMPLATE_FAILED, what, line)


def compile_text(source: str) -> Template:
    """A text, checked. Raises TemplateProblem with TEMPLATE_SYNTAX or TEMPLATE_FORBIDDEN."""
    if len(source) > SOURCE_LIMIT:
        raise TemplateProblem(codes.TEMPLATE_SYNTAX, f"it is longer than {SOURCE_LIMIT:,} characters")
    uses = tuple(_uses(source))
    return Template(
        source=source,
        names=frozenset(use.name for use in uses if not use.is_column),
        row_columns=frozenset(use.name for use in uses if use.is_column),
        _uses=uses,
        _renderer=_renderer(source) if _TAG.search(source) else None,
    )


def _as_written(source: str) -> str:
    """`source` less one line break at its end, which MiniJinja drops: YAML's `|` leaves one there."""
    return source[:-1].removesuffix("\r") if source.endswith("\n") else source


def _checked(text: str) -> str:
    if not text or text.isspace():
        raise TemplateProblem(codes.TEXT_EMPTY, "only white space" if text else "")
    if len(text) > TEXT_LIMIT:
        raise TemplateProblem(codes.TEMPLATE_FAILED, f"it is longer than {TEXT_LIMIT:,} characters")
    if not text.isprintable() and (found := _CONTROL.search(text)):
        where = f"U+{ord(found.group()):04X}, character {found.start() + 1} of the text"
        raise TemplateProblem(codes.TEXT_CONTROL, where)
    return text


def _renderer(source: str) -> Callable[..., str]:
    from minijinja import Environment, TemplateError  # noqa: PLC0415 - 22 ms, and many projects have plain texts only

    environment = Environment(
        debug=False, fuel=_FUEL, undefined_behavior="strict", pycompat=False, finalizer=_printed
    )
    for name in environment.globals:
        environment.remove_global(name)
    for name, function in _FILTERS.items():
        environment.add_filter(name, function)
    environment.add_test("startingwith", lambda text, start: _text(text).startswith(_text(start)))
    environment.add_test("endingwith", lambda text, end: _text(text).endswith(_text(end)))
    try:
        environment.add_template("text", source)
    except TemplateError as error:
        raise TemplateProblem(codes.TEMPLATE_SYNTAX, error.detail or error.kind, error.line) from None
    except UnicodeError:
        raise TemplateProblem(codes.TEMPLATE_SYNTAX, "half of a surrogate pair") from None
    return environment.render_template


# What a text may say -------------------------------------------------------------------------------------------


def _uses(source: str) -> Iterator[_Use]:
    at = 0
    while tag := _TAG.search(source, at):
        if skipped := _SKIPPED.match(source, tag.start()):
            at = skipped.end()
            continue
        reader = _Reader(source, tag)
        at = reader.end
        yield from reader.uses


class _Reader:
    """Reads one tag; all that its grammar does not name is refused."""

    def __init__(self, source: str, tag: re.Match[str]) -> None:
        self._line = source.count("\n", 0, tag.start()) + 1
        self._closing = {"{{": "}}", "{%": "%}", "{#": "#}"}[tag.group()]
        self._tokens: list[_Token] = []
        self._place = self._depth = 0
        self.uses: list[_Use] = []
        self.end = self._tokenize(source, tag.end())
        self._decides = any(token.text in _DECIDING for token in self._tokens)
        statement = self._next() if self._closing == "%}" else "if"
        if statement not in _STATEMENTS:
            raise self._refusal(f"`{statement}` is not among {', '.join(_STATEMENTS)}, raw")
        if statement in ("if", "elif"):
            self._expression()
        if self._peek():
            raise self._refusal(f"`{self._peek()}` can't stand here")
