"""What is taken for sound without a second look is what the validator takes, whatever keys and values stand where."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from smsdeclare import document, schema
from smsdeclare.acceptance import fits
from smsdeclare.errors import InputError

ROOT = Path(__file__).parents[2]
KINDS = ("root", "part", "policy", "policyFile")
DEFINITIONS = schema.load_schema("definitions.v1")["$defs"]
KEYS = sorted({key for node in DEFINITIONS.values() if isinstance(node, dict) for key in node.get("properties", {})})


def documents():
    for path in sorted([*(ROOT / "examples").rglob("*.yaml"), *(ROOT / "tests/fuzz/corpus").rglob("*.yaml")]):
        try:
            yield document.parse(path.read_bytes(), file=path.name).data
        except InputError:
            continue


SEEDS = [data for data in documents() if isinstance(data, dict) and data]
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 600), st.floats(-2, 2), st.text(max_size=5), st.sampled_from(KEYS),
    st.sampled_from(["5%", "30m", "ovh-eu", "FR", "08:00", "2026-12-01 09:00", "never\n", "1.0"]),
    st.lists(st.sampled_from(["FR", "x", 1, {}]), max_size=2),
    st.dictionaries(st.sampled_from(KEYS), st.integers(), max_size=2),
)  # fmt: skip


def routes(data, before=()):
    yield before
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in pairs:
        yield from routes(value, (*before, key))


@st.composite
def changed(draw):
    """A sound document with a few places made otherwise."""
    data = copy.deepcopy(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 3))):
        *way, last = ("", *draw(st.sampled_from([one for one in routes(data) if one] or [("x",)])))
        around = data
        for step in way[1:]:
            around = around[step]
        match draw(st.sampled_from(("put", "drop", "add"))):
            case "put":
                around[last] = draw(VALUES)
            case "drop" if isinstance(around, dict):
                around.pop(last, None)
            case _ if isinstance(around, dict):
                around[draw(st.sampled_from(KEYS))] = draw(VALUES)
    return data


@pytest.mark.parametrize("kind", KINDS)
def test_the_schemas_are_read_in_full(kind):
    """What is sound is taken at once: no keyword sends everybody the long way."""
    taken = [data for data in SEEDS if fits(data, DEFINITIONS[kind], DEFINITIONS)]
    sound = [data for data in SEEDS if schema._validator(kind).is_valid(data)]
    assert sound == taken
    assert sound or kind.startswith("policy")


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60)
@given(data=changed())
def test_what_is_taken_is_sound_and_what_is_sound_is_taken(kind, data):
    assert schema._validator(kind).is_valid(data) == fits(data, DEFINITIONS[kind], DEFINITIONS)


RULES = [
    {"type": "integer"}, {"type": ["string", "null"]}, {"enum": [1, "a", True, None]}, {"const": False}, {"const": 1},
    {"not": {"required": ["a", "b"]}}, {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
    {"anyOf": [{"type": "string"}, {"minimum": 1}]}, {"if": {"type": "string"}, "then": {"minLength": 2}},
    {"if": {"type": "object"}, "else": {"maximum": 1}}, {"pattern": "^a+$"}, {"pattern": "b"}, {"maxLength": 1},
    {"minItems": 1, "items": {"type": "integer"}}, {"dependentRequired": {"a": ["b"]}},
    {"propertyNames": {"maxLength": 1}}, {"additionalProperties": False, "properties": {"a": {"type": "string"}}},
    {"additionalProperties": {"type": "integer"}}, {"properties": {"a": False}}, {"$ref": "#/$defs/a"},
]  # fmt: skip
NAMES = st.sampled_from(["a", "b", "cc"])
THINGS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 3), st.sampled_from([0.5, 1.5, "", "a", "aa", "a\n", "b"])),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=5,
)  # fmt: skip


PLAIN = [
    {},
    {"a": 1},
    {"b": 1},
    {"a": "x", "b": 2},
    {"cc": 1},
    "",
    "a",
    "aa",
    [],
    [1],
    ["x"],
    None,
    True,
    False,
    0,
    1,
    1.5,
]


@pytest.mark.parametrize("rule", RULES, ids=json.dumps)
def test_each_keyword_takes_some_and_refuses_some(rule):
    verdicts = [fits(thing, rule, {"a": {"type": "array"}}) for thing in PLAIN]
    validator = Draft202012Validator({**rule, "$defs": {"a": {"type": "array"}}})
    assert [validator.is_valid(thing) for thing in PLAIN] == verdicts
    assert {True, False} == set(verdicts)


@pytest.mark.parametrize("rule", RULES, ids=json.dumps)
@settings(max_examples=15)
@given(thing=THINGS)
def test_each_keyword_means_what_the_library_says(rule, thing):
    definitions = {"a": {"type": "array"}}
    if "pattern" in rule and thing == "a\n":
        return  # to Python's re the library's $ matches before a last newline
    assert Draft202012Validator({**rule, "$defs": definitions}).is_valid(thing) == fits(thing, rule, definitions)


@pytest.mark.parametrize(
    "rule",
    [{"contains": {}}, {"patternProperties": {}, "additionalProperties": False}, {"$ref": "other.json"}],
    ids=json.dumps,
)
def test_what_is_not_known_here_is_never_taken(rule):
    assert not fits({"a": 1}, rule, {})
    assert not fits({"a": 1}, {"not": rule}, {})
