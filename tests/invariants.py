"""What the readers of YAML, CSV and projects hold for any bytes: for Hypothesis, for the fuzzer, and for its corpus."""

import re
from itertools import pairwise

import worlds
import yaml

from smsdeclare import document, planning
from smsdeclare.define import define
from smsdeclare.document import Document, parse
from smsdeclare.errors import InputError
from smsdeclare.files import LINE_END, MOST_DIAGNOSTICS
from smsdeclare.project import read
from smsdeclare.receivers import Findings, expand
from smsdeclare.schema import validate

# — YAML —


def check_document(data):
    """A document is read or refused, at places inside it, within the limits, and each time alike.

    Returns what was read as a list of one, and an empty list where it was refused.
    """
    text = text_of(data)
    found = _document(data)
    again = _document(data)
    if isinstance(found, Document):
        assert isinstance(again, Document)
        assert again.data == found.data
        assert_everything_has_a_place(found, found.data, ())
        assert depth(found.data) <= document.MOST_LEVELS
        assert size(found.data) <= document.MOST_EVENTS + document.MOST_ALIASED
        assert_it_survives(found.data)
        diagnostics = [*validate(found, kind="root"), *validate(found, kind="part")]
    else:
        assert again == found
        assert 1 <= len(found) <= MOST_DIAGNOSTICS
        diagnostics = found
    for diagnostic in diagnostics:
        assert diagnostic.message
        assert diagnostic.span is not None
        for span in (diagnostic.span, *(related.span for related in diagnostic.related)):
            assert_inside(span, text)
    return [found.data] if isinstance(found, Document) else []


def check_document_with_both_parsers(data):
    """libyaml, and PyYAML's own parser, which stands in where libyaml is not there: they never read it as two things.

    What one of them reads and the other refuses is odd, such as a tab behind a text.
    """
    usual = document._LOADER
    try:
        document._LOADER = yaml.SafeLoader
        other = check_document(data)
        document._LOADER = yaml.CSafeLoader
        found = check_document(data)
    finally:
        document._LOADER = usual
    assert not found or not other or found == other


def text_of(data):
    """What the places in `data` refer to: its text, as far as it is one."""
    try:
        return data.decode().lstrip("\ufeff")
    except UnicodeDecodeError as error:
        return data[: error.start].decode().lstrip("\ufeff")


def _document(data):
    try:
        return parse(data, file="f.yaml")
    except InputError as error:
        return error.diagnostics


def assert_inside(span, text):
    lines = LINE_END.split(text)
    assert 1 <= span.line <= span.end_line <= len(lines)
    assert 1 <= span.column <= len(lines[span.line - 1]) + 3  # a line end may have two characters
    assert 1 <= span.end_column <= len(lines[span.end_line - 1]) + 3
    assert (span.line, span.column) <= (span.end_line, span.end_column)


def assert_everything_has_a_place(found, value, route):
    assert_inside(found.span(route), found.text)
    assert_inside(found.key_span(route), found.text)
    for step, inner in _inner(value):
        assert_everything_has_a_place(found, inner, (*route, step))
    if not isinstance(value, dict | list):
        found.written(route)


def assert_it_survives(value):
    """Written out with every text in quotes it reads as what it was."""
    # A figure of 30 digits may be written with another base, where it has fewer.
    if not any(isinstance(one, int) and abs(one) >= 10**30 for one in _all(value)):
        assert value == parse(dumped(value).encode(), file="f.yaml").data


def dumped(value, **options):
    """As a careful person writes it: texts in quotes, figures, bools and null plain."""

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data):
            return True

        def increase_indent(self, flow=False, indentless=False):
            return super().increase_indent(flow=flow, indentless=False)

    Dumper.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))
    return yaml.dump(value, Dumper=Dumper, **options)


def _inner(value):
    return value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()


def _all(value):
    yield value
    for _, inner in _inner(value):
        yield from _all(inner)


def size(value):
    return sum(1 for _ in _all(value))


def depth(value):
    return isinstance(value, dict | list) and 1 + max((depth(inner) for _, inner in _inner(value)), default=0)


# — CSV —

#: One message for each way to read the file; `customers.csv` is laid beside it.
LISTS = {
    "plain": "{csv: customers.csv}",
    "national": "{csv: customers.csv, defaultCountry: FR}",
    "semicolons": '{csv: customers.csv, delimiter: ";", numberColumn: phone}',
    "filtered": "{csv: customers.csv, where: {optIn: [yes, true]}}",
    "excepted": "{csv: customers.csv, except: [plain]}",
}
_CSV, _ROOT = "customers.csv", "smsdeclare.yaml"
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")


class Tables:
    """A project in a folder, whose one CSV file is written anew for each look at it."""

    def __init__(self, folder):
        lists = "".join(f"  {name}: {listed}\n" for name, listed in LISTS.items())
        messages = "".join(f"  m-{name}: {{text: Hello, to: {name}}}\n" for name in LISTS)
        more = f"receivers:\n{lists}messages:\n{messages}"
        self.definitions = define(read(worlds.write(folder, {_ROOT: worlds.root(more=more), _CSV: ""}), None), {})
        self.root_text = (folder / _ROOT).read_text()
        self.path = folder / _CSV

    def read(self, name="plain"):
        """The receivers of a list of the file that lies there, what was found, and the diagnostics of a refusal."""
        (message,) = (message for message in self.definitions.messages if message.name == f"m-{name}")
        findings = Findings()
        try:
            return list(expand(self.definitions, message, findings)), findings, ()
        except InputError as error:
            return [], findings, error.diagnostics

    def check(self, data):
        """A table is read or refused, at places inside it, each number once, and each time alike."""
        self.path.write_bytes(data)
        for name in LISTS:
            found, findings, diagnostics = self.read(name)
            assert self.read(name) == (found, findings, diagnostics)
            self._check_refusal(diagnostics, data)
            self._check_rows(found, findings, data)
        found, _, _ = self.read()
        if found:
            self._check_it_survives(found)

    def _check_refusal(self, diagnostics, data):
        assert len(diagnostics) <= MOST_DIAGNOSTICS
        for diagnostic in diagnostics:
            assert diagnostic.is_error
            assert diagnostic.message
            self._assert_inside(diagnostic.span, data)

    def _check_rows(self, found, findings, data):
        spans = [receiver.span for receiver in found]
        assert all(before.line < after.line for before, after in pairwise(spans))
        assert len({receiver.number for receiver in found}) == len(found)
        for receiver in found:
            assert _E164.fullmatch(receiver.number)
            assert all(key and key == key.strip() for key in receiver.values)
            assert all(value and value == value.strip() for value in receiver.values.values())
        assert len(found) + len(findings.skipped) <= findings.rows
        spans += [skipped.span for skipped in findings.skipped]
        for warning in findings.warnings:
            spans += [warning.span, *(related.span for related in warning.related)]
        for span in spans:
            assert span.file == _CSV
            self._assert_inside(span, data)

    def _check_it_survives(self, found):
        """Written out with every cell in quotes it reads as what it was."""
        columns = list(dict.fromkeys(key for receiver in found for key in receiver.values))
        rows = [[receiver.values.get(key, "") for key in columns] for receiver in found]
        self.path.write_bytes(written([columns, *rows]))
        again, findings, diagnostics = self.read()
        assert diagnostics == ()
        assert [(one.number, one.values) for one in again] == [(one.number, one.values) for one in found]
        assert findings == Findings(rows=len(found))

    def _assert_inside(self, span, data):
        """Lines of the CSV file as editors count them, or a place in the YAML file that names it."""
        assert span is not None
        if span.file == _ROOT:
            assert_inside(span, self.root_text)
        else:
            assert span.file == _CSV
            assert 1 <= span.line <= len(LINE_END.split(data.decode("utf-8", "replace")))


# — a project —


class Projects:
    """A folder with two CSV files and a second YAML file, whose root file is written anew for each look at it."""

    def __init__(self, folder):
        self.folder = folder
        self.texts = {
            "customers.csv": "number,firstName,optIn\n+33639980001,Ana,yes\n0639980002,Bo,no\n+33639980003,,yes\n",
            "opted-out.csv": "phone;why\n+33639980001;asked\n",
            "more.sms.yaml": "receivers: {more: {csv: customers.csv}}\noptions: {quiet: {noStopClause: true}}\n",
        }
        worlds.write(folder, self.texts)

    def check(self, data):
        """A project is understood or refused, at places inside its files, and each time alike."""
        (self.folder / _ROOT).write_bytes(data)
        texts, diagnostics = self._outcome()
        assert self._outcome() == (texts, diagnostics)
        assert not texts or not any(diagnostic.is_error for diagnostic in diagnostics)
        for number, text in texts:
            assert _E164.fullmatch(number)
            assert text.strip()
        for diagnostic in diagnostics:
            assert diagnostic.message
            for span in (diagnostic.span, *(related.span for related in diagnostic.related)):
                assert_inside(span, text_of(data) if span.file == _ROOT else self.texts[span.file])

    def _outcome(self):
        """Number and text of each send, and all that was found."""
        try:
            definitions = define(read(self.folder), {})
            expanded = planning.expand(definitions)
        except InputError as error:
            return [], error.diagnostics
        found = [*definitions.warnings, *(warning for one in expanded for warning in one.findings.warnings)]
        return [(send.number, send.text.text) for one in expanded for send in one.sends], tuple(found)


def written(rows, *, delimiter=",", line_end="\n", quote_all=True):
    """A table as bytes, as RFC 4180 says and without Python's csv; a row of one empty cell is in quotes in any case."""

    def cell(text, alone):
        if quote_all or (alone and not text) or any(sign in text for sign in (delimiter, '"', "\r", "\n")):
            return '"' + text.replace('"', '""') + '"'
        return text

    return "".join(delimiter.join(cell(text, len(row) == 1) for text in row) + line_end for row in rows).encode()
