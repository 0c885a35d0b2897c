"""MiniJinja, strict, with fuel; what a text needs, and the text for one receiver.

MiniJinja's own strictness lets holes through: in 3.1 `[a]`, `a|length`, `a|urlencode` and `a is string` all
pass for an `a` that is missing. So a reader of our own goes over each text and lets through only a part of the
language that is tight: values are texts, figures and yes or no, never lists, maps or none, and every filter
but `default` is ours and refuses what is missing.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, cast
from urllib.parse import quote

from smsdeclare import codes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from smsdeclare.codes import Code

#: Characters.
SOURCE_LIMIT, TEXT_LIMIT = 20_000, 10_000
#: MiniJinja counts about one for each step, and one for each byte that `*` repeats.
_FUEL = 3 * SOURCE_LIMIT

_TAG = re.compile(r"\{[{%#]")
#: Comments and `raw`, as MiniJinja's lexer takes them; nothing in them is read.
_SKIPPED = re.compile(
    r"\{\#.*?\#\} | \{%[-+]?\s*raw\s*[-+]?%\} .*? \{%[-+]?\s*endraw\s*[-+]?%\}",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+) | (?P<end>[-+]?(?:\}\}|%\}))
      | (?P<text>'(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*") | (?P<figure>[0-9]{1,15}(?:\.[0-9]{1,15})?(?![\w.]))
      | (?P<name>[^\W\d]\w*) | (?P<sign>[=!<>]= | // | \*\* | [-+*/%~<>=|.,:()\[\]{}])""",
    re.VERBOSE | re.DOTALL,
)
_CONDITIONAL = ("if", "elif")
_STATEMENTS = (*_CONDITIONAL, "else", "endif")
_CONSTANTS = ("true", "false", "True", "False")
_CONDITIONS = frozenset({"==", "!=", "<", ">", "<=", ">=", "and", "or", "in", "if", "else"})
_INFIX = _CONDITIONS | {"+", "-", "*", "/", "//", "%", "~", "**"}
_KEYWORDS = (*_CONSTANTS, "and", "or", "not", "in", "is", "if", "else")
#: Where one of these stands, more than its being printed hangs on a value.
_DECIDING = _CONDITIONS | {"elif", "is", "not", "length"}
_TESTS = ("defined", "endingwith", "startingwith", "undefined")

#: C0 but newline, DEL, C1, and halves of surrogate pairs; MiniJinja turns those into U+FFFD, which in any other
#: text, too, stands where a character was lost.
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffd]")
_FIGURE = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?")


class TemplateProblem(ValueError):
    """A text can't be used, or not for this receiver. `detail` never holds a receiver's value."""

    def __init__(self, code: Code, detail: str, offset_line: int | None = None) -> None:
        super().__init__(detail)
        #: TEMPLATE_SYNTAX, TEMPLATE_FORBIDDEN, TEMPLATE_HOLE, TEMPLATE_FAILED, TEXT_EMPTY or TEXT_CONTROL.
        self.code = code
        self.detail = detail
        #: The line within the text, from 1, where it is known.
        self.offset_line = offset_line


class _Missing(Exception):
    """A filter or test was given what is not there."""


class _Misfit(Exception):
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
        """The text with a receiver's own values shown as their names in angle quotes, variables filled in.

        As written where that can't be done: a condition hangs on an own value, or a filter wants a figure.
        """
        written = _as_written(self.source)
        own = {name: _placeholder(name) for name in own_names}
        if any(use.decides and use.name in own for use in self._uses):
            return written
        try:
            text = self.render(own, variables)
        except TemplateProblem:
            return written
        rest = text.casefold()
        for use in self._uses:
            rest = rest.replace(_placeholder(use.name).casefold(), "")
        # A filter such as `first` leaves half a placeholder behind.
        return written if "\u2039" in rest or "\u203a" in rest else text

    def _explained(self, error: Exception, own: Mapping[str, str], variables: Mapping[str, str]) -> TemplateProblem:
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
            what = ", ".join(names) or "a part of a value"
            detail = f"{what} {'are' if len(names) > 1 else 'is'} missing"
            return TemplateProblem(codes.TEMPLATE_HOLE, detail, line)
        if kind == "OutOfFuel":
            return TemplateProblem(codes.TEMPLATE_FAILED, "it computes too much", line)
        # MiniJinja's own words may quote a value, as in `unable to calculate 7 / 0`; ours do not.
        what = str(error) if isinstance(error, _Misfit) else "an operation does not fit its values"
        return TemplateProblem(codes.TEMPLATE_FAILED, what, line)


def compile_text(source: str) -> Template:
    """A text, checked. Raises TemplateProblem with TEMPLATE_SYNTAX or TEMPLATE_FORBIDDEN."""
    if len(source) > SOURCE_LIMIT:
        raise TemplateProblem(codes.TEMPLATE_SYNTAX, f"it is longer than {SOURCE_LIMIT:,} characters")
    renderer = _renderer(source) if _TAG.search(source) else None
    uses = tuple(_uses(source)) if renderer else ()
    return Template(
        source=source,
        names=frozenset(use.name for use in uses if not use.is_column),
        row_columns=frozenset(use.name for use in uses if use.is_column),
        _uses=uses,
        _renderer=renderer,
    )


def _as_written(source: str) -> str:
    """`source` less one line break at its end, which MiniJinja drops: YAML's `|` leaves one there."""
    return source.removesuffix("\n").removesuffix("\r")


def _placeholder(name: str) -> str:
    return f"\u2039{name}\u203a"


def _checked(text: str) -> str:
    if not text or text.isspace():
        raise TemplateProblem(codes.TEXT_EMPTY, "only white space" if text else "")
    if len(text) > TEXT_LIMIT:
        raise TemplateProblem(codes.TEMPLATE_FAILED, f"it is longer than {TEXT_LIMIT:,} characters")
    if (not text.isprintable() or "\ufffd" in text) and (found := _CONTROL.search(text)):
        where = f"U+{ord(found.group()):04X}, character {found.start() + 1} of the text"
        raise TemplateProblem(codes.TEXT_CONTROL, where)
    return text


def _renderer(source: str) -> Callable[..., str]:
    # Here, since it takes 22 ms to import and many projects have plain texts only.
    from minijinja import Environment, TemplateError  # noqa: PLC0415

    environment = Environment(debug=False, fuel=_FUEL, undefined_behavior="strict", pycompat=False, finalizer=_printed)
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


# The part of the language that is let through ----------------------------------------------------


def _uses(source: str) -> Iterator[_Use]:
    """Every use of a value, in order, in a text that MiniJinja can parse."""
    at = 0
    while tag := _TAG.search(source, at):
        if skipped := _SKIPPED.match(source, tag.start()):
            at = skipped.end()
        else:
            reader = _Reader(source, tag)
            at = reader.end
            yield from reader.uses


class _Reader:
    """Reads one tag; what it does not name is refused. Precedence and syntax are MiniJinja's business."""

    def __init__(self, source: str, tag: re.Match[str]) -> None:
        self.uses: list[_Use] = []
        self.end = tag.end()
        self._line = source.count("\n", 0, tag.start()) + 1
        self._place = 0
        self._tokens = self._tokenize(source)
        self._decides = any(token.text in _DECIDING for token in self._tokens)
        if tag.group() == "{{" or self._next(_STATEMENTS).text in _CONDITIONAL:
            self._expression()
        if self._ahead():
            self._refuse("there are no functions" if self._ahead() == "(" else "")

    def _tokenize(self, source: str) -> list[_Token]:
        tokens: list[_Token] = []
        self.end += source[self.end : self.end + 1] in ("-", "+")
        while match := _TOKEN.match(source, self.end):
            self.end = match.end()
            if match.lastgroup == "end":
                return tokens
            if match.lastgroup != "space":
                tokens.append(_Token(str(match.lastgroup), match.group(), self._line))
            self._line += match.group().count("\n")
        odd = source[self.end : self.end + 1]
        figure = "figures are written plainly, with at most 15 digits"
        return self._refuse(figure if odd.isdigit() else f"`{odd}` can't stand in braces")

    def _ahead(self, distance: int = 0) -> str:
        place = self._place + distance
        return self._tokens[place].text if place < len(self._tokens) else ""

    def _next(self, known: Collection[str] = ()) -> _Token:
        """The next token, which must be one of `known` if any are given."""
        if self._place == len(self._tokens):
            self._refuse()
        token = self._tokens[self._place]
        self._line = token.line
        if known and token.text not in known:
            self._refuse(f"`{token.text}` is not among {', '.join(sorted(known))}")
        self._place += 1
        return token

    def _take(self, *wanted: str) -> bool:
        found = self._ahead() in wanted
        self._place += found
        return found

    def _refuse(self, detail: str = "") -> NoReturn:
        detail = detail or f"`{self._ahead()}` can't stand here"
        raise TemplateProblem(codes.TEMPLATE_FORBIDDEN, detail, self._line)

    def _expression(self) -> None:
        self._operand()
        while self._ahead() in _INFIX or self._ahead() == "not":
            self._take("not")
            if self._next().text == "in" and self._take("["):
                while not self._take("]"):
                    if self._next().kind not in ("text", "figure"):
                        self._refuse("a list holds only quoted texts and figures")
                    self._take(",")
            else:
                self._operand()

    def _operand(self) -> None:
        while self._take("not", "-", "+"):
            pass
        if self._ahead() in ("[", "{", "none", "None"):
            self._refuse(f"`{self._ahead()}`: values are texts, and lists stand only after `in`")
        token = self._next()
        if token.text == "(":
            self._expression()
            if not self._take(")"):
                self._refuse()
        elif token.kind == "name" and token.text not in _KEYWORDS:
            self._use(token)
        elif token.kind == "sign" or token.text in _INFIX:
            self._refuse(f"`{token.text}` can't stand here")
        while self._ahead() in ("|", "is", "["):
            self._suffix()

    def _use(self, token: _Token) -> None:
        name = self._column() if token.text == "row" else token.text
        after = [self._ahead(distance) for distance in range(3)]
        guarded = after[:2] in (["|", "default"], ["|", "d"], ["is", "defined"], ["is", "undefined"])
        guarded = guarded or after in (["is", "not", "defined"], ["is", "not", "undefined"])
        self.uses.append(_Use(name, token.text == "row", token.line, guarded, self._decides))

    def _column(self) -> str:
        dotted, bracket = self._take("."), self._take("[")
        if dotted or (bracket and self._ahead(1) == "]" and "\\" not in self._ahead()):
            token = self._next()
            if token.kind == ("name" if dotted else "text"):
                self._take("]")
                return token.text if dotted else token.text[1:-1]
        return self._refuse("`row` stands only with the name of one column: row['name']")

    def _suffix(self) -> None:
        if self._take("["):
            while not self._take("]"):
                if not self._take(":"):
                    self._expression()
            return
        is_filter = self._next().text == "|"
        if not is_filter:
            self._take("not")
        name = self._next((*_FILTERS, "d", "default") if is_filter else _TESTS).text
        if self._take("("):
            while not self._take(")"):
                self._place += 2 * (self._ahead(1) == "=")
                self._expression()
                self._take(",")
        elif name in ("startingwith", "endingwith"):
            self._operand()


# What a value may become ---------------------------------------------------------------------------------------


def _text(value: object) -> str:
    """A filter's input as text. None is how MiniJinja hands over what is missing."""
    if type(value) is str:
        return value
    if value is None:
        raise _Missing
    return str(_printed(value))


def _printed(value: object) -> object:
    """What a tag prints: as it is, but for what Python or MiniJinja would write their own way."""
    if type(value) is str:
        return value
    if value is None:
        # `x if y` without `else`; MiniJinja has refused by itself what is missing.
        return ""
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is float and math.isfinite(value):
        # MiniJinja hands over 2.0 as 2; so all whole figures print without a fraction, whoever hands them over.
        return int(value) if value.is_integer() else format(Decimal(repr(value)), "f")
    if type(value) is int:
        return value
    raise _Misfit("a tag prints something other than a text or a figure")


def _figure(value: object, default: object = _Misfit) -> int | float:
    if type(value) in (int, float):
        return cast("int | float", value)
    figure = _text(value).strip()
    if _FIGURE.fullmatch(figure):
        return float(figure) if "." in figure else int(figure)
    if default is _Misfit:
        raise _Misfit("a value is no figure")
    return _figure(default)


def _round(value: object, precision: object = 0) -> int | float:
    digits = _figure(precision)
    if value is None:
        raise _Missing
    if type(value) not in (int, float) or type(digits) is not int or not -15 <= digits <= 15:
        raise _Misfit("`round` takes a figure and the number of its decimals")
    return round(cast("int | float", value), digits)


def _replace(value: object, old: object, new: object) -> str:
    text, found, by = _text(value), _text(old), _text(new)
    # `replace` can multiply a text, and MiniJinja counts no fuel for what a filter does.
    if len(text) + text.count(found) * (len(by) - len(found)) > TEXT_LIMIT:
        raise _Misfit(f"`replace` makes more than {TEXT_LIMIT:,} characters")
    return text.replace(found, by)


def _truncate(
    value: object, length: object = 255, killwords: object = False, end: object = "...", leeway: object = 5
) -> str:
    """As in Jinja: up to `leeway` characters more than `length` stay as they are; `end` counts."""
    text, closing, most, spare = _text(value), _text(end), int(_figure(length)), int(_figure(leeway))
    if killwords is None:
        raise _Missing
    if len(text) <= most + spare:
        return text
    kept = text[: max(most - len(closing), 0)]
    return (kept if killwords else kept.rsplit(" ", 1)[0]) + closing


def _end(value: object, place: int) -> str:
    text = _text(value)
    if not text:
        raise _Missing
    return text[place]


_WORD = re.compile(r"[^\s\-({\[<]+")
_FILTERS: dict[str, Callable[..., object]] = {
    "abs": lambda value: abs(_figure(value)),
    "capitalize": lambda value: _text(value).capitalize(),
    "first": lambda value: _end(value, 0),
    "float": lambda value, default=_Misfit: float(_figure(value, default)),
    "int": lambda value, default=_Misfit: int(_figure(value, default)),
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
