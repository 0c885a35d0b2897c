"""Span, Diagnostic: what is wrong, where, why, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from smsdeclare.codes import Code


class Span(NamedTuple):
    """A stretch of a file. Lines and columns count characters from 1; the end is exclusive."""

    #: As the user would type it: relative to the project's folder.
    file: str
    line: int
    column: int
    end_line: int
    end_column: int


class Related(NamedTuple):
    """A second place that explains the first."""

    span: Span
    label: str


class Diagnostic(NamedTuple):
    """One finding. The summary is the code's fixed text; `detail` says what is particular here.

    `detail` and `suggestion` may quote what the user wrote, raw: whoever shows them masks numbers and escapes.
    """

    code: Code
    detail: str
    span: Span | None = None
    #: Where in the data: `messages.welcome.text`; empty where that means nothing.
    path: str = ""
    #: What to do next, as a full sentence.
    suggestion: str = ""
    related: tuple[Related, ...] = ()
    #: The provider's own number for the request (`X-Ovh-QueryID`).
    query_id: str = ""

    @property
    def is_error(self) -> bool:
        """Whether it stops the command."""
        return self.code.severity == "error"

    @property
    def message(self) -> str:
        """Summary and detail in one sentence or two."""
        return f"{self.code.summary}: {self.detail}" if self.detail else self.code.summary


def by_place(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sorted as a reader goes through the files; those without a place come last. Duplicates leave."""
    unique = dict.fromkeys(diagnostics)
    return sorted(
        unique,
        key=lambda d: (
            d.span is None,
            d.span or Span(file="", line=0, column=0, end_line=0, end_column=0),
            d.code.id,
        ),
    )
