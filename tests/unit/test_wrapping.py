"""Lines wrapped to a terminal: no word changes, none is broken, and no row is too wide that could be narrower."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsdeclare.format import Style
from smsdeclare.formats.phrases import Color, paint, width
from smsdeclare.formats.wrapping import fit

WIDTHS = st.integers(20, 120)
#: Words as they stand in what is shown, and others.
WORDS = st.one_of(
    st.sampled_from(
        [
            "message.order-shipped@1#7k3q9f2m", "10,000", "receivers", "data/customers.csv:17:3:", "SMS303:", "‹name›",
            "https://api.example.org/1.0/sms?x=1", "`smsdeclare apply -C shop`", "+336•••••01", "12:30", "—", "你好",
            "\x1b[33mwarning\x1b[0m", "|", "+", "`«`", "6x,", "2026-12-01", "09:00",
        ]
    ),
    st.text(st.characters(codec="ascii", exclude_characters=" `\n\t\x0b\x0c\r\x00\x1b\x1c\x1d\x1e\x1f"), min_size=1),
)  # fmt: skip
LINES = st.tuples(st.integers(0, 13), st.lists(WORDS, min_size=1, max_size=30), st.sampled_from([" ", "   "])).map(
    lambda one: " " * one[0] + one[2].join(one[1])
)


def at(columns):
    return Style(columns=columns)


@given(LINES, WIDTHS)
def test_the_words_are_the_same_and_in_their_order(line, columns):
    rows = fit(line, at(columns)).split("\n")
    quoted = re.match(r" *\| ", line)
    rest = [row.removeprefix(quoted[0]) if quoted and place else row for place, row in enumerate(rows)]
    assert line.split() == " ".join(rest).split()


@given(LINES, WIDTHS)
def test_a_row_is_too_wide_only_where_it_can_not_be_narrower(line, columns):
    for row in fit(line, at(columns)).split("\n"):
        plain = re.sub(r"\x1b\[[0-9;]*m", "", row)
        # One piece may hang over the margin: a word, what is quoted, or a figure with its noun.
        before = re.sub(r"\s*(?:[0-9][0-9,.:-]* )*(?:`[^`]*`(?: 6x,)?|\S+)$", "", plain)
        assert width(plain) <= columns or width(before) <= columns


@given(LINES)
def test_what_is_no_terminal_gets_lines_as_they_are(line):
    assert line == fit(line, Style())


@pytest.mark.parametrize(
    ("line", "rows"),
    [
        ("two words", ["two words"]),
        (
            "Plan: 10,000 to send. 10,000 credits of 1,000,000 left.",
            ["Plan: 10,000 to send.", "    10,000 credits of", "    1,000,000 left."],
        ),
        ("  Set it, or let `smsdeclare login` write it.", ["  Set it, or let", "  `smsdeclare login` write", "  it."]),
        ("Apply it: smsdeclare apply -C a/long/folder", ["Apply it: smsdeclare apply -C a/long/folder"]),
        ("Digest sha256:0123456789abcdef0123456789", ["Digest sha256:0123456789abcdef0123456789"]),
        ("at 2026-12-01 09:00 and 2026-12-02 09:00", ["at 2026-12-01 09:00 and", "    2026-12-02 09:00"]),
        ("Il est à vous\u00a0: le colis", ["Il est à vous\u00a0: le colis"]),
        ("Votre colis est ici, vous\u00a0: prenez", ["Votre colis est ici,", "    vous\u00a0: prenez"]),
        ("a 你好你好 你好你好 你好你好", ["a 你好你好 你好你好", "    你好你好"]),
        (
            "normalized: `é` -> `e` 6x, `ç` -> `c` 1x",
            ["normalized: `é` -> `e` 6x,", "    `ç` -> `c` 1x"],
        ),
        ("and here `ç` -> `c` 12,345x", ["and here", "    `ç` -> `c` 12,345x"]),
        ("a long column: 1,000   columns", ["a long column: 1,000", "    columns"]),
        ("  a.csv:3  SMS203  is no number", ["  a.csv:3  SMS203  is no", "      number"]),
    ],
)
def test_a_line_is_broken_where_a_reader_would(line, rows):
    assert rows == fit(line, at(26)).split("\n")


@pytest.mark.parametrize(
    ("line", "rows"),
    [
        (
            "  + send    message.a@1   10,000 receivers   gsm7   1 part",
            ["  + send    message.a@1", "             10,000 receivers", "             gsm7   1 part"],
        ),
        (
            "             | a text that takes more than a row",
            ["             | a text that takes", "             | more than a row"],
        ),
        ("  +336•••••01 <- Hello to somebody new", ["  +336•••••01 <- Hello to somebody", "                 new"]),
    ],
)
def test_what_stands_below_a_column_goes_on_there(line, rows):
    assert rows == fit(line, at(34)).split("\n")


def test_no_margin_takes_more_than_half_of_the_terminal():
    assert ["  + send", "  message.hello@1"] == fit("  + send    message.hello@1", at(20)).split("\n")


def test_colors_take_no_columns():
    line = "a warning that is told in two rows"
    painted = paint(line, Color.CARE, Style(color=True))
    plain = fit(line, at(20)).split("\n")
    assert plain == [re.sub(r"\x1b\[[0-9;]*m", "", row) for row in fit(painted, at(20)).split("\n")]


def test_rows_stand_where_they_are_told_to():
    assert ["ok  one two three", "      four five six"] == fit(
        "ok  one two three four five six", at(20), under=6
    ).split("\n")
