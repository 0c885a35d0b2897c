"""Laid out, a file says the same, keeps every comment and comes to rest; or it is refused."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smsdeclare import codes, document
from smsdeclare.errors import InputError
from smsdeclare.layout import lay_out

ROOT = Path(__file__).parents[2]
FILES = sorted([*(ROOT / "examples").rglob("*.yaml"), *(ROOT / "tests/fuzz/corpus").rglob("*.yaml")])
#: Numbered, so that each can be told from every other; no text of these tests holds such a word.
REMARK = re.compile(r"remark[0-9]+")


def checked(text):
    """Lay it out where that is not refused, and hold it to its word."""
    try:
        data = document.parse(text.encode(), file="a.yaml").data
    except (InputError, UnicodeEncodeError):
        return None
    try:
        laid_out = lay_out(text.encode(), file="a.yaml")
    except InputError as error:
        if error.diagnostics[0].code is not codes.LAYOUT_REFUSED:
            raise
        return None
    assert repr(data) == repr(document.parse(laid_out.encode(), file="a.yaml").data)
    assert laid_out == lay_out(laid_out.encode(), file="a.yaml")
    assert REMARK.findall(text) == REMARK.findall(laid_out)
    assert "\r" not in laid_out
    return laid_out


KEYS = st.sampled_from(["text", "to", "a-b", '"x y"', "007", "NO"])
SCALARS = st.sampled_from(
    [
        "+33639980001", "0639980001", "12:30", "NO", "~", "", "1.50", "1e3", "0x1f", "true", '"a # b"', "'it''s'",
        '"\\u20ac"', "2026-12-01 09:00", "Voilà {{ x }}", "&a 1", "# no", "[a, b]", "{number: +33639980002, n: NO}",
        "|\n{0}  two  \n\n{0}lines #x\n", ">-\n{0}folded\n{0}text", '"on\n{0}two"', "plain\n{0}on two", "[a,\n{0}b]",
    ]
)  # fmt: skip


@st.composite
def documents(draw, depth=0, indent=""):
    """YAML as people write it: any depth, comments anywhere, blank lines, odd spaces."""
    lines = []
    step = indent + draw(st.sampled_from(["  ", "    ", " "]))
    for key in draw(st.lists(KEYS, min_size=1, max_size=3, unique=True)):
        if draw(st.booleans()):
            lines.append(f"{draw(st.sampled_from(['', indent, step]))}# remark0")
        lines += [""] * draw(st.integers(0, 2))
        spaces = draw(st.sampled_from([" ", "   "]))
        tail = draw(st.sampled_from(["", "", "  # remark0", " "]))
        match draw(st.sampled_from(["scalar", "mapping", "list"])) if depth < 3 else "scalar":
            case "scalar":
                value = draw(SCALARS).replace("{0}", step)
                lines.append(f"{indent}{key}:{spaces}{value}{tail if chr(10) not in value else ''}")
            case "mapping":
                lines += [f"{indent}{key}:{tail}", draw(documents(depth=depth + 1, indent=step))]
            case "list":
                dash = draw(st.sampled_from([indent, step])) if indent else step
                lines.append(f"{indent}{key}:{tail}")
                lines += [
                    f"{dash}-{spaces}{draw(SCALARS).replace('{0}', dash + '    ')}"
                    for _ in range(draw(st.integers(1, 2)))
                ]
    if draw(st.booleans()):
        lines.append(f"{draw(st.sampled_from(['', indent]))}# remark0")
    return "\n".join(lines)


def numbered(text):
    parts = text.split("remark0")
    return "".join(f"{part}remark{place}" for place, part in enumerate(parts[:-1])) + parts[-1]


@settings(max_examples=50)
@given(text=documents(), end=st.sampled_from(["", "\n", "\n\n\n"]), line=st.sampled_from(["\n", "\r\n"]))
def test_what_people_write(text, end, line):
    checked((numbered(text) + end).replace("\n", line))


@settings(max_examples=100)
@given(text=st.text(alphabet=" \n\t#:-,[]{}&*!|>'\"%@`?~abN01+.é\u2028\ufeff", max_size=60))
@example("a: &x 1\nb: *x\n")
@example("a: |+\n  x\n\n")
@example("# only a remark1\n")
@example(">\n *")
@example(">\n @")
@example("")
def test_whatever_is_written(text):
    checked(text)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_files_of_this_repository(path):
    laid_out = checked(path.read_text("utf-8", "replace"))
    assert laid_out == path.read_text("utf-8") or "corpus" in path.parts or "quickstart" not in path.parts


MESSY = """# of the file


version:   1
receivers:
    team:
        # who
        numbers:
        - "+33639980001"   # Ana
        -   number: 0639980003
            firstName: NO
options: &o
    t: {sender: ACME,noStopClause: true }
messages:
    hello:
        text: |
            Hello{2}


            {{ name }}   # no comment
        # what follows
        to: [team,
             all]   # both
        enabled:
        # ends hello
    # begins late
    late: {text: "It's late", to: team}

# the end


"""
TIDY = """# of the file

version: 1
receivers:
  team:
    # who
    numbers:
      - "+33639980001"     # Ana
      - number: 0639980003
        firstName: NO
options: &o
  t: {sender: ACME, noStopClause: true}
messages:
  hello:
    text: |
      Hello{2}


      {{ name }}   # no comment
    # what follows
    to: [team, all] # both
    enabled:
    # ends hello
  # begins late
  late: {text: "It's late", to: team}

# the end
"""


def test_the_one_way():
    spaces = "  "  # an editor would take them away
    assert TIDY.replace("{2}", spaces) == checked(MESSY.replace("{2}", spaces))


@pytest.mark.parametrize("text", ["a: 1\nb: [\n", "a: 1\na: 2\n", "a: !!str 1\n"])
def test_what_is_no_yaml_of_ours_is_told_as_everywhere(text):
    with pytest.raises(InputError) as caught:
        lay_out(text.encode(), file="a.yaml")
    assert caught.value.diagnostics[0].code.id != "SMS091"
