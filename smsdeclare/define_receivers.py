"""The `receivers` of a project's documents → ReceiversLists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smsdeclare import codes, phone
from smsdeclare.definitions import CsvSource, InlineReceiver, ReceiversList

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from smsdeclare.document import Document, Route
    from smsdeclare.reporter import Reporter


def receivers_list(reporter: Reporter, folder: Path, document: Document, name: str) -> ReceiversList:
    """One entry of `receivers`; numbers that are none are reported and left out."""
    route: Route = ("receivers", name)
    data = document.data["receivers"][name]
    country = data.get("defaultCountry")
    if country is not None and not phone.is_country(country):
        reporter.report(codes.WRONG_VALUE, f"`{country}` is no country", document, (*route, "defaultCountry"))
        return ReceiversList(name=name, span=document.key_span(route), default_country=None)
    receivers = [
        _inline(reporter, document, (*route, "numbers", place), entry, country)
        for place, entry in enumerate(data.get("numbers", ()))
    ]
    return ReceiversList(
        name=name,
        span=document.key_span(route),
        default_country=country,
        numbers=tuple(one for one in receivers if one is not None),
        csv=_csv(folder, document, route, data) if "csv" in data else None,
        union=tuple(data.get("union", ())),
        excluded=tuple(data.get("except", ())),
    )


def _inline(
    reporter: Reporter, document: Document, route: Route, entry: str | Mapping[str, Any], country: str | None
) -> InlineReceiver | None:
    if isinstance(entry, str):
        return receiver(reporter, document, route, entry, country, {})
    written = {key: document.written((*route, key)).strip() for key, value in entry.items() if value is not None}
    number = written.pop("number")
    values = {key: value for key, value in written.items() if value}
    return receiver(reporter, document, (*route, "number"), number, country, values)


def receiver(
    reporter: Reporter, document: Document, route: Route, number: str, country: str | None, values: Mapping[str, str]
) -> InlineReceiver | None:
    """A receiver that stands in YAML; None, and a report, where its number is none."""
    try:
        found = phone.parse(number, country)
    except phone.NotANumber as problem:
        reporter.report(problem.code, problem.detail, document, route)
        return None
    return InlineReceiver(number=found.e164, country=found.country, values=values, span=document.span(route))


def _csv(folder: Path, document: Document, route: Route, data: Mapping[str, Any]) -> CsvSource:
    path = (folder / document.file).parent / data["csv"]
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
        shown=_shown(folder, path),
        span=document.span((*route, "csv")),
        number_column=data.get("numberColumn", "number"),
        delimiter=data.get("delimiter"),
        where=where,
    )


def _shown(folder: Path, path: Path) -> str:
    try:
        return path.relative_to(folder).as_posix()
    except ValueError:
        return path.as_posix()


def check_lists(reporter: Reporter, documents: Iterable[Document], receivers: Mapping[str, ReceiversList]) -> None:
    """Every name in union and except exists, and no list contains itself."""
    for document in documents:
        for name, data in (document.data.get("receivers") or {}).items():
            for key in ("union", "except"):
                for place, other in enumerate(data.get(key, ())):
                    route: Route = ("receivers", name, key, place)
                    if other not in receivers:
                        reporter.unknown(document, route, other, receivers, "receivers")
                    elif _reaches(receivers, other, name):
                        reporter.report(codes.CIRCULAR, f"`{name}` by way of `{other}`", document, route)


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
