"""The part of MiniJinja's language that is let through: what it does not name is refused.

Values are texts, figures and yes or no, never lists, maps or none. Precedence and syntax are MiniJinja's business,
which parses each text first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from smsdeclare import codes
from smsdeclare.template_filters import FILTERS, TESTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from smsdeclare.codes import Code

TAG = re.compile(r"\{[{%#]")
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
_TESTS = ("defined", "undefined", *TESTS)


class TemplateProblem(ValueError):
    """A text can't be used, or not for this receiver. `detail` never holds a receiver's value."""

    def __init__(self, code: Code, detail: str, offset_line: int | None = None, missing: tuple[str, ...] = ()) -> None:
        super().__init__(detail)
        #: TEMPLATE_SYNTAX, TEMPLATE_FORBIDDEN, TEMPLATE_HOLE, TEMPLATE_FAILED, TEXT_EMPTY or TEXT_CONTROL.
        self.code = code
        self.detail = detail
        #: The line within the text, from 1, where it is known.
        self.offset_line = offset_line
        #: Names of the values and columns that a hole is about.
        self.missing = missing


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


class Use(NamedTuple):
    """One place where a text uses a value."""

    name: str
    is_column: bool
    line: int
    #: Whether `default` or `is defined` follows.
    guarded: bool
    #: Whether a condition hangs on it.
    decides: bool


def uses(source: str) -> Iterator[Use]:
    """Every use of a value, in order, in a text that MiniJinja can parse."""
    at = 0
    while tag := TAG.search(source, at):
        if skipped := _SKIPPED.match(source, tag.start()):
            at = skipped.end()
        else:
            reader = _Reader(source, tag)
            at = reader.end
            yield from reader.uses


class _Reader:
    """Reads one tag; what it does not name is refused. Precedence and syntax are MiniJinja's business."""

    def __init__(self, source: str, tag: re.Match[str]) -> None:
        self.uses: list[Use] = []
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
        self.uses.append(Use(name, token.text == "row", token.line, guarded, self._decides))

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
        name = self._next((*FILTERS, "d", "default") if is_filter else _TESTS).text
        if self._take("("):
            while not self._take(")"):
                self._place += 2 * (self._ahead(1) == "=")
                self._expression()
                self._take(",")
        elif name in TESTS:
            self._operand()
