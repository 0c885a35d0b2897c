"""The bubble: nothing of a text is lost, nothing of it is obeyed, and no row sticks out."""

import re

import pytest
import worlds
from hypothesis import example, given
from hypothesis import strategies as st

from smsdeclare.format import Style
from smsdeclare.formats.bubble import COLUMNS, bubble, previews, wrapped
from smsdeclare.formats.phrases import width
from smsdeclare.preview import preview_all
from smsdeclare.redaction import visible

HOSTILE = ["\u202egnp.exe", "\u2066x\u2069", "│ ╰──╯", "e" + "\u0301" * 300, "x" * 200, "\u200b\u200d", "日本語" * 30]


@given(st.text(st.one_of(st.sampled_from("ab \n€日\u0301"), st.characters()), max_size=200), st.integers(2, 40))
@example("ab   \n\n  c", 2)
@example(" " * 50 + "a", 32)
def test_the_rows_joined_are_the_text_and_none_is_wider_than_the_bubble(text, columns):
    rows = list(wrapped(text, columns))
    assert text == "".join(rows)
    assert all(width(row.rstrip(" \n")) <= columns for row in rows)
    assert all("\n" not in row[:-1] for row in rows)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        pytest.param("one two three", ["one ", "two ", "three"], id="behind spaces"),
        pytest.param("abcdefgh", ["abcde", "fgh"], id="within a long word"),
        pytest.param("a\n\nb", ["a\n", "\n", "b"], id="an empty line"),
        pytest.param("one two\n", ["one ", "two\n"], id="a line break at the end"),
        pytest.param("日本語日", ["日本", "語日"], id="characters of two columns"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_text_is_wrapped(text, rows):
    assert rows == list(wrapped(text, 5))


@given(st.lists(st.text(max_size=100), min_size=1, max_size=4))
def test_a_frame_is_straight_and_holds_the_parts(parts):
    rows = list(bubble(parts, Style()))
    assert {COLUMNS + 4} == {width(row) for row in rows}
    assert len(parts) == sum(row.startswith(("╭─", "├─")) for row in rows if re.match("[╭├]─+( part .*)?─*[╮┤]$", row))
    inside = [row[2:-2].rstrip(" ") for row in rows if row.startswith("│")]
    assert "".join("".join(visible(part).split()) for part in parts) == "".join("".join(inside).split())


def test_each_of_several_parts_is_labeled():
    assert [
        "╭─ part 1 of 2 ────────────────────╮",
        "│ Hello                            │",
        "├─ part 2 of 2 ────────────────────┤",
        "│ you                              │",
        "╰──────────────────────────────────╯",
    ] == list(bubble(["Hello ", "you"], Style()))


def test_color_changes_nothing_but_color():
    plain, colored = (list(bubble(["Hello ", "you"], Style(color=color))) for color in (False, True))
    assert plain != colored
    assert plain == [re.sub(r"\x1b\[[0-9]*m", "", row) for row in colored]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
@pytest.mark.parametrize("color", [False, True])
def test_nothing_in_a_text_or_a_value_is_obeyed(text, color):
    definitions = worlds.definitions("Hi {{ n }}" + text, [{"n": text}], {"shop": text}, noStopClause=True)
    out = previews(preview_all(definitions, definitions.messages), Style(show_numbers=True, color=color))
    obeyed = re.sub(r"\x1b\[[0-9]*m", "", out) if color else out
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069]", obeyed)
    assert color == ("\x1b" in out)
    framed = [row.strip() for row in obeyed.splitlines() if row.startswith("  │")]
    assert framed
    assert {COLUMNS + 4} == {width(row) for row in framed}


def shown(text, people, **options):
    definitions = worlds.definitions(text, people, **{"noStopClause": True, **options})
    return previews(preview_all(definitions, definitions.messages), Style()).splitlines()


@pytest.mark.parametrize(
    ("text", "people", "options", "line"),
    [
        pytest.param(
            "a" * 155,
            [{}],
            {"noStopClause": False},
            "  OVHcloud may add a STOP clause, 11 characters, although the sender is no name; without it 1 part",
            id="a clause that may be added",
        ),
        pytest.param(
            "a" * 10,
            [{}],
            {"noStopClause": False, "sender": "ACME"},
            "  OVHcloud adds a STOP clause, 11 characters",
            id="a clause that is added",
        ),
        pytest.param(
            "{{ n }}{{ n }}" + "a" * 160,
            [{"n": "1"}],
            {},
            "  The receiver's own values are hidden; --show-numbers shows them and where the parts split",
            id="parts that can't be shown",
        ),
        pytest.param(
            "{{ n }}",
            [{"n": "a"}, {"n": "b" * 161}],
            {},
            "  +336•••••01 (smsdeclare.yaml:1), one of the dearest: gsm7, 2 parts, 2 credits",
            id="several costs",
        ),
        pytest.param("{€}", [{}], {}, "  6 characters (some count two) in 1 part, room for 154 more", id="pairs"),
        pytest.param(
            "a\u200b",
            [{}],
            {},
            "    `\\u200b` U+200B zero width space (can be left out), 1 receiver: smsdeclare.yaml:6 the text",
            id="a character to be left out",
        ),
        pytest.param("\ue000", [{}], {}, "    `\ue000` U+E000, 1 receiver: smsdeclare.yaml:6 the text", id="no name"),
        pytest.param(
            "{{ n }}",
            [{"n": "ж"}] * 5,
            {},
            "    `ж` U+0436, 5 receivers: "
            "smsdeclare.yaml:0 n, smsdeclare.yaml:1 n, smsdeclare.yaml:2 n, and 2 more rows",
            id="many rows",
        ),
        pytest.param(
            "".join(map(chr, range(0x430, 0x43B))), [{}], {}, "    and 1 more character", id="many characters"
        ),
        pytest.param(
            "Hi", [{}], {"country": "BE"}, "  gsm7, 1 part, about 2.10 credits: 1 receiver", id="a rate not known"
        ),
    ],
)
def test_what_is_particular_is_said(text, people, options, line):
    assert line in shown(text, people, **options)


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("e\u0301", 1), ("\u2764\ufe0f", 1), ("日本", 4), ("ｗ", 2)])
def test_columns_are_counted_as_a_terminal_does(text, columns):
    assert columns == width(text)
