"""Documents → Definitions: names, cross references, and what can't be said together."""

from __future__ import annotations

import difflib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from smsdeclare import codes, phone
from smsdeclare.definitions import (
    CsvSource,
    Definitions,
    InlineReceiver,
    Message,
    ProviderSettings,
    ReceiversList,
    StateSettings,
)
from smsdeclare.diagnostics import Diagnostic, Related, Span, by_place
from smsdeclare.errors import InputError
from smsdeclare.schema import dotted
from smsdeclare.template import Template, TemplateProblem, compile_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from smsdeclare.document import Document, Route
    from smsdeclare.project import Project

#: Part of the language, but nothing acts on them in this version: refused rather than ignored.
_NOT_YET: tuple[Route, ...] = (
    ("policy",),
    ("settle",),
    ("provider", "requestsPerMinute"),
    ("messages", "*", "sendAt"),
    ("messages", "*", "expiresAt"),
    ("messages", "*", "renamedFrom"),
    ("messages", "*", "maxCredits"),
)


def define(project: Project, overrides: Mapping[str, str] | None = None) -> Definitions:
    """Turn the documents of a project into definitions.

    `overrides` holds variables given from outside (`--var`, SMSDECLARE_VAR_…). Raises InputError with every
    problem at once.
    """
    return _Definer(project).define(overrides or {})


class _Definer:
    """Walks the documents once and collects what it finds wrong."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.documents = (project.root, *project.parts) if project.root else project.parts
        self.found: list[Diagnostic] = list(project.found)

    def define(self, overrides: Mapping[str, str]) -> Definitions:
        self._refuse_what_nothing_acts_on()
        variables = self._variables(overrides)
        receivers = {name: self._receivers(document, name) for document, name in self._named("receivers")}
        options = {name: self._options(document, ("options", name)) for document, name in self._named("options")}
        messages = [
            message
            for document, name in sorted(self._named("messages"), key=lambda found: found[1])
            if (message := self._message(document, name, options, receivers)) is not None
        ]
        self._check_lists(receivers)
        if any(finding.is_error for finding in self.found):
            raise InputError(*by_place(self.found))
        root = self.project.root
        if root is None:  # then something was found, and raised above
            raise InputError(*by_place(self.found))
        data = root.data
        provider = data["provider"]
        state = data.get("state", {})
        return Definitions(
            project=data["project"],
            folder=self.project.folder,
            root_file=root.file,
            timezone=data.get("timezone", "UTC"),
            provider=ProviderSettings(
                name=provider["name"],
                endpoint=provider.get("endpoint"),
                service=provider.get("service"),
                receivers_per_job=provider.get("receiversPerJob", 500),
            ),
            state=StateSettings(
                backend=state.get("backend", "file"),
                path=state.get("path"),
                allow_local_in_ci=state.get("allowLocalInCI", False),
            ),
            variables=MappingProxyType(variables),
            receivers=MappingProxyType(receivers),
            messages=tuple(messages),
            warnings=tuple(by_place(self.found)),
        )

    def _report(
        self,
        code: codes.Code,
        detail: str,
        document: Document,
        route: Route,
        *,
        suggestion: str = "",
        key: bool = False,
    ) -> None:
        span = document.key_span(route) if key else document.span(route)
        self.found.append(Diagnostic(code=code, detail=detail, span=span, path=dotted(route), suggestion=suggestion))

    def _refuse_what_nothing_acts_on(self) -> None:
        for document in self.documents:
            for pattern in _NOT_YET:
                for route in _matches(document.data, pattern):
                    self._report(codes.NOT_YET, f"`{route[-1]}`", document, route, key=True)
        root = self.project.root
        backend = root.data.get("state", {}).get("backend", "file") if root else "file"
        if root and backend != "file":
            self._report(codes.NOT_YET, f"backend {backend}", root, ("state", "backend"))

    def _named(self, section: str) -> Iterator[tuple[Document, str]]:
        """Each name of a section once, over all files; the second of two is reported."""
        places: dict[str, Span] = {}
        for document in self.documents:
            for name in document.data.get(section) or {}:
                span = document.key_span((section, name))
                if name in places:
                    first = Related(span=places[name], label="first given here")
                    self.found.append(
                        Diagnostic(
                            code=codes.NAME_TWICE,
                            detail=f"`{name}`",
                            span=span,
                            path=f"{section}.{name}",
                            related=(first,),
                        )
                    )
                else:
                    places[name] = span
                    yield document, name

    def _variables(self, overrides: Mapping[str, str]) -> dict[str, str]:
        root = self.project.root
        if root is None:
            return {}
        declared = root.data.get("variables") or {}
        values = {
            name: root.written(("variables", name, "default")).strip()
            for name, variable in declared.items()
            if variable and variable.get("default") is not None
        }
        for name, value in overrides.items():
            if name in declared:
                values[name] = value.strip()
            else:
                self.found.append(
                    Diagnostic(
                        code=codes.UNKNOWN_VARIABLE,
                        detail=f"`{name}`",
                        suggestion=_did_you_mean(name, declared),
                    )
                )
        return {name: value for name, value in values.items() if value}

    def _receivers(self, document: Document, name: str) -> ReceiversList:
        route: Route = ("receivers", name)
        data = document.data["receivers"][name]
        country = data.get("defaultCountry")
        numbers = [
            self._inline(document, (*route, "numbers", place), entry, country)
            for place, entry in enumerate(data.get("numbers", ()))
        ]
        return ReceiversList(
            name=name,
            span=document.key_span(route),
            default_country=country,
            numbers=tuple(receiver for receiver in numbers if receiver is not None),
            csv=self._csv(document, route, data) if "csv" in data else None,
            union=tuple(data.get("union", ())),
            excluded=tuple(data.get("except", ())),
        )

    def _inline(
        self, document: Document, route: Route, entry: str | Mapping[str, Any], country: str | None
    ) -> InlineReceiver | None:
        if isinstance(entry, str):
            return self._numbered(document, route, entry, country, {})
        written = {key: document.written((*route, key)).strip() for key, value in entry.items() if value is not None}
        number = written.pop("number")
        values = {key: value for key, value in written.items() if value}
        return self._numbered(document, (*route, "number"), number, country, values)

    def _numbered(
        self, document: Document, route: Route, number: str, country: str | None, values: Mapping[str, str]
    ) -> InlineReceiver | None:
        try:
            found = phone.parse(number, country)
        except phone.NotANumber as problem:
            self._report(problem.code, problem.detail, document, route)
            return None
        return InlineReceiver(number=found.e164, country=found.country, values=values, span=document.span(route))

    def _csv(self, document: Document, route: Route, data: Mapping[str, Any]) -> CsvSource:
        path = (self.project.folder / document.file).parent / data["csv"]
        where = {
            column: tuple(
                document.written(
                    (*route, "where", column, place) if isinstance(wanted, list) else (*route, "where", column)
                ).strip()
                for place in range(len(wanted) if isinstance(wanted, list) else 1)
            )
            for column, wanted in (data.get("where") or {}).items()
        }
        return CsvSource(
            path=path,
            shown=self._shown(path),
            span=document.span((*route, "csv")),
            number_column=data.get("numberColumn", "number"),
            delimiter=data.get("delimiter"),
            where=where,
        )

    def _shown(self, path: Path) -> str:
        try:
            return path.relative_to(self.project.folder).as_posix()
        except ValueError:
            return path.as_posix()

    def _options(self, document: Document, route: Route) -> Mapping[str, Any]:
        data: Any = document.data
        for step in route:
            data = data[step]
        if "sender" in data and data.get("senderForResponse") is True:
            self._report(codes.BOTH_SENDERS, "", document, (*route, "sender"))
        if "differedPeriod" in data:
            self._report(codes.DIFFERED_PERIOD, "", document, (*route, "differedPeriod"), key=True)
        return MappingProxyType(dict(sorted(data.items())))

    def _message(
        self,
        document: Document,
        name: str,
        options: Mapping[str, Mapping[str, Any]],
        receivers: Mapping[str, ReceiversList],
    ) -> Message | None:
        route: Route = ("messages", name)
        data = document.data["messages"][name]
        template = self._template(document, (*route, "text"), data["text"])
        to = self._targets(document, route, receivers)
        for place, target in enumerate(data.get("except", ())):
            if target not in receivers:
                self._unknown(document, (*route, "except", place), target, receivers, "receivers")
        given = data.get("options", {})
        if isinstance(given, str):
            if given not in options:
                self._unknown(document, (*route, "options"), given, options, "options")
            chosen = options.get(given, {})
        else:
            chosen = self._options(document, (*route, "options")) if given else {}
        if template is None or data.get("enabled") is False:
            return None
        return Message(
            name=name,
            span=document.key_span(route),
            text=data["text"],
            text_span=document.span((*route, "text")),
            template=template,
            to=to,
            to_span=document.span((*route, "to")),
            excluded=tuple(data.get("except", ())),
            options=chosen,
            revision=data.get("revision", 1),
        )

    def _targets(
        self, document: Document, route: Route, receivers: Mapping[str, ReceiversList]
    ) -> tuple[str | InlineReceiver, ...]:
        """Each name of a receivers list as it stands, each number as a receiver."""
        written = document.data["messages"][route[1]]["to"]
        places = (
            [(*route, "to", place) for place in range(len(written))] if isinstance(written, list) else [(*route, "to")]
        )
        targets: list[str | InlineReceiver] = []
        for place, target in zip(places, written if isinstance(written, list) else [written], strict=True):
            if target in receivers:
                targets.append(target)
            elif not target[:1].isalpha():
                receiver = self._numbered(document, place, target, None, {})
                targets += [receiver] if receiver else []
            else:
                self._unknown(document, place, target, receivers, "receivers")
        return tuple(targets)

    def _template(self, document: Document, route: Route, text: str) -> Template | None:
        try:
            return compile_text(text)
        except TemplateProblem as problem:
            self._report(problem.code, problem.detail, document, route)
            return None

    def _unknown(self, document: Document, route: Route, name: str, known: Iterable[str], section: str) -> None:
        """Report a name that stands nowhere; it may stand in a file that is reported as not sound."""
        if (section, name) in self.project.elsewhere or not self.project.is_complete:
            return
        detail = f"nothing under `{section}` is called `{name}`"
        suggestion = _did_you_mean(name, known)
        self._report(codes.UNKNOWN_NAME, detail, document, route, suggestion=suggestion)

    def _check_lists(self, receivers: Mapping[str, ReceiversList]) -> None:
        """Every name in union and except exists, and no list contains itself."""
        for document in self.documents:
            for name, data in (document.data.get("receivers") or {}).items():
                for key in ("union", "except"):
                    for place, other in enumerate(data.get(key, ())):
                        route: Route = ("receivers", name, key, place)
                        if other not in receivers:
                            self._unknown(document, route, other, receivers, "receivers")
                        elif _reaches(receivers, other, name):
                            self._report(codes.CIRCULAR, f"`{name}` by way of `{other}`", document, route)


def _reaches(receivers: Mapping[str, ReceiversList], start: str, goal: str) -> bool:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name == goal:
            return True
        if name not in seen and name in receivers:
            seen.add(name)
            waiting += [*receivers[name].union, *receivers[name].excluded]
    return False


def _matches(data: Any, pattern: Route) -> Iterator[Route]:
    """Every route in `data` that fits `pattern`, where `*` stands for any name."""
    if not pattern:
        yield ()
        return
    if not isinstance(data, dict):
        return
    names = list(data) if pattern[0] == "*" else [pattern[0]] if pattern[0] in data else []
    for name in names:
        yield from ((name, *rest) for rest in _matches(data[name], pattern[1:]))


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"Did you mean `{near[0]}`?" if near else ""
