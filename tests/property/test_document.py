import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from invariants import check_document, dumped

from smsdeclare import document
from smsdeclare.document import parse

#: Pieces that make YAML more often than chance does.
PIECES = st.sampled_from(
    [
        *(
            "a",
            "é",
            "😀",
            "e\u0301",
            ": ",
            ":",
            "- ",
            "-",
            "? ",
            ", ",
            "\n",
            "\n  ",
            "\r\n",
            "\r",
            "\t",
            "\n\t",
            " ",
            "  ",
        ),
        *("[", "]", "{", "}", "'", '"', "#", " #", "|", ">", "|-\n", "&a ", "*a", "!x ", "!!str ", "---\n", "...\n"),
        *("%YAML 1.2\n", "\\", "\\u", "\\ud800", "\\0", "@", "`", "{{ x }}", "\x85", "\u2028", "\ufeff", "0", "12"),
        *("1e9", "~", "true", "<<", "version", "messages", "receivers", "numbers", "options", "tag", "text", "to"),
    ]
)
TEXTS = st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=60)


@pytest.fixture(params=[yaml.CSafeLoader, yaml.SafeLoader], ids=["libyaml", "python"], autouse=True, scope="module")
def _both_parsers(request):
    before = document._LOADER
    document._LOADER = request.param
    yield
    document._LOADER = before


@settings(max_examples=400, deadline=None)
@given(TEXTS)
@example("a: &a [*a]")
@example("- {a: *b, ? [x] : y, !t z}")
@example('a: "\\U00110000"')
@example("\ufeff\ufeffa: b: c")
@example("a: |\n\n\n  x\n\n\n")
@example("&a &b c")
@example("a: 1\n\u2028b: 2\n\x85c: 3\n: ]")
def test_any_text_is_read_or_refused_at_a_place_inside_the_file(text):
    check_document(text.encode("utf-8", "replace"))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80) | TEXTS.map(lambda text: text.encode("utf-16", "replace")))
def test_any_bytes_are_read_or_refused_at_a_place_inside_the_file(data):
    check_document(data)


#: What a file may hold: no control characters but tab and line ends, nothing that is half a character.
CHARACTERS = st.characters(
    codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufeff\ufffe\uffff"
) | st.sampled_from("\t\n'\"\\:#-")
STRINGS = st.text(CHARACTERS, max_size=12)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**29), 10**29)
    | STRINGS
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STRINGS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(STRINGS, VALUES, max_size=5), st.booleans())
def test_what_was_written_with_quoted_texts_comes_back(value, flow):
    assert parse(dumped(value, allow_unicode=True, default_flow_style=flow, width=60).encode(), file="f").data == value


@settings(max_examples=100, deadline=None)
@given(st.lists(STRINGS, min_size=1, max_size=5))
def test_the_span_of_a_quoted_text_is_the_text_with_its_quotes(texts):
    source = "".join(f"- '{quoted(text)}'\n" for text in texts)
    found = parse(source.encode(), file="f")
    for place, text in enumerate(texts):
        span = found.span((place,))
        assert found.lines[span.line - 1][span.column - 1 : span.end_column - 1] == f"'{quoted(text)}'"


def quoted(text):
    return "".join(character for character in text if character not in "\t\n\x85\u2028\u2029").replace("'", "''")
