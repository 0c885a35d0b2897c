"""Lists, CSV files, union and except → a stream of receivers, each once."""

from __future__ import annotations

import csv
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, TextIO, TypeAlias

from smsdeclare import codes, files, phone
from smsdeclare.diagnostics import Diagnostic, Related, Span
from smsdeclare.errors import InputError
from smsdeclare.reporter import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from smsdeclare.definitions import CsvSource, Definitions, InlineReceiver, Message, ReceiversList

#: A CSV file larger than this is refused before it is read. Bytes.
CSV_LIMIT = 1_000_000_000
#: Characters of a row, which may have many lines; Python's csv takes no cell that is longer either.
_ROW_LIMIT = 130_000
#: `except` inside lists that are excepted themselves: so deep and no deeper.
_MOST_DEPTH = 50
_DELIMITERS = (",", ";", "\t", "|")


# There may be a million: as a tuple it takes half as long again to make and to read, and frozen four times to make.
@dataclass(slots=True)
class Row:
    """A receiver that stands in a row of a CSV file."""

    #: E.164.
    number: str
    #: ISO 3166 alpha-2, or None where the prefix has no country.
    country: str | None
    header: Sequence[str]
    #: As they stand.
    cells: Sequence[str]
    file: str
    line: int

    @property
    def values(self) -> Mapping[str, str]:
        """The receiver's own values; blank ones are absent. Made anew each time, since many texts use none."""
        trimmed = zip(self.header, map(str.strip, self.cells), strict=False)
        return {name: cell for name, cell in trimmed if cell and name}

    @property
    def span(self) -> Span:
        """Where it stands. Made anew each time, since that takes as long as reading the row."""
        return _row(self.file, self.line)


#: Somebody who may get an SMS.
Receiver: TypeAlias = "InlineReceiver | Row"


class Skipped(NamedTuple):
    """A row that was left out, and why."""

    span: Span
    code: codes.Code
    reason: str
    #: Whether nothing at all stands where the number should.
    is_blank: bool = False

    def as_warning(self) -> Diagnostic:
        """The row as a finding that stops nothing."""
        return Diagnostic(code=codes.ROW_SKIPPED, detail=self.reason, span=self.span, suggestion=self.code.help)


@dataclass(slots=True, kw_only=True)
class Findings:
    """What expanding leaves beside the receivers themselves."""

    skipped: list[Skipped] = field(default_factory=list)
    warnings: list[Diagnostic] = field(default_factory=list)
    #: Rows read, those that `where` filtered out not counted.
    rows: int = 0


def expand(definitions: Definitions, message: Message, findings: Findings) -> Iterator[Receiver]:
    """The receivers of a message, each number once, in the order of `to` and of the files.

    Raises InputError where a file can't be read.
    """
    lists = _Lists(definitions)
    excluded = lists.numbers(frozenset(message.excluded))
    allowed = definitions.policy.allowed_countries
    only = {name: lists.numbers(frozenset((name,))) for name in definitions.policy.only_receivers}
    # As integers, which take half the memory of texts.
    seen: set[int] = set()
    again: list[_Again] = []
    for receiver in _addressed(lists, message, findings):
        number = receiver.number
        if (key := int(number)) in seen:
            again.append(_known_by(receiver))
            continue
        seen.add(key)
        if number in excluded:
            continue
        elif allowed is not None and receiver.country not in allowed:
            reason = f"country {receiver.country or 'unknown'}"
            findings.skipped.append(Skipped(receiver.span, codes.COUNTRY_NOT_ALLOWED, reason))
        elif only and (missing := [name for name, numbers in only.items() if number not in numbers]):
            findings.skipped.append(Skipped(receiver.span, codes.NOT_AMONG_ONLY, f"not in {' and '.join(missing)}"))
        else:
            yield receiver
    findings.warnings += _twice(again, _addressed(lists, message, Findings())) if again else ()


class _Again(NamedTuple):
    number: str
    span: Span
    #: Stands for the values.
    fingerprint: int


def _known_by(receiver: Receiver) -> _Again:
    return _Again(receiver.number, receiver.span, hash(frozenset(receiver.values.items())))


def opted_out(definitions: Definitions) -> frozenset[str]:
    """Who may not be written to by the policy, whatever the message. Raises InputError where a row can't be read."""
    return _Lists(definitions).numbers(frozenset(definitions.policy.opt_out))


def _addressed(lists: _Lists, message: Message, findings: Findings) -> Iterator[Receiver]:
    for target in message.to:
        if isinstance(target, str):
            yield from lists.receivers(target, findings)
        else:
            yield target


def _twice(again: Sequence[_Again], everybody: Iterable[Receiver]) -> Iterator[Diagnostic]:
    """Warnings for rows whose number stood before with other values.

    Who was first is looked for only where there are such rows: keeping each row's place and values takes more memory
    than all the rest of a plan.
    """
    numbers = {row.number for row in again}
    first: dict[str, _Again] = {}
    for receiver in everybody:
        if receiver.number in numbers and receiver.number not in first:
            first[receiver.number] = _known_by(receiver)
    for row in again:
        before = first.get(row.number, row)
        if before.fingerprint != row.fingerprint and before.span != row.span:
            yield Diagnostic(
                code=codes.RECEIVER_TWICE,
                detail="the first one is used",
                span=row.span,
                related=(Related(span=before.span, label="first here"),),
            )


class _Lists:
    """The receivers lists of a project, each read as often as it is needed and no more."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._numbers: dict[str, frozenset[str]] = {}
        self._depth = 0

    def receivers(self, name: str, findings: Findings) -> Iterator[Receiver]:
        """The receivers of a list, less those that it excludes; a number may stand there twice."""
        for leaf in self._leaves(name):
            yield from self._members(*leaf, findings)

    def numbers(self, names: frozenset[str]) -> frozenset[str]:
        """All numbers of some lists. Raises InputError for a row that can't be read, as who is meant stays unknown."""
        for name in names - self._numbers.keys():
            self._depth += 1
            if self._depth > _MOST_DEPTH:
                listed = self._definitions.receivers[name]
                detail = f"lists that except lists go {_MOST_DEPTH} deep"
                raise InputError(Diagnostic(code=codes.TOO_DEEP, detail=detail, span=listed.span))
            beside = Findings()
            self._numbers[name] = frozenset(receiver.number for receiver in self.receivers(name, beside))
            # A row that can't be read is somebody who asked not to be written to: nobody is, until it is mended.
            unread = [row for row in beside.skipped if not row.is_blank]
            if unread:
                detail = f"a row of `{name}`, whose receivers are excluded"
                raise InputError(
                    *(Diagnostic(code=row.code, detail=f"{row.reason}; {detail}", span=row.span) for row in unread)
                )
            self._depth -= 1
        return frozenset().union(*(self._numbers[name] for name in names))

    def _members(self, listed: ReceiversList, excluded: frozenset[str], findings: Findings) -> Iterator[Receiver]:
        without = self.numbers(excluded)
        members: Iterator[Receiver] = iter(listed.numbers)
        if listed.csv is not None:
            rows = _rows(self._definitions.folder, listed.csv, listed.default_country, findings)
            members = chain(members, rows)
        return (one for one in members if one.number not in without) if without else members

    def _leaves(self, name: str) -> Iterator[tuple[ReceiversList, frozenset[str]]]:
        """The lists that hold receivers themselves, in order, each with the names that are excluded on the way.

        A list that is reached again with the same exclusions adds nobody.
        """
        seen: set[tuple[str, frozenset[str]]] = set()
        waiting: list[tuple[str, frozenset[str]]] = [(name, frozenset())]
        while waiting:
            reached, excluded = waiting.pop()
            listed = self._definitions.receivers[reached]
            way = (reached, excluded.union(listed.excluded))
            if way in seen:
                continue
            seen.add(way)
            if not listed.union:
                yield listed, way[1]
            waiting += [(inner, way[1]) for inner in reversed(listed.union)]


def _rows(root: Path, source: CsvSource, default_country: str | None, findings: Findings) -> Iterator[Row]:
    """The rows of a CSV file that `where` lets through and whose number is one."""
    with _opened(root, source) as stream:
        rows = _cells(source, stream, source.delimiter or _find_delimiter(source, stream))
        line, named = next(rows, (1, []))
        header = [name.strip() for name in named]
        number_at, filters = _columns(source, header, line)
        width, shown, is_mobile, any_rows = len(header), source.shown, phone.MOBILE.fullmatch, False
        for line, cells in rows:
            any_rows = True
            if len(cells) != width:
                if len(cells) > width:
                    detail = f"{len(cells)} cells, {len(header)} columns"
                    raise InputError(Diagnostic(code=codes.CSV_RAGGED, detail=detail, span=_line(source, line)))
                cells.extend([""] * (width - len(cells)))
            if filters and any(cells[at].strip() not in wanted for at, wanted in filters):
                continue
            findings.rows += 1
            # The usual spelling first: to call `parse` takes as long as all of this.
            if mobile := is_mobile(cells[number_at]):
                yield Row(cells[number_at], mobile.lastgroup, header, cells, shown, line)
                continue
            number = cells[number_at].strip()
            try:
                found = phone.parse(number, default_country)
            except phone.NotANumber as problem:
                row = Skipped(_line(source, line), problem.code, problem.detail, is_blank=not number)
                findings.skipped.append(row)
                continue
            yield Row(found.e164, found.country, header, cells, shown, line)
        if not any_rows:
            raise InputError(Diagnostic(code=codes.CSV_NO_ROWS, detail=source.shown, span=source.span))


def _cells(source: CsvSource, stream: TextIO, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The cells of each row that is not an empty line, with the line it begins on; the header comes first.

    A row without an end in sight is refused before it fills the memory.
    """
    begins, length = 1, 0

    def lines() -> Iterator[str]:
        nonlocal length
        while line := stream.readline(_ROW_LIMIT):
            length += len(line)
            if length >= _ROW_LIMIT:
                detail = f"a row has more than {_ROW_LIMIT:,} characters"
                raise InputError(Diagnostic(code=codes.CSV_SYNTAX, detail=detail, span=_line(source, begins)))
            yield line

    reader = csv.reader(lines(), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if cells:
                yield begins, cells
            begins, length = reader.line_num + 1, 0
    except csv.Error as problem:
        span = _line(source, max(reader.line_num, 1))
        raise InputError(Diagnostic(code=codes.CSV_SYNTAX, detail=str(problem), span=span)) from None


def _columns(source: CsvSource, header: list[str], line: int) -> tuple[int, list[tuple[int, tuple[str, ...]]]]:
    """Where the number stands, and the columns that `where` looks at."""
    if not any(header):
        raise InputError(Diagnostic(code=codes.CSV_NO_ROWS, detail=source.shown, span=source.span))
    named = [name for name in header if name]
    twice = next((name for name in named if named.count(name) > 1), None)
    if twice is not None:
        raise InputError(Diagnostic(code=codes.CSV_DUPLICATE_COLUMN, detail=f"`{twice}`", span=_line(source, line)))
    for wanted in (source.number_column, *source.where):
        if wanted not in header:
            detail = f"`{wanted}` in {source.shown}, which has {', '.join(f'`{name}`' for name in named[:12])}"
            near = did_you_mean(wanted, named)
            raise InputError(
                Diagnostic(code=codes.CSV_MISSING_COLUMN, detail=detail, span=source.span, suggestion=near)
            )
    filters = [(header.index(column), wanted) for column, wanted in source.where.items()]
    return header.index(source.number_column), filters


def _find_delimiter(source: CsvSource, stream: TextIO) -> str:
    """The delimiter under which the header holds the number's column; of several, the one that cuts most."""

    def cut(delimiter: str) -> tuple[bool, int]:
        stream.seek(0)
        try:
            _, header = next(_cells(source, stream, delimiter), (1, []))
        except InputError:
            return False, 0
        return source.number_column in [name.strip() for name in header], len(header)

    found = max(_DELIMITERS, key=cut)
    stream.seek(0)
    return found


@contextmanager
def _opened(root: Path, source: CsvSource) -> Iterator[TextIO]:
    """The file's text; what makes it unreadable is reported where YAML names the file."""
    try:
        with files.open_text(source.path, root=root, shown=source.shown, limit=CSV_LIMIT) as stream:
            yield stream
    except UnicodeDecodeError:
        raise InputError(Diagnostic(code=codes.NOT_UTF8, detail=source.shown, span=source.span)) from None
    except InputError as error:
        placed = (found if found.span else found._replace(span=source.span) for found in error.diagnostics)
        raise InputError(*placed) from None


def _line(source: CsvSource, line: int) -> Span:
    return _row(source.shown, line)


def _row(file: str, line: int) -> Span:
    return Span(file=file, line=line, column=1, end_line=line + 1, end_column=1)
