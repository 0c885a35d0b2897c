"""MiniJinja, strict, with fuel; what a text needs, and the text for one receiver.

MiniJinja's own strictness lets holes through: in 3.1 `[a]`, `a|length`, `a|urlencode` and `a is string` all
pass for an `a` that is missing. So a reader of our own goes over each text and lets through only a part of the
language that is tight: values are texts, figures and yes or no, never lists, maps or none, and every filter
but `default` is ours and refuses what is missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from smsdeclare import codes
from smsdeclare.template_filters import FILTERS, TESTS, TEXT_LIMIT, Misfit, Missing, printed
from smsdeclare.template_reader import TAG, TemplateProblem, Use, uses

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence


#: Characters.
SOURCE_LIMIT = 20_000
#: MiniJinja counts about one for each step, and one for each byte that `*` repeats.
_FUEL = 3 * SOURCE_LIMIT
#: C0 but newline, DEL, C1, and halves of surrogate pairs; MiniJinja turns those into U+FFFD, which in any other
#: text, too, stands where a character was lost.
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffd]")
#: A tag that prints one value and does no more.
_PRINTS = re.compile(r"\{\{[ \t\r\n]*([^\W\d]\w*)[ \t\r\n]*\}\}")


class _Blanks(NamedTuple):
    """A text whose tags print values and do no more: it is filled in, which takes a sixth of the time."""

    #: With `%s` where a value goes.
    pattern: str
    #: Whose values go there, in order.
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A text of which all that can be checked without receivers has been checked."""

    source: str
    #: The variables it uses, `row` not counted.
    names: frozenset[str]
    #: The columns it uses as `row['…']` or `row.x`.
    row_columns: frozenset[str]
    _uses: tuple[Use, ...] = field(repr=False)
    #: None where there is nothing to render.
    _renderer: Callable[..., str] | None = field(repr=False, compare=False)
    #: None where more is to be done than to fill in values.
    _blanks: _Blanks | None = field(default=None, repr=False, compare=False)

    @property
    def is_plain(self) -> bool:
        """Whether it has no template syntax at all."""
        return self._renderer is None

    @property
    def is_conditional(self) -> bool:
        """Whether it hangs on some value which text there is."""
        return any(use.decides for use in self._uses)

    def render(self, own: Mapping[str, str], variables: Mapping[str, str]) -> str:
        """The text for one receiver, whose own values win over `variables`. Raises TemplateProblem.

        What is not in the mappings is missing, which is an error unless the text provides for it.
        """
        if self._renderer is None:
            return _checked(_as_written(self.source))
        if self._blanks is not None:
            try:
                return _checked(_filled(self._blanks, own, variables))
            except (KeyError, TemplateProblem):
                pass  # below, MiniJinja has the word
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
        if isinstance(error, Missing) or kind == "UndefinedError" or undefined:
            names = dict.fromkeys(f"`row['{use.name}']`" if use.is_column else f"`{use.name}`" for use in here)
            what = ", ".join(names) or "a part of a value"
            detail = f"{what} {'are' if len(names) > 1 else 'is'} missing"
            return TemplateProblem(codes.TEMPLATE_HOLE, detail, line, tuple(use.name for use in here))
        if kind == "OutOfFuel":
            return TemplateProblem(codes.TEMPLATE_FAILED, "it computes too much", line)
        # MiniJinja's own words may quote a value, as in `unable to calculate 7 / 0`; ours do not.
        what = str(error) if isinstance(error, Misfit) else "an operation does not fit its values"
        return TemplateProblem(codes.TEMPLATE_FAILED, what, line)


def compile_text(source: str) -> Template:
    """A text, checked. Raises TemplateProblem with TEMPLATE_SYNTAX or TEMPLATE_FORBIDDEN."""
    if len(source) > SOURCE_LIMIT:
        raise TemplateProblem(codes.TEMPLATE_SYNTAX, f"it is longer than {SOURCE_LIMIT:,} characters")
    renderer = _renderer(source) if TAG.search(source) else None
    found = tuple(uses(source)) if renderer else ()
    return Template(
        source=source,
        names=frozenset(use.name for use in found if not use.is_column),
        row_columns=frozenset(use.name for use in found if use.is_column),
        _uses=found,
        _renderer=renderer,
        _blanks=_blanks(source, found),
    )


def _blanks(source: str, found: Sequence[Use]) -> _Blanks | None:
    """The text as one with blanks, if it is no more than that."""
    *texts, last = _PRINTS.split(source)
    literals, names = (*texts[::2], _as_written(last)), tuple(texts[1::2])
    if not names or any(TAG.search(literal) for literal in literals) or names != tuple(use.name for use in found):
        return None
    return _Blanks("%s".join(literal.replace("%", "%%") for literal in literals), names)


def _filled(blanks: _Blanks, own: Mapping[str, str], variables: Mapping[str, str]) -> str:
    return blanks.pattern % tuple([own[name] if name in own else variables[name] for name in blanks.names])


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

    environment = Environment(debug=False, fuel=_FUEL, undefined_behavior="strict", pycompat=False, finalizer=printed)
    for name in environment.globals:
        environment.remove_global(name)
    for name, function in FILTERS.items():
        environment.add_filter(name, function)
    for name, test in TESTS.items():
        environment.add_test(name, test)
    try:
        environment.add_template("text", source)
    except TemplateError as error:
        raise TemplateProblem(codes.TEMPLATE_SYNTAX, error.detail or error.kind, error.line) from None
    except UnicodeError:
        raise TemplateProblem(codes.TEMPLATE_SYNTAX, "half of a surrogate pair") from None
    return environment.render_template
