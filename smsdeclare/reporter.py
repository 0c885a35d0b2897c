"""Collects what is wrong in a project's documents, each at its place."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic, Related
from smsdeclare.schema import dotted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from smsdeclare.codes import Code
    from smsdeclare.diagnostics import Span
    from smsdeclare.document import Document, Route
    from smsdeclare.project import Project


class Reporter:
    """What was found so far; begins with what reading the project found."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.found: list[Diagnostic] = list(project.found)

    def report(
        self, code: Code, detail: str, document: Document, route: Route, *, suggestion: str = "", key: bool = False
    ) -> None:
        """Report a value, or with `key` the key it stands under."""
        span = document.key_span(route) if key else document.span(route)
        self.found.append(Diagnostic(code=code, detail=detail, span=span, path=dotted(route), suggestion=suggestion))

    def unknown(self, document: Document, route: Route, name: str, known: Iterable[str], section: str) -> None:
        """Report a name that stands nowhere, unless it may stand in a file that is reported as not sound."""
        if (section, name) in self._project.elsewhere or not self._project.is_complete:
            return
        detail = f"nothing under `{section}` is called `{name}`"
        self.report(codes.UNKNOWN_NAME, detail, document, route, suggestion=did_you_mean(name, known))

    def no_effect(self, rule: str, span: Span, stricter: Span) -> None:
        """Report a rule from outside that is looser than the project's own."""
        first = Related(span=stricter, label="the stricter one")
        self.found.append(Diagnostic(code=codes.RULE_LOOSER, detail=f"`{rule}`", span=span, related=(first,)))

    def named(self, documents: Iterable[Document], section: str) -> Iterator[tuple[Document, str]]:
        """Each name of a section once, over all documents; the second of two is reported."""
        places: dict[str, Span] = {}
        for document in documents:
            for name in document.data.get(section) or {}:
                span = document.key_span((section, name))
                if name not in places:
                    places[name] = span
                    yield document, name
                    continue
                first = Related(span=places[name], label="first given here")
                path = dotted((section, name))
                self.found.append(
                    Diagnostic(code=codes.NAME_TWICE, detail=f"`{name}`", span=span, path=path, related=(first,))
                )


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question that names the nearest known name; empty where none is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"Did you mean `{near[0]}`?" if near else ""
