import pytest

from smsdeclare import codes
from smsdeclare.template import TemplateProblem, compile_text
from smsdeclare.template_filters import FILTERS

OWN = {"firstName": "Ana", "price": "12.50", "Prénom client": "Ana Lou"}
VARIABLES = {"shop": "Acme", "firstName": "Nobody"}


def render(source, own=OWN, variables=VARIABLES):
    return compile_text(source).render(own, variables)


def problem_of(source, own=OWN, variables=VARIABLES):
    with pytest.raises(TemplateProblem) as caught:
        render(source, own, variables)
    return caught.value


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("Bonjour", "Bonjour", id="plain text"),
        pytest.param("Bonjour\n", "Bonjour", id="one newline at the end is dropped"),
        pytest.param("Bonjour\n\n", "Bonjour\n", id="only one newline is dropped"),
        pytest.param("{{ firstName }}\n", "Ana", id="one newline at the end of a template is dropped"),
        pytest.param("{{ firstName }} et {{ shop }}", "Ana et Acme", id="own value and variable"),
        pytest.param("{{ row['Prénom client'] }}", "Ana Lou", id="a column of any name"),
        pytest.param("{{ row.price }} {{ row['firstName'] }}", "12.50 Ana", id="columns by dot and bracket"),
        pytest.param("{{ nick | default('toi') }}", "toi", id="default"),
        pytest.param("{{ nick|d(firstName) }}", "Ana", id="default from a value"),
        pytest.param("{{ nick|default(alias)|default('toi') }}", "toi", id="defaults in a row"),
        pytest.param("{{ firstName|default(alias) }}", "Ana", id="a default that is not needed may be missing"),
        pytest.param("{{ row.nick|default('toi') }}", "toi", id="default for a column"),
        pytest.param("{% if nick is defined %}a{% else %}b{% endif %}", "b", id="is defined"),
        pytest.param("{{ nick if nick is defined else 'toi' }}", "toi", id="inline condition"),
        pytest.param("x{{ 'y' if shop == 'Other' }}", "x", id="a condition without else prints nothing"),
        pytest.param("{% if shop in ['Acme', 'Zeta'] %}a{% endif %}", "a", id="in a list"),
        pytest.param("{% if shop not in ['Zeta'] %}a{% endif %}", "a", id="not in a list"),
        pytest.param("{% if 'cm' in shop and not shop is startingwith 'Z' %}a{% endif %}", "a", id="tests"),
        pytest.param("{{ shop is endingwith('me') }} {{ 1 > 2 }}", "true false", id="yes and no"),
        pytest.param("{{ price|float * 2 }}|{{ 7|int // 2 }}", "25|3", id="arithmetic"),
        pytest.param("{{ (price|float)|round(1)|replace('.', ',') }}", "12,5", id="rounding a figure"),
        pytest.param("A & B <{{ shop }}> {{ '&' }}", "A & B <Acme> &", id="nothing is escaped"),
        pytest.param("{# {{ nick }} #}a", "a", id="comment"),
        pytest.param("{% raw %}{{ nick }}{% endraw %}", "{{ nick }}", id="raw"),
        pytest.param("a {{- ' b ' -}} c", "a b c", id="white space control"),
        pytest.param("{{ firstName[:1] }}.", "A.", id="slice"),
        pytest.param("{{ 'it\\'s }}' }}", "it's }}", id="braces in quotes"),
    ],
)
def test_text_renders(source, expected):
    assert expected == render(source)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'ÉTÉ'|lower", "été"),
        ("'été'|upper", "ÉTÉ"),
        ("'ana LOU'|capitalize", "Ana lou"),
        ('"jean-pierre l\'été (bis)"|title', "Jean-Pierre L'été (Bis)"),
        ("'  a  '|trim", "a"),
        ("'xxaxx'|trim('x')", "a"),
        ("'a b'|replace(' ', '_')", "a_b"),
        ("''|replace('', 'x')", "x"),
        ("'The quick brown fox'|truncate(length=12)", "The..."),
        ("'The quick brown fox'|truncate(length=12, killwords=true, end='')", "The quick br"),
        ("'12'|int", "12"),
        ("'12.7'|int", "12"),
        ("'x'|int(default=3)", "3"),
        ("'3.50'|float", "3.5"),
        ("'x'|float(default=1.5)", "1.5"),
        ("2.55|round(1)", "2.5"),
        ("3.14159|round(2)", "3.14"),
        ("12|round", "12"),
        ("(0 - 3)|abs", "3"),
        ("'abc'|first", "a"),
        ("'abc'|last", "c"),
        ("'été'|length", "3"),
        ("5|string", "5"),
        ("'a b/é'|urlencode", "a%20b/%C3%A9"),
    ],
)
def test_filters_do_what_minijinja_does(expression, expected):
    minijinja = pytest.importorskip("minijinja")
    source = f"{{{{ {expression} }}}}"
    assert expected == render(source)
    assert expected == minijinja.render_str(source)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ 2.0 }}", "2"),
        ("{{ 6 / 2 }}", "3"),
        ("{{ '2.50'|float }}", "2.5"),
        ("{{ 0.00001 }}", "0.00001"),
        ("{{ 99999999999.0 * 100000 }}", "9999999999900000"),
    ],
)
def test_a_figure_prints_without_exponent_and_without_empty_fraction(source, expected):
    assert expected == render(source)


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ("{{ nick }}", "`nick`"),
        ("{{ row['Nom du client'] }}", "`row['Nom du client']`"),
        ("{{ row.nick }}", "`row['nick']`"),
        ("{{ row.shop }}", "`row['shop']`"),
        ("{{ nick ~ 'x' }}", "`nick`"),
        ("{{ 'x' ~ nick }}", "`nick`"),
        ("{{ 'x' + nick }}", "`nick`"),
        ("{{ nick * 3 }}", "`nick`"),
        ("{{ -nick }}", "`nick`"),
        ("{{ not nick }}", "`nick`"),
        ("{{ nick == 'x' }}", "`nick`"),
        ("{{ 'x' != nick }}", "`nick`"),
        ("{{ nick < alias }}", "`nick`, `alias`"),
        ("{{ nick in 'xyz' }}", "`nick`"),
        ("{{ nick in ['x'] }}", "`nick`"),
        ("{{ nick not in ['x'] }}", "`nick`"),
        ("{{ 'x' in nick }}", "`nick`"),
        ("{{ nick and 'x' }}", "`nick`"),
        ("{{ 'x' and nick }}", "`nick`"),
        ("{{ nick or 'x' }}", "`nick`"),
        ("{{ '' or nick }}", "`nick`"),
        ("{{ 'x' if nick else 'y' }}", "`nick`"),
        ("{{ 'x' if nick }}", "`nick`"),
        ("{{ 'x' if false else nick }}", "`nick`"),
        ("{% if nick %}x{% endif %}", "`nick`"),
        ("{% if false %}x{% elif nick == 'x' %}y{% endif %}", "`nick`"),
        ("{{ nick[0] }}", "`nick`"),
        ("{{ nick[:2] }}", "`nick`"),
        ("{{ 'abc'[nick] }}", "`nick`"),
        ("{{ 'abc'[:nick] }}", "`nick`"),
        ("{{ nick|default(alias) }}", "`alias`"),
        ("{{ nick|default(alias)|upper }}", "`alias`"),
        ("{{ nick|default(alias) ~ 'x' }}", "`alias`"),
        ("{{ nick|upper|default('x') }}", "`nick`"),
        ("{{ nick is startingwith 'x' }}", "`nick`"),
        ("{{ 'x' is startingwith nick }}", "`nick`"),
        ("{{ nick is endingwith('x') }}", "`nick`"),
        ("{{ 'x' is not endingwith(nick) }}", "`nick`"),
        ("{{ firstName[9] }}", "a part of a value"),
        ("{{ ''|first }}", "a part of a value"),
    ],
)
def test_what_is_missing_is_a_hole_and_is_named(source, missing):
    problem = problem_of(f"Bonjour {source} !")
    assert codes.TEMPLATE_HOLE == problem.code
    verb = "are" if ", " in missing else "is"
    assert f"{missing} {verb} missing" == problem.detail


def test_a_hole_names_its_line():
    problem = problem_of("a\nb {{ firstName }}\nc {{ nick }}")
    assert (3, "`nick` is missing") == (problem.offset_line, problem.detail)


#: What each filter can be given in each place; all of it valid but for the one that is replaced by a hole.
ARGUMENTS = {
    "replace": ["'a'", "'b'"],
    "truncate": ["3", "true", "'.'", "0"],
    "round": ["1"],
    "trim": ["'x'"],
    "int": ["3"],
    "float": ["3"],
}


@pytest.mark.parametrize("name", sorted(FILTERS))
@pytest.mark.parametrize("missing", ["nick", "row.nick", "firstName[9]", "(nick|default(alias))"])
def test_no_filter_takes_what_is_missing_as_its_value(name, missing):
    arguments = ", ".join(ARGUMENTS.get(name, []))
    assert codes.TEMPLATE_HOLE == problem_of(f"a{{{{ {missing}|{name}({arguments}) }}}}").code


@pytest.mark.parametrize(
    ("name", "place"), [(name, place) for name in ARGUMENTS for place in range(len(ARGUMENTS[name]))]
)
def test_no_filter_takes_what_is_missing_as_an_argument(name, place):
    arguments = list(ARGUMENTS[name])
    arguments[place] = "nick"
    # A text that is no figure, so that the defaults of `int` and `float` are asked for; `round` wants a figure.
    value = "1.25" if name == "round" else "'no figure'"
    assert codes.TEMPLATE_HOLE == problem_of(f"a{{{{ {value}|{name}({', '.join(arguments)}) }}}}").code


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(source, id=source)
        for source in [
            "{% for c in firstName %}{{ c }}{% endfor %}",
            "{% macro m() %}{% endmacro %}",
            "{% set x = 1 %}",
            "{% include 'x' %}",
            "{% import 'x' as y %}",
            "{% from 'x' import y %}",
            "{% extends 'x' %}",
            "{% block x %}{% endblock %}",
            "{% call x() %}{% endcall %}",
            "{% filter upper %}a{% endfilter %}",
            "{% with x = 1 %}{% endwith %}",
            "{% do x() %}",
            "{% autoescape true %}a{% endautoescape %}",
            "{{ debug() }}",
            "{{ range(3) }}",
            "{{ dict(a=1) }}",
            "{{ namespace() }}",
            "{{ cycler('a') }}",
            "{{ joiner() }}",
            "{{ lipsum() }}",
            "{{ super() }}",
            "{{ firstName.upper() }}",
            "{{ 'x'.upper() }}",
            "{{ (firstName)() }}",
            "{{ firstName[0]() }}",
            "{{ firstName.__class__ }}",
            "{{ row }}",
            "{{ row|length }}",
            "{{ row[shop] }}",
            "{{ row['a' ~ 'b'] }}",
            "{{ row.items() }}",
            "{{ 'a' in row }}",
            "{{ [shop] }}",
            "{{ ['a']|first }}",
            "{{ {'a': shop} }}",
            "{{ (shop, 'a') }}",
            "{{ shop in [shop] }}",
            "{{ shop in ['a', ['b']] }}",
            "{{ none }}",
            "{{ None }}",
            "{{ nick|default(none) }}",
            "{{ shop|join(',') }}",
            "{{ shop|list }}",
            "{{ shop|e }}",
            "{{ shop|safe }}",
            "{{ shop|tojson }}",
            "{{ shop|random }}",
            "{{ shop|attr('x') }}",
            "{{ shop|map('upper') }}",
            "{{ shop|format(shop) }}",
            "{{ shop is none }}",
            "{{ shop is string }}",
            "{{ shop is in 'abc' }}",
            "{{ shop is eq 'abc' }}",
            "{{ shop|trim(*nick) }}",
            "{{ shop|trim(**nick) }}",
            "{{ 1e400 }}",
            "{{ 1.5.0 }}",
        ]
    ],
)
def test_what_is_switched_off_is_refused_before_anything_is_rendered(source):
    with pytest.raises(TemplateProblem) as caught:
        compile_text(f"a{source}")
    assert caught.value.code in (codes.TEMPLATE_FORBIDDEN, codes.TEMPLATE_SYNTAX)
    if "do x" not in source:
        assert codes.TEMPLATE_FORBIDDEN == caught.value.code


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("{{ ", 1),
        ("{{ shop", 1),
        ("a\n{{ 'shop }}", 2),
        ("{{ a b }}", 1),
        ("{% if shop %}a", 1),
        ("a\n{% fi %}", 2),
        ("{% endif %}", 1),
        ("{# shop", 1),
        ("{% raw %}a", 1),
        ("{{ shop\u00a0}}", 1),
        ("{{ }}", 1),
        ("x" * 20_001, None),
        ("\ud800{{ shop }}", None),
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", 1),
    ],
    ids=range(14),
)
def test_what_is_no_template_is_refused_with_its_line(source, line):
    with pytest.raises(TemplateProblem) as caught:
        compile_text(source)
    assert (codes.TEMPLATE_SYNTAX, line) == (caught.value.code, caught.value.offset_line)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        pytest.param("", codes.TEXT_EMPTY, id="empty"),
        pytest.param(" \n ", codes.TEXT_EMPTY, id="only white space"),
        pytest.param("{{ 'x' if false }}", codes.TEXT_EMPTY, id="nothing rendered"),
        pytest.param("a\tb", codes.TEXT_CONTROL, id="tab"),
        pytest.param("a\rb", codes.TEXT_CONTROL, id="carriage return"),
        pytest.param("a\x7f", codes.TEXT_CONTROL, id="delete"),
        pytest.param("a\x85", codes.TEXT_CONTROL, id="C1"),
        pytest.param("a\ud800", codes.TEXT_CONTROL, id="surrogate"),
        pytest.param("{{ '\\x1b' }}", codes.TEXT_CONTROL, id="escape from a template"),
        pytest.param("{{ 'a' * 100000000 }}", codes.TEMPLATE_FAILED, id="repeated"),
        pytest.param("{{ ('a' * 9000) * 9000 }}", codes.TEMPLATE_FAILED, id="repeated twice"),
        pytest.param("{{ 'a' * 10001 }}", codes.TEMPLATE_FAILED, id="too long"),
        pytest.param("{{ 9 ** 9 ** 9 }}", codes.TEMPLATE_FAILED, id="power"),
        pytest.param("{{ ('a' * 9999)|replace('a', 'bcde') }}", codes.TEMPLATE_FAILED, id="replaced"),
        pytest.param("{{ 1.5|round(99999999) }}", codes.TEMPLATE_FAILED, id="rounded far"),
        pytest.param("{{ firstName|int }}", codes.TEMPLATE_FAILED, id="no figure"),
        pytest.param("{{ firstName|round }}", codes.TEMPLATE_FAILED, id="no figure to round"),
        pytest.param("{{ price|int / 0 }}", codes.TEMPLATE_FAILED, id="by zero"),
        pytest.param("{{ firstName + 1 }}", codes.TEMPLATE_FAILED, id="text and figure"),
        pytest.param("{{ firstName|upper(1) }}", codes.TEMPLATE_FAILED, id="too many arguments"),
        pytest.param("{{ firstName|replace('a') }}", codes.TEMPLATE_FAILED, id="too few arguments"),
    ],
)
def test_a_text_that_can_not_go_out_is_refused(source, code):
    assert code == problem_of(source).code


@pytest.mark.parametrize(
    ("source", "detail"),
    [
        ("{{ 'a' * 100000000 }}", "it computes too much"),
        ("{{ ('a' * 9000) * 9000 }}", "it computes too much"),
        ("{{ ('a' * 9999)|replace('a', 'bcde') }}", "`replace` makes more than 10,000 characters"),
    ],
)
def test_what_would_take_much_memory_stops_before_it_does(source, detail):
    assert detail == problem_of(source).detail


@pytest.mark.parametrize("value", ["a\x00b", "a\tb", f"a{chr(0xD83D)}", "a\ufffd"])
def test_a_control_character_in_a_value_is_refused(value):
    assert codes.TEXT_CONTROL == problem_of("{{ firstName }}", {"firstName": value}).code


@pytest.mark.parametrize("text", ["👩\u200d👩\u200d👧", "שלום\u200f!", "a\u00a0b", "a\nb"])
def test_what_scripts_and_emoji_need_goes_out(text):
    assert text == render("{{ firstName }}", {"firstName": text})


@pytest.mark.parametrize(
    ("source", "secret"),
    [
        ("{{ v|int }}", "Zygomatic"),
        ("{{ v|round }}", "Zygomatic"),
        ("{{ v|truncate(v) }}", "Zygomatic"),
        ("{{ v + 1 }}", "Zygomatic"),
        ("{{ v|int ** 99999 }}", "7654321"),
        ("{{ v|int / 0 }}", "7654321"),
        ("{{ v|int % 0 }}", "7654321"),
        ("{{ v * 99999999 }}", "7654321"),
        ("{{ v ~ '\\x00' }}", "7654321"),
        ("{{ v[nick] }}", "7654321"),
        ("{{ v|upper ~ nick }}", "Zygomatic"),
    ],
)
def test_no_problem_tells_a_receivers_value(source, secret):
    problem = problem_of(source, {"v": secret})
    assert secret.casefold() not in str(problem).casefold()
    assert "\n" not in problem.detail


def test_names_and_columns_are_known_without_receivers():
    compiled = compile_text(
        "{{ a|replace('b', c) }}{% if d is defined %}{{ row.e }}{{ row['f g'] }}{% endif %}'{{ 'h' }}'"
    )
    assert (frozenset("acd"), frozenset({"e", "f g"})) == (compiled.names, compiled.row_columns)
    assert not compiled.is_plain


def test_a_text_without_syntax_is_plain():
    assert compile_text("50 % } { {a} de remise").is_plain


@pytest.mark.parametrize("name", ["self", "loop", "template_name", "name", "source", "context", "text", "défaut"])
def test_any_column_may_be_a_name(name):
    assert "v" == render(f"{{{{ {name} }}}}", {name: "v"})


def test_a_column_called_row_does_not_hide_the_row():
    assert "Ana" == render("{{ row.firstName }}", {"row": "x", "firstName": "Ana"})


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("Bonjour\n", "Bonjour", id="plain"),
        pytest.param("{{ firstName }}, {{ shop }}", "‹firstName›, Acme", id="own and variable"),
        pytest.param("{{ row['Prénom client'] }}", "‹Prénom client›", id="column"),
        pytest.param("{{ nick|default('toi') }}", "toi", id="nobody has it"),
        pytest.param("{{ firstName|default('toi') }}", "‹firstName›", id="somebody has it"),
        pytest.param("{{ firstName|upper }}", "‹FIRSTNAME›", id="capitals"),
        pytest.param("{% if shop == 'Acme' %}a{% endif %}{{ firstName }}", "a‹firstName›", id="variable decides"),
        pytest.param("{% if firstName == 'Ana' %}a{% endif %}", None, id="own value decides"),
        pytest.param("{{ 'a' if row.price > '5' else 'b' }}", None, id="column decides"),
        pytest.param("{{ price|int }}", None, id="figure"),
        pytest.param("{{ firstName|length }}", None, id="length"),
        pytest.param("{{ firstName|first }}.", None, id="half a placeholder"),
        pytest.param("{{ firstName|last }}.", None, id="the other half"),
        pytest.param("{{ firstName[:3] }}.", None, id="slice"),
        pytest.param("{{ nick }}", None, id="hole"),
    ],
)
def test_a_sample_shows_names_instead_of_values(source, expected):
    expected = source if expected is None else expected
    assert expected == compile_text(source).sample(OWN.keys(), VARIABLES)
