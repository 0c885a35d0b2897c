"""Workflow commands of GitHub Actions: annotations at the lines they are about."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from smsdeclare.formats.text import totals
from smsdeclare.redaction import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from smsdeclare.diagnostics import Diagnostic
    from smsdeclare.format import Style
    from smsdeclare.plan import Plan

#: GitHub shows so many annotations of a kind for each step; the rest is counted.
_SHOWN = 10


#: Kind, file, line, column, title, message.
_Row = tuple[str, str | None, int | None, int | None, str, str]


def plan(plan: Plan, style: Style) -> str:  # noqa: ARG001 - a plan holds nothing to hide
    """A plan: what breaks a rule, what is odd, and one line that counts."""
    found: list[_Row] = [("error", one.file, one.line, None, f"policy {one.rule}", one.told) for one in plan.violations]
    found += [("warning", one.file, one.line, one.column, one.code, one.message) for one in plan.warnings]
    found += [("notice", one.file, one.line, None, one.code, one.reason) for one in plan.skipped]
    return _commands([*found, ("notice", None, None, None, f"SMS plan for {plan.project}", totals(plan))])


def findings(
    found: Sequence[Diagnostic],
    style: Style,
    source: Callable[[str, int], str | None],  # noqa: ARG001 - GitHub shows the line itself
    *,
    valid: bool,
) -> str:
    """Errors and warnings at their places."""
    rows: list[_Row] = []
    for one in found:
        span = one.span
        file, line, column = (span.file, span.line, span.column) if span else (None, None, None)
        said = f"{one.message} {one.suggestion or one.code.help}".strip()
        rows.append((one.code.severity, file, line, column, one.code.id, style.masked(said)))
    return _commands(rows) + ("Valid.\n" if valid else "Not valid.\n")


def _commands(rows: Sequence[_Row]) -> str:
    return "".join(f"{line}\n" for line in _lines(rows))


def _lines(rows: Sequence[_Row]) -> Iterator[str]:
    counted = Counter[str]()
    for kind, file, line, column, title, message in rows:
        counted[kind] += 1
        if counted[kind] > _SHOWN:
            continue
        properties = {"file": file, "line": line, "col": column, "title": title}
        given = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items() if value is not None)
        yield f"::{kind} {given}::{_data(message)}"
    for kind, count in counted.items():
        if count > _SHOWN:
            yield f"{count - _SHOWN} more of kind {kind}; `smsdeclare validate` and `smsdeclare plan` show them all"


def _data(text: str) -> str:
    """Text of a command: no line break of its own, so that nothing in it can begin another command."""
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
