import pytest
import worlds
from hypothesis import example, given
from hypothesis import strategies as st
from invariants import Tables, written

from smsdeclare import receivers
from smsdeclare.define import define
from smsdeclare.files import LINE_END
from smsdeclare.project import read

#: Pieces that make a CSV file more often than chance does.
PIECES = st.sampled_from(
    [
        *("number", "phone", "optIn", "yes", "+33639980001", "0639980002", "+33 6 39 98 00 03", "+15555550100", "007"),
        *('"', '""', ",", ";", "\t", "|", "\n", "\r", "\r\n", "\ufeff", "\0", " ", "a", "é", "\u2028", "\x85", "\x1c"),
    ]
)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return Tables(tmp_path_factory.mktemp("project"))


@given(
    st.binary(max_size=80) | st.lists(PIECES, max_size=30).map(lambda pieces: "".join(["number,", *pieces]).encode())
)
@example("number\n\r\n+33639980001\r".encode("utf-16"))
def test_any_bytes_are_read_or_refused_at_a_place_inside_the_file(tables, data):
    tables.check(data)


#: What a cell may hold. Cells are trimmed, so what is trimmed away stands inside only.
CELLS = st.text(
    st.sampled_from('ab é😀\'"""\n\r\t,,;;||\0=') | st.characters(exclude_categories=("Cs",)), max_size=6
).map(str.strip)
HEADERS = st.lists(CELLS.filter(bool), unique=True, max_size=4).filter(lambda names: "number" not in names)
DELIMITERS = ",;\t|"


@st.composite
def tables_written(draw):
    """A table, cells by column, and the rows of it as a list of texts by column; some rows end early."""
    names = draw(HEADERS)
    place = draw(st.integers(0, len(names)))
    header = [*names[:place], "number", *names[place:]]
    rows = []
    for index in range(draw(st.integers(1, 5))):
        row = draw(st.lists(CELLS, min_size=place, max_size=len(names)))
        rows.append([*row[:place], worlds.number(index), *row[place:]])
    return header, rows


@given(
    table=tables_written(),
    delimiter=st.sampled_from(DELIMITERS),
    quote_all=st.booleans(),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    mark=st.sampled_from(["", "\ufeff"]),
    blank_lines=st.integers(0, 2),
)
def test_a_table_comes_back_as_it_was_written(tables, table, delimiter, quote_all, line_end, mark, blank_lines):
    header, rows = table
    # A header that holds one delimiter and is cut by another can be told apart only where it stands in quotes.
    foreign = any(one in name for name in header for one in DELIMITERS)
    form = {"delimiter": delimiter, "line_end": line_end}
    before = [mark.encode(), line_end.encode() * blank_lines, written([header], quote_all=quote_all or foreign, **form)]
    lines, data = [], b"".join([*before, line_end.encode() * blank_lines])
    for row in rows:
        lines.append(len(LINE_END.split(data.decode())))
        data += written([row], quote_all=quote_all, **form)
    tables.path.write_bytes(data)
    found, findings, diagnostics = tables.read()
    assert diagnostics == ()
    assert findings.skipped == []
    expected = [{name: cell for name, cell in zip(header, row, strict=False) if cell} for row in rows]
    assert [receiver.values for receiver in found] == expected
    assert [receiver.number for receiver in found] == [worlds.number(index) for index in range(len(rows))]
    assert [receiver.span.line for receiver in found] == lines


def test_a_row_has_the_cells_that_hold_something_and_whose_column_has_a_name():
    columns = ["number", "", "a", "b"]
    for cells in (
        [" +33639980001", "x", " y ", "z"],
        ["+33639980001", " ", "y\n", "z"],
        ["+33639980001", "", "y", "z"],
    ):
        row = receivers.Row("+33639980001", "FR", columns, cells, "", 1)
        assert {"number": "+33639980001", "a": "y", "b": "z"} == row.values
    assert {"a": "y"} == receivers.Row("+33639980001", "FR", columns, [" ", "x", "y"], "", 1).values


def test_a_row_that_ends_before_its_number_has_none(tmp_path):
    project = worlds.write(
        tmp_path,
        {
            "smsdeclare.yaml": worlds.root(more="receivers: {all: {csv: a.csv}}\n" + worlds.message(to="all")),
            "a.csv": "name,number\nAna,+33639980001\nBo\n",
        },
    )
    definitions = define(read(project, None))
    findings = receivers.Findings()
    found = list(receivers.expand(definitions, definitions.messages[0], findings))
    assert ["+33639980001"] == [one.number for one in found]
    assert [(3, "it is empty")] == [(row.span.line, row.reason) for row in findings.skipped]
