import pytest
import yaml

from smsdeclare import codes, document
from smsdeclare.document import parse
from smsdeclare.errors import InputError


@pytest.fixture(params=[yaml.CSafeLoader, yaml.SafeLoader], ids=["libyaml", "python"])
def both_parsers(request, monkeypatch):
    monkeypatch.setattr(document, "_LOADER", request.param)


def data_of(text):
    return parse(text.encode(), file="f.yaml").data


def refused(text):
    with pytest.raises(InputError) as caught:
        parse(text.encode(), file="f.yaml")
    return caught.value.diagnostics


def places(diagnostics):
    return [(d.code.id, f"{d.span.line}:{d.span.column}") for d in diagnostics]


def stretch(span):
    return (span.line, span.column, span.end_line, span.end_column)


SCALARS = {
    "null": ["null", "Null", "NULL", "~", ""],
    "true": ["true", "True", "TRUE"],
    "false": ["false", "False", "FALSE"],
    "7": ["7", "+7", "0o7", "0x7"],
    "0": ["0", "-0", "+0"],
    "-7": ["-7", "-007"],
    "255": ["255", "0xff", "0xFF", "0o377"],
    "1.5": ["1.5", "1.50", "+1.5", "15e-1", "1.5E0", "01.5"],
    "0.5": [".5", "0.5", "5e-1"],
    "1000.0": ["1e3", "1000.", "1E+3"],
    "33639980001": ["33639980001"],
}
TEXTS = [
    *("+33639980001", "0612345678", "007", "00", "08", "+12", "NO", "no", "Yes", "on", "off", "y", "n", "12:30"),
    *("12:30:45", "2026-12-01", "2026-12-01 09:00", "1_000", ".inf", "-.inf", ".nan", ".NaN", "nULL", "tRUE"),
    *("0o8", "0xg", "-0x1", "0b1", "1e", "e1", "1.2.3", "+", ".", "..", "+.", "+1 2", "5%", "<<", "=", "1,000"),
    *("٣", "٣٣٣", "²"),
]


@pytest.mark.usefixtures("both_parsers")
@pytest.mark.parametrize(
    ("written", "value"),
    [(written, value) for value, spellings in SCALARS.items() for written in spellings],
)
def test_plain_scalars_are_read_as_yaml_1_2_core(written, value):
    expected = {"null": None, "true": True, "false": False}.get(value, value)
    if isinstance(expected, str):
        expected = float(value) if "." in value else int(value)
    found = data_of(f"a: {written}\n")["a"]
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.usefixtures("both_parsers")
@pytest.mark.parametrize("written", TEXTS)
def test_what_other_readers_take_for_a_figure_a_date_or_a_bool_is_text(written):
    assert data_of(f"a: {written}\n") == {"a": written}


@pytest.mark.parametrize("quoted", ["'{}'", '"{}"'], ids=["single", "double"])
@pytest.mark.parametrize("written", ["", "~", "true", "1", "1.5", "0x1", "null"])
def test_what_stands_in_quotes_is_text(quoted, written):
    assert data_of("a: " + quoted.format(written)) == {"a": written}


@pytest.mark.parametrize("indicator", ["|-", ">-"])
def test_block_texts_are_text_even_where_they_look_like_figures(indicator):
    assert data_of(f"a: {indicator}\n  12\n") == {"a": "12"}


EMPTY = ["", "\n", "# only a comment\n", "---\n", "---\n# c\n...\n", "\ufeff", "%YAML 1.2\n---\n"]


@pytest.mark.usefixtures("both_parsers")
@pytest.mark.parametrize("text", EMPTY)
def test_a_file_without_content_is_an_empty_mapping(text):
    found = parse(text.encode(), file="f.yaml")
    assert (found.data, stretch(found.span(())), stretch(found.key_span(()))) == (
        {},
        (1, 1, 1, 1),
        (1, 1, 1, 1),
    )


KEYS = {
    "texts": ("a: 1\n'b': 2\n\"c\": 3\n", {"a": 1, "b": 2, "c": 3}),
    "figures and words as written": (
        "1.50: a\ntrue: b\n007: c\n~: d\n",
        {"1.50": "a", "true": "b", "007": "c", "~": "d"},
    ),
    "no merge": ("a: &a {x: 1}\nb:\n  <<: *a\n  y: 2\n", {"a": {"x": 1}, "b": {"<<": {"x": 1}, "y": 2}}),
    "an alias of a text": ("a: &k name\n*k : 1\n", {"a": "name", "name": 1}),
    "set style": ("{a, b: }", {"a": None, "b": None}),
    "question mark": ("? a\n: 1\n", {"a": 1}),
}


@pytest.mark.usefixtures("both_parsers")
@pytest.mark.parametrize(("text", "expected"), KEYS.values(), ids=KEYS)
def test_keys_are_their_text_as_written(text, expected):
    assert data_of(text) == expected


MISTAKES = {
    # name: (text, [(code, line:column), …]), the same with both parsers
    "a key twice": ("a: 1\nb: 2\na: 3\n", [("SMS011", "3:1")]),
    "a key three times": ("a: 1\na: 2\na: 3\n", [("SMS011", "2:1"), ("SMS011", "3:1")]),
    "a key twice in two spellings": ("a: 1\n\"a\": 2\n'a': 3\n", [("SMS011", "2:1"), ("SMS011", "3:1")]),
    "keys twice in several mappings": (
        "{a: {x: 1, x: 2}, b: {y: 1,\n  y: 2}}",
        [("SMS011", "1:12"), ("SMS011", "2:3")],
    ),
    "a merge key twice": ("a: &a {}\nb: {<<: *a, <<: *a}\n", [("SMS011", "2:13")]),
    "an explicit tag": ("a: !!str 1\n", [("SMS012", "1:4")]),
    "a tag behind an anchor": ("a: &x !!str 1\n", [("SMS012", "1:7")]),
    "a tag before an anchor": ("a: !!str &x 1\n", [("SMS012", "1:4")]),
    "a python tag": ("a: !!python/object/apply:os.system [ls]\n", [("SMS012", "1:4")]),
    "a tag of one's own, on a mapping": ("a: !mine\n  b: 1\n", [("SMS012", "1:4")]),
    "the tag without a name": ("a: ! x\n", [("SMS012", "1:4")]),
    "a verbatim tag": ("- !<tag:x> y\n", [("SMS012", "1:3")]),
    "a tagged key": ("!!str a: 1\n", [("SMS012", "1:1")]),
    "several tags": ("a: !x 1\nb: !y 2\n", [("SMS012", "1:4"), ("SMS012", "2:4")]),
    "a tab before a key": ("a:\n\tb: 1\n", [("SMS013", "2:1")]),
    "a tab behind spaces": ("a:\n  \tb: 1\n", [("SMS013", "2:3")]),
    "a tab before a later key": ("a:\n  b: 1\n\tc: 2\n", [("SMS013", "3:1")]),
    "a tab before a list item": ("a:\n\t- b\n", [("SMS013", "2:1")]),
    "a tab inside brackets": ("a: [\n\tb]\n", [("SMS013", "2:1")]),
    "a tab before a closing bracket": ("a: [b\n\t]\n", [("SMS013", "2:1")]),
    "a tab before a comma": ("a: {b: 1\n \t, c: 2}\n", [("SMS013", "2:2")]),
    "a tab before a block text": ("a: |\n\tb\n", [("SMS013", "2:1")]),
    "a tab after CR": ("a: [\r\tb]\r", [("SMS013", "2:1")]),
    "a second document": ("a: 1\n---\nb: 2\n", [("SMS014", "2:1")]),
    "a second, empty document": ("a: 1\n---\n", [("SMS014", "2:1")]),
    "a document after an empty one": ("---\n---\na: 1\n", [("SMS014", "2:1")]),
    "a list that contains itself": ("a: &x [1, *x]\n", [("SMS017", "1:11")]),
    "a mapping that contains itself": ("a: &x\n  b: *x\n", [("SMS017", "2:6")]),
    "unknown anchors": ("a: *x\nb: [*y]\n", [("SMS017", "1:4"), ("SMS017", "2:5")]),
    "an anchor that comes later": ("a: *x\nb: &x 1\n", [("SMS017", "1:4")]),
    "an unknown anchor as a key": ("*x : 1\n", [("SMS017", "1:1")]),
    "a list as a key": ("[a, b]: 1\n", [("SMS018", "1:1")]),
    "a mapping as a key": ("? {a: 1}\n: 1\n", [("SMS018", "1:3")]),
    "an alias of a list as a key": ("a: &x [1]\n*x : 1\n", [("SMS018", "2:1")]),
    "a template without quotes": ("text: {{ name }}\n", [("SMS018", "1:8")]),
    "figures out of range": ("- 1e999\n- -1e999\n", [("SMS019", "1:3"), ("SMS019", "2:3")]),
    "a figure of 31 digits": (f"- {'9' * 30}\n- {'9' * 31}\n", [("SMS019", "2:3")]),
    "a hexadecimal figure of 40 digits": (f"- 0x{'f' * 40}\n", [("SMS019", "1:3")]),
    "a colon in a text": ("text: Bonjour: vous\n", [("SMS010", "1:14")]),
    "an open quote": ("a: 'b\nc: 1\n", [("SMS010", "3:1")]),
    "an open bracket": ("a: [1, 2\nb: 3\n", [("SMS010", "2:2")]),
    "an at sign": ("a: @b\n", [("SMS010", "1:4")]),
    "a closing brace": ("}", [("SMS010", "1:1")]),
    "a key after a list": ("- a\nb: 1\n", [("SMS010", "2:1")]),
    "text after a quote": ("a: 'b' c\n", [("SMS010", "1:8")]),
    "behind an emoji": ("a: 😀 : b: c\n", [("SMS010", "1:6")]),
    "mistakes and a syntax error": ("a: 1\na: 2\nb: ]\n", [("SMS011", "2:1"), ("SMS010", "3:4")]),
}


@pytest.mark.usefixtures("both_parsers")
@pytest.mark.parametrize(("text", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_reported_at_its_place(text, expected):
    assert places(refused(text)) == expected


@pytest.mark.usefixtures("both_parsers")
@pytest.mark.parametrize("escape", ["\\ud800", "\\udc00", "\\ud83d\\ude00", "\\U00110000"])
def test_an_escape_that_names_no_character_is_refused(escape):
    (found,) = refused(f'a: "{escape}"\n')
    assert (found.code, found.span.line) == (codes.CONTROL_CHARACTER, 1)


TABS_ALLOWED = {
    "between values": "a:\t1\n",
    "in a quoted text": "a: 'x\n\ty'\n",
    "in a block text": "a: |\n  x\n  \ty\n",
    "before a comment in brackets": "a: [\n\t# c\n  1]\n",
    "at the end of a line": "a: 1\t\n",
}


@pytest.mark.parametrize("text", TABS_ALLOWED.values(), ids=TABS_ALLOWED)
def test_a_tab_that_indents_nothing_is_allowed(text):
    assert list(data_of(text)) == ["a"]


def test_a_key_that_stands_twice_shows_the_first_place():
    (found,) = refused("é: 1\nb: 2\né: 3\n")
    (first,) = found.related
    assert (found.detail, first.label, stretch(first.span)) == ("`é`", "first given here", (1, 1, 1, 2))


def test_an_unquoted_template_is_told_to_be_quoted():
    suggestions = {d.suggestion for d in refused("text: {{ name }}, bonjour\n")}
    assert suggestions == {'Quote a text that holds a template: "{{ … }}".'}


WORDS = {
    "a: b: c\n": "a colon stands where no key can be; quote a text that contains `: `",
    "a: 'b\n": "the file ends inside a quoted text",
    'a: "\\q"\n': "this escape is not known; for a backslash write two, or use single quotes",
    "a: `b`\n": "no value can begin with this character; quote the text",
    "a: {b: 1\n": "a comma or the closing bracket is missing",
    "}": "a value is expected here",
    "a: 1\n...\nb": "something follows where the document has already ended",
}


@pytest.mark.usefixtures("both_parsers")
@pytest.mark.parametrize(("text", "expected"), WORDS.items(), ids=WORDS)
def test_a_syntax_error_is_told_in_plain_words(text, expected):
    (found,) = refused(text)
    assert (found.code, found.detail) == (codes.YAML_SYNTAX, expected)


def test_a_syntax_error_shows_where_the_open_part_began():
    (found,) = refused("x: 1\na: [1, 2\nb: 3\n")
    (first,) = found.related
    assert (first.label, stretch(first.span)) == ("the list begins here", (2, 4, 2, 5))


def test_32_levels_are_read_and_33_are_not():
    assert data_of("[" * 32 + "]" * 32)
    assert places(refused("[" * 33 + "]" * 33)) == [("SMS015", "1:33")]


@pytest.mark.usefixtures("both_parsers")
@pytest.mark.parametrize(
    "text", ["[" * 100_000, "- " * 100_000, "? " * 100_000, "{a: " * 100_000], ids=["[", "-", "?", "{"]
)
def test_a_very_deep_file_is_refused(text):
    assert [d.code for d in refused(text)] == [codes.TOO_DEEP]


def test_aliases_do_not_get_around_the_limit_of_levels():
    deep = "a: &a " + "[" * 20 + "]" * 20 + "\nb: " + "[" * 12 + "*a" + "]" * 12 + "\n"
    assert places(refused(deep)) == [("SMS015", "2:16")]


def test_an_alias_bomb_is_refused():
    lines = ["a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 20)]
    assert [d.code for d in refused("\n".join(lines))] == [codes.ALIASES_TOO_LARGE]


def test_aliases_may_add_10_000_values_and_no_more():
    items = ", ".join(["*a"] * 10_000)
    assert len(data_of(f"a: &a x\nb: [{items}]\n")["b"]) == 10_000
    assert [d.code for d in refused(f"a: &a x\nb: [{items}, *a]\n")] == [codes.ALIASES_TOO_LARGE]


def test_an_anchor_given_again_wins_from_there_on():
    assert data_of("- &a 1\n- *a\n- &a 2\n- *a\n") == [1, 1, 2, 2]


def test_no_more_than_a_thousand_mistakes_are_reported():
    assert len(refused("a: 1\n" * 3000)) == 1000


SOURCE = """\
shop: &s 'Ac''me'   # comment
list: [1.50, "a\\tb", {deep: 007}]
empty:
copy: *s
text: |
  one
  two

é😀: ü x
block:
  - a
  - b: 1
    c: 2
"""
SPANS = {
    (): (1, 1, 13, 9),
    ("shop",): (1, 10, 1, 18),
    ("list",): (2, 7, 2, 34),
    ("list", 0): (2, 8, 2, 12),
    ("list", 1): (2, 14, 2, 20),
    ("list", 2, "deep"): (2, 29, 2, 32),
    ("empty",): (3, 7, 3, 7),
    ("copy",): (4, 7, 4, 9),
    ("text",): (5, 7, 7, 6),
    ("é😀",): (9, 5, 9, 8),
    ("block",): (11, 3, 13, 9),
    ("block", 1): (12, 5, 13, 9),
    ("block", 1, "c"): (13, 8, 13, 9),
    # none there: the nearest around it
    ("block", 7): (11, 3, 13, 9),
    ("block", "x", "y"): (11, 3, 13, 9),
    ("shop", "x"): (1, 10, 1, 18),
    ("nothing",): (1, 1, 13, 9),
}


@pytest.mark.usefixtures("both_parsers")
@pytest.mark.parametrize(("route", "expected"), SPANS.items(), ids=map(str, SPANS))
def test_every_value_has_its_place(route, expected):
    assert stretch(parse(SOURCE.encode(), file="f").span(route)) == expected


KEY_SPANS = {
    ("shop",): (1, 1, 1, 5),
    ("list", 2, "deep"): (2, 23, 2, 27),
    ("é😀",): (9, 1, 9, 3),
    ("block", 1, "c"): (13, 5, 13, 6),
    ("copy",): (4, 1, 4, 5),
    # a list item has no key
    ("list", 0): (2, 8, 2, 12),
    (): (1, 1, 1, 1),
}


@pytest.mark.parametrize(("route", "expected"), KEY_SPANS.items(), ids=map(str, KEY_SPANS))
def test_every_key_has_its_place(route, expected):
    assert stretch(parse(SOURCE.encode(), file="f").key_span(route)) == expected


WRITTEN = {
    ("shop",): "Ac'me",
    ("list", 0): "1.50",
    ("list", 1): "a\tb",
    ("list", 2, "deep"): "007",
    ("empty",): "",
    ("copy",): "Ac'me",
    ("text",): "one\ntwo\n",
}


@pytest.mark.parametrize(("route", "expected"), WRITTEN.items(), ids=map(str, WRITTEN))
def test_a_scalar_keeps_its_spelling(route, expected):
    assert parse(SOURCE.encode(), file="f").written(route) == expected


@pytest.mark.parametrize("route", [(), ("list",), ("nothing",), ("shop", 0)], ids=str)
def test_what_is_no_scalar_has_no_spelling(route):
    with pytest.raises(KeyError):
        parse(SOURCE.encode(), file="f").written(route)


def test_values_below_an_alias_stand_where_they_are_written():
    found = parse(b"a: &a\n  b: 1\nc: *a\n", file="f")
    assert (stretch(found.span(("c",))), stretch(found.span(("c", "b")))) == ((3, 4, 3, 6), (2, 6, 2, 7))


def test_the_source_stays_available_line_by_line():
    found = parse("\ufeffa: 1\r\nb: 2\rc: 3\n".encode(), file="f")
    assert (found.file, found.text, found.lines) == (
        "f",
        "a: 1\r\nb: 2\rc: 3\n",
        ["a: 1", "b: 2", "c: 3", ""],
    )


def test_tens_of_thousands_of_receivers_are_read():
    row = '      - {{number: "+3363998{:04d}", firstName: Ana, plan: gold, amount: 1.50}}\n'
    text = "receivers:\n  team:\n    numbers:\n" + "".join(row.format(n % 10_000) for n in range(24_000))
    assert len(data_of(text)["receivers"]["team"]["numbers"]) == 24_000


def test_more_values_than_memory_should_hold_are_refused():
    (finding,) = refused("a: [" + "1," * 250_000 + "1]\n")
    assert finding.code is codes.TOO_MANY_VALUES
