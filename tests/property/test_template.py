import re
from dataclasses import replace

import minijinja
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from smsdeclare import codes
from smsdeclare.template import Template, TemplateProblem, compile_text

PIECES = [
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "{{-",
    "-}}",
    "{%-",
    "-%}",
    "{{+",
    "if",
    "elif",
    "else",
    "endif",
    "raw",
    "endraw",
    "for",
    "in",
    "endfor",
    "set",
    "is",
    "not",
    "and",
    "or",
    "defined",
    "default",
    "d",
    "upper",
    "length",
    "replace",
    "truncate",
    "int",
    "round",
    "row",
    "a",
    "b",
    "shop",
    "none",
    "true",
    "|",
    ".",
    ",",
    ":",
    "=",
    "==",
    "~",
    "+",
    "-",
    "*",
    "/",
    "//",
    "%",
    "**",
    "<",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "'x'",
    '"y"',
    "'{{'",
    "'}}'",
    "1",
    "2.5",
    "{%",
    "if",
    "endif",
    "%}",
    "{%",
    "raw",
    "%}",
    "{%",
    "endraw",
    "%}",
    "{{a}}",
    "row.x",
    "row['y']",
    "|default('z')",
    "'",
    '"',
    "\\",
]
SOURCES = st.lists(st.sampled_from([*PIECES, " ", "\n", "é", "\u00a0"]), max_size=25).map(" ".join)
EXPRESSIONS = st.recursive(
    st.sampled_from(["a", "b", "shop", "row.a", "row['b']", "'x'", "3", "1.5", "true", "''"]),
    lambda inner: st.one_of(
        st.tuples(
            inner,
            st.sampled_from(["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", ">=", "and", "or", "in"]),
            inner,
        ).map("({0[0]}) {0[1]} ({0[2]})".format),
        inner.map("({})".format),
        inner.map("not {}".format),
        inner.map("{}[0]".format),
        inner.map("({})[:2]".format),
        st.tuples(inner, st.sampled_from(["upper", "length", "int", "first", "urlencode", "string", "trim"])).map(
            "|".join
        ),
        st.tuples(inner, inner).map("{0[0]}|default({0[1]})".format),
        st.tuples(inner, inner).map("{0[0]}|replace('x', {0[1]})".format),
        st.tuples(inner, inner, inner).map("({0[0]} if {0[1]} else {0[2]})".format),
        inner.map("({} is defined)".format),
        st.tuples(inner, inner).map("(({0[0]}) is startingwith ({0[1]}))".format),
    ),
    max_leaves=6,
)


def outcome(source, own, variables=()):
    """A template that rendered, or the problem; anything else is a fault."""
    try:
        compiled = compile_text(source)
        compiled.sample(own, dict(variables))
        return compiled, compiled.render(own, dict(variables))
    except TemplateProblem as problem:
        return None, problem


@given(st.text(st.characters(exclude_characters="{\ufffd", exclude_categories=["Cc", "Cs"]), min_size=1))
@example("50 % } }} %} #}\n")
@example("a\n\n")
def test_a_text_without_braces_comes_back(text):
    assume(text.strip())
    compiled = compile_text(text)
    assert compiled.is_plain
    assert text.removesuffix("\n") == compiled.render({}, {})
    assert text.removesuffix("\n") == compiled.sample((), {})


@given(st.text(st.sampled_from("a\r\n "), max_size=6))
def test_what_is_dropped_at_the_end_is_what_minijinja_drops(text):
    plain = compile_text(text)
    assume(not text.isspace() and text)
    _, rendered = outcome(text, {})
    _, through = outcome("{# #}" + text, {})
    assert plain.is_plain
    assert str(rendered) == str(through)


@given(SOURCES, st.dictionaries(st.sampled_from("abxy"), st.text(max_size=5)))
@example("{{ '" + "\\" * 7 + "' }}", {})
@example("{%raw%}{{ a }}{%endraw%}{{ b }}", {})
@example("{#}#}{{ a }}", {})
def test_any_source_and_any_values_end_in_a_text_or_a_problem(source, own):
    compiled, found = outcome(source, own, {"shop": "Acme"})
    if compiled is None:
        assert isinstance(found, TemplateProblem)
    else:
        assert found.strip()


@given(SOURCES)
@example("{{ '{{ a }}' }}{# {{ b }} #}{% raw %}{{ c }}{% endraw %}{{ row.d }}")
def test_the_names_are_those_minijinja_finds(source):
    compiled, _ = outcome(source, {})
    assume(isinstance(compiled, Template))
    expected = minijinja.Environment().undeclared_variables_in_str(source)
    assert expected == compiled.names | ({"row"} if compiled.row_columns else set())


AVOIDS = (" or ", " and ", " if ", "default", "defined")


@given(EXPRESSIONS)
def test_no_text_goes_out_that_leaves_out_what_is_missing(expression):
    source = f"<{{{{ {expression} }}}}>"
    compiled, found = outcome(source, {}, {"shop": "Acme"})
    if compiled is not None:
        assert "undefined" not in found.lower()
        assert "none" not in found.lower()
        # Nothing guards the value and no branch goes around it.
        assert compiled.names <= {"shop"} or any(word in expression for word in AVOIDS)
        assert not compiled.row_columns or any(word in expression for word in AVOIDS)


@given(EXPRESSIONS)
def test_rendering_twice_gives_the_same(expression):
    first = outcome(f"x{{{{ {expression} }}}}", {"a": "1", "b": "z"})[1]
    assert str(first) == str(outcome(f"x{{{{ {expression} }}}}", {"a": "1", "b": "z"})[1])


LITERALS = st.text(st.sampled_from("ab %s{}#\r\n-é€\u00a0"), max_size=6)
BLANKS = st.sampled_from(
    ["{{ a }}", "{{b}}", "{{ shop }}", "{{\n\ta }}", "{{- a }}", "{{ b -}}", "{{ true }}", "{{ a|upper }}"]
)


@given(
    st.lists(st.one_of(LITERALS, BLANKS), max_size=8).map("".join),
    st.dictionaries(st.sampled_from(["a", "b", "shop"]), st.text(max_size=5)),
)
@example("{{ a }}\n", {"a": "x"})
@example("100 % {{ a }}%s\r\n", {"a": "%s"})
@example("{{ a }}", {"a": "\ud800"})
@example("{{{ a }}}", {"a": "x"})
def test_blanks_are_filled_in_as_minijinja_does(source, own):
    """What prints values and does no more is not rendered; MiniJinja says what would come of it."""
    compiled, found = outcome(source, own, {"shop": "Acme"})
    if compiled is not None:
        assert found == replace(compiled, _blanks=None).render(own, {"shop": "Acme"})
    elif found.code not in (codes.TEMPLATE_SYNTAX, codes.TEMPLATE_FORBIDDEN):
        with pytest.raises(TemplateProblem, match=f"^{re.escape(found.detail)}$") as raised:
            replace(compile_text(source), _blanks=None).render(own, {"shop": "Acme"})
        assert found.code is raised.value.code


def test_only_what_prints_values_and_no_more_is_filled_in():
    assert ("a %s 50 %% %s", ("b", "c")) == compile_text("a {{ b }} 50 % {{c}}\n")._blanks
    assert [None] * 5 == [
        compile_text(source)._blanks for source in ("a", "{{ a|upper }}", "{{- a }}", "{{ row.a }}", "{{ a }}{# b #}")
    ]
