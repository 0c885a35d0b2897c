import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from smsdeclare.document import parse
from smsdeclare.schema import dotted, load_schema, schema_path, validate

CONTRACT = Path(__file__).parent.parent / "golden" / "contract"
ROOT = "version: 1\nproject: acme\nprovider: {name: sandbox}\n"
SCHEMA = load_schema("definitions.v1")


def found(text, kind="part"):
    return validate(parse(text.encode(), file="f.yaml"), kind=kind)


def told(diagnostics):
    return [(d.code.id, f"{d.span.line}:{d.span.column}", d.path, d.detail, d.suggestion) for d in diagnostics]


def in_root(text):
    """The mistakes below the three lines every root file needs; lines counted from `text`."""
    return [
        (code, f"{int(place.split(':')[0]) - 3}:{place.split(':')[1]}", path, detail, suggestion)
        for code, place, path, detail, suggestion in told(found(ROOT + text, "root"))
    ]


@pytest.mark.parametrize(("name", "kind"), [("smsdeclare.yaml", "root"), ("campaign.sms.yaml", "part")])
def test_the_files_of_the_contract_are_right(name, kind):
    text = (CONTRACT / name).read_text("utf-8")
    assert found(text, kind) == []
    data = parse(text.encode(), file=name).data
    assert list(Draft202012Validator(SCHEMA).iter_errors(data)) == []


def keys_of(data):
    if isinstance(data, dict):
        for key, value in data.items():
            yield key
            yield from keys_of(value)
    elif isinstance(data, list):
        for value in data:
            yield from keys_of(value)


def properties_of(schema):
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "properties":
                yield from value.items()
            yield from properties_of(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from properties_of(value)


def resolved(schema):
    return {**SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], **schema} if "$ref" in schema else schema


def test_each_key_of_the_contract_appears_in_the_schema():
    known = {name for name, _ in properties_of(SCHEMA)}
    names_of_the_user = {"shop", "team", "optedOut", "customers", "everyone", "transactional", "order-shipped"}
    own_values = {"firstName", "optIn", "plan"}
    files = ("smsdeclare.yaml", "campaign.sms.yaml")
    keys = {key for name in files for key in keys_of(parse((CONTRACT / name).read_bytes(), file=name).data)}
    assert keys - known == names_of_the_user | own_values


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["$id"] == "urn:smsdeclare:definitions:v1"


def test_every_property_tells_an_editor_what_it_is():
    untold = [
        name
        for name, schema in properties_of(SCHEMA)
        if schema is not False and not {"title", "description", "examples"} <= resolved(schema).keys()
    ]
    assert untold == []


def test_every_example_fits_its_own_property():
    wrong = [
        (name, wanted)
        for name, schema in properties_of(SCHEMA)
        if schema is not False
        for wanted in resolved(schema)["examples"]
        if list(Draft202012Validator({**schema, "$defs": SCHEMA["$defs"]}).iter_errors(wanted))
    ]
    assert wrong == []


def test_every_pattern_is_anchored_at_both_ends():
    patterns = re.findall(r'"pattern": "((?:[^"\\]|\\.)*)"', json.dumps(SCHEMA))
    assert len(patterns) > 5
    assert [pattern for pattern in patterns if not (pattern.startswith("^") and pattern.endswith("$"))] == []


def test_the_top_level_lists_every_key_for_the_editors():
    assert list(SCHEMA["properties"]) == list(SCHEMA["$defs"]["root"]["properties"])


EDITOR = {
    "a root file": ({"version": 1, "project": "a", "provider": {"name": "ovh"}}, True),
    "a root file without provider": ({"version": 1, "project": "a"}, False),
    "a part": ({"messages": {}}, True),
    "an empty part": ({}, True),
    "a part with a root key": ({"policy": {}}, False),
    "an unknown key": ({"mesages": {}}, False),
}


@pytest.mark.parametrize(("data", "expected"), EDITOR.values(), ids=EDITOR)
def test_an_editor_tells_a_root_file_from_the_others_by_its_keys(data, expected):
    assert Draft202012Validator(SCHEMA).is_valid(data) == expected


def test_a_schema_is_found_by_its_name():
    assert schema_path("definitions.v1").name == "definitions.v1.schema.json"
    assert load_schema("definitions.v1")["title"] == "smsdeclare definitions"
    with pytest.raises(FileNotFoundError):
        load_schema("definitions.v9")


@pytest.mark.parametrize("text", ["", "messages: {}\n", "receivers: {}\noptions: {}\n"])
def test_a_part_may_hold_nothing(text):
    assert found(text) == []


M = "messages: {m: {text: a, to: b, "
R = "receivers: {r: {"
PART_MISTAKES = {
    # name: (text, code, line:column, path, detail, suggestion)
    "an unknown top key": ("mesages: {}\n", "SMS101", "1:1", "mesages", "`mesages`", "Did you mean `messages`?"),
    "an unknown key with no near one": (
        "foo: {}\n",
        "SMS101",
        "1:1",
        "foo",
        "`foo`",
        "Allowed here: `receivers`, `options`, `messages`.",
    ),
    "a key in snake case": (
        M + "send_at: x}}\n",
        "SMS101",
        "1:32",
        "messages.m.send_at",
        "`send_at`",
        "Did you mean `sendAt`?",
    ),
    "a key of OVH's batches": (
        "options: {o: {noStop: true}}\n",
        "SMS101",
        "1:15",
        "options.o.noStop",
        "`noStop`",
        "Did you mean `noStopClause`?",
    ),
    "an option from the batches": (
        "options: {o: {from: ACME}}\n",
        "SMS101",
        "1:15",
        "options.o.from",
        "`from`",
        "Did you mean `sender`?",
    ),
    "an option beside the text": (
        M + "sender: A}}\n",
        "SMS101",
        "1:32",
        "messages.m.sender",
        "`sender`",
        "Put `sender` under `options`.",
    ),
    "a long key is cut": (
        f"{'x' * 60}: 1\n",
        "SMS101",
        "1:1",
        "x" * 39 + "…",
        f"`{'x' * 39}…`",
        "Allowed here: `receivers`, `options`, `messages`.",
    ),
    "a root key in a part": ("receivers: {}\npolicy: {}\n", "SMS107", "2:1", "policy", "`policy`", ""),
    "the tag": ("options: {o: {tag: x}}\n", "SMS111", "1:15", "options.o.tag", "", ""),
    "the tag of a message": (M + "options: {tag: x}}}\n", "SMS111", "1:42", "messages.m.options.tag", "", ""),
    "no text": (
        "messages:\n  m: {to: b}\n",
        "SMS102",
        "2:3",
        "messages.m.text",
        "`text`",
        'For example: `text: "Bonjour {{ firstName }}, votre colis arrive demain."`.',
    ),
    "no to": (
        "messages:\n  m: {text: b}\n",
        "SMS102",
        "2:3",
        "messages.m.to",
        "`to`",
        'For example: `to: "customers"`.',
    ),
    "a receiver without number": (
        R + "numbers: [{a: b}]}}\n",
        "SMS102",
        "1:27",
        "receivers.r.numbers[0].number",
        "`number`",
        'For example: `number: "+33639980001"`.',
    ),
    "no source": (
        R + "except: [x]}}\n",
        "SMS102",
        "1:13",
        "receivers.r",
        "one of `numbers`, `csv`, `union`",
        "Say where the receivers come from.",
    ),
    "two sources": (
        R + "union: [x], csv: y}}\n",
        "SMS110",
        "1:29",
        "receivers.r.csv",
        "`csv` does not go with `union`",
        "",
    ),
    "a delimiter without csv": (
        R + 'numbers: ["+33639980001"], delimiter: ";"}}\n',
        "SMS110",
        "1:44",
        "receivers.r.delimiter",
        "`delimiter` does not go with `numbers`",
        "",
    ),
    "a country for a union": (
        R + "union: [x], defaultCountry: FR}}\n",
        "SMS110",
        "1:29",
        "receivers.r.defaultCountry",
        "`defaultCountry` does not go with `union`",
        "",
    ),
    "a list for a mapping": ("messages: []\n", "SMS103", "1:11", "messages", "expected a mapping, found a list", ""),
    "nothing for a mapping": (
        "messages:\n",
        "SMS103",
        "1:10",
        "messages",
        "expected a mapping, found nothing",
        "Fill it in or remove the key.",
    ),
    "nothing for a receivers list": (
        "receivers: {r: }\n",
        "SMS103",
        "1:16",
        "receivers.r",
        "expected a mapping, found nothing",
        "Fill it in or remove the key.",
    ),
    "a figure for a receivers list": (
        "receivers: {r: 5}\n",
        "SMS103",
        "1:16",
        "receivers.r",
        "expected a mapping, found a whole number",
        "",
    ),
    "a list for a receivers list": (
        "receivers: {r: [csv, union]}\n",
        "SMS103",
        "1:16",
        "receivers.r",
        "expected a mapping, found a list",
        "",
    ),
    "a file's name for a receivers list": (
        "receivers: {r: customers.csv}\n",
        "SMS103",
        "1:16",
        "receivers.r",
        "expected a mapping, found a text",
        "",
    ),
    "a list for a file": ("- a\n", "SMS103", "1:1", "", "expected a mapping, found a list", ""),
    "a figure for a text": (
        "messages: {m: {to: b, text: 1.50}}\n",
        "SMS103",
        "1:29",
        "messages.m.text",
        "expected a text, found a number",
        'Quote it: "1.50".',
    ),
    "a bool for a text": (
        "options: {o: {sender: true}}\n",
        "SMS103",
        "1:23",
        "options.o.sender",
        "expected a text, found true or false",
        'Quote it: "true".',
    ),
    "a number without quotes": (
        R + "numbers: [33639980001]}}\n",
        "SMS103",
        "1:27",
        "receivers.r.numbers[0]",
        "expected a text or a mapping, found a whole number",
        'Quote it and begin with +: "+33639980001".',
    ),
    "a number without quotes in a mapping": (
        R + "numbers: [{number: 33639980001}]}}\n",
        "SMS103",
        "1:36",
        "receivers.r.numbers[0].number",
        "expected a text, found a whole number",
        'Quote it and begin with +: "+33639980001".',
    ),
    "a number without quotes in to": (
        "messages: {m: {text: a, to: 33639980001}}\n",
        "SMS103",
        "1:29",
        "messages.m.to",
        "expected a text or a list, found a whole number",
        'Quote it and begin with +: "+33639980001".',
    ),
    "a number without quotes in a list in to": (
        "messages: {m: {text: a, to: [b, 33639980001]}}\n",
        "SMS103",
        "1:33",
        "messages.m.to[1]",
        "expected a text, found a whole number",
        'Quote it and begin with +: "+33639980001".',
    ),
    "a list as a receiver's value": (
        R + "numbers: [{number: x, a: [1]}]}}\n",
        "SMS103",
        "1:42",
        "receivers.r.numbers[0].a",
        "expected a text, a number, true or false or nothing, found a list",
        "",
    ),
    "a text for a bool": (
        M + "enabled: yes}}\n",
        "SMS103",
        "1:41",
        "messages.m.enabled",
        "expected true or false, found a text",
        "Write `true`.",
    ),
    "a text for a figure": (
        M + "revision: '2'}}\n",
        "SMS103",
        "1:42",
        "messages.m.revision",
        "expected a whole number, found a text",
        "Write 2, without quotes or decimals.",
    ),
    "a float for a revision": (
        M + "revision: 1.0}}\n",
        "SMS103",
        "1:42",
        "messages.m.revision",
        "expected a whole number, found a number",
        "Write 1, without quotes or decimals.",
    ),
    "a bool for a revision": (
        M + "revision: true}}\n",
        "SMS103",
        "1:42",
        "messages.m.revision",
        "expected a whole number, found true or false",
        "",
    ),
    "a text for a list": (
        R + "union: team}}\n",
        "SMS103",
        "1:24",
        "receivers.r.union",
        "expected a list, found a text",
        "Write a list: [team].",
    ),
    "an enum of another type": (
        "options: {o: {coding: 7}}\n",
        "SMS103",
        "1:23",
        "options.o.coding",
        "expected a text, found a whole number",
        'Quote it: "7".',
    ),
    "an unknown priority": (
        "options: {o: {priority: High}}\n",
        "SMS104",
        "1:25",
        "options.o.priority",
        "`High` is none of `high`, `medium`, `low`, `veryLow`",
        "Did you mean `high`?",
    ),
    "an unknown class": (
        "options: {o: {class: xyz}}\n",
        "SMS104",
        "1:22",
        "options.o.class",
        "`xyz` is none of `flash`, `phoneDisplay`, `sim`, `toolkit`",
        "",
    ),
    "a revision below 1": (M + "revision: 0}}\n", "SMS104", "1:42", "messages.m.revision", "`0` is less than 1", ""),
    "an empty text": (
        "messages: {m: {text: '', to: b}}\n",
        "SMS104",
        "1:22",
        "messages.m.text",
        "the text is empty",
        "",
    ),
    "an empty to": ("messages: {m: {text: a, to: []}}\n", "SMS104", "1:29", "messages.m.to", "the list is empty", ""),
    "a long delimiter": (
        R + 'csv: x, delimiter: ";;"}}\n',
        "SMS104",
        "1:36",
        "receivers.r.delimiter",
        "`;;` is longer than 1 character",
        "",
    ),
    "a date without a time": (
        M + "sendAt: 2026-12-01}}\n",
        "SMS104",
        "1:40",
        "messages.m.sendAt",
        "`2026-12-01` is not in the right form",
        "When it goes out, local to `timezone`; an offset wins. Without it: now. For example: 2026-12-01 09:00",
    ),
    "a country in lower case": (
        R + "csv: x, defaultCountry: fr}}\n",
        "SMS104",
        "1:41",
        "receivers.r.defaultCountry",
        "`fr` is not in the right form",
        "ISO 3166 alpha-2, in capitals. For example: FR",
    ),
    "a name of a message": (
        "messages: {Été 2026: {text: a, to: b}}\n",
        "SMS105",
        "1:12",
        "messages.Été 2026",
        "`Été 2026`",
        "For example: `ete-2026`.",
    ),
    "a name of a receivers list": (
        "receivers: {1a: {csv: x}}\n",
        "SMS105",
        "1:13",
        "receivers.1a",
        "`1a`",
        "For example: `a`.",
    ),
    "a name that ends with a new line": (
        'options: {"a\\n": {}}\n',
        "SMS105",
        "1:11",
        "options.a\n",
        "`a\n`",
        "For example: `a`.",
    ),
    "a name as a value": (
        M + "options: No Stop}}\n",
        "SMS105",
        "1:41",
        "messages.m.options",
        "`No Stop`",
        "For example: `no-Stop`.",
    ),
    "a name that is no text": (
        M + "options: 1}}\n",
        "SMS103",
        "1:41",
        "messages.m.options",
        "expected a text or a mapping, found a whole number",
        'Quote it: "1".',
    ),
    "null where texts are wanted": (
        R + "csv: x, where: {a: ~}}}\n",
        "SMS103",
        "1:36",
        "receivers.r.where.a",
        "expected a text, a number, true or false or a list, found nothing",
        "Fill it in or remove the key.",
    ),
}


@pytest.mark.parametrize(
    ("text", "code", "place", "path", "detail", "suggestion"), PART_MISTAKES.values(), ids=PART_MISTAKES
)
def test_a_mistake_is_told_once_at_its_place_and_in_plain_words(text, code, place, path, detail, suggestion):
    assert told(found(text)) == [(code, place, path, detail, suggestion)]


ROOT_MISTAKES = {
    "another backend": (
        "state: {backend: fil}\n",
        "SMS104",
        "1:18",
        "state.backend",
        "`fil` is none of `file`, `postgresql`, `git`, `s3`, `http`",
        "Did you mean `file`?",
    ),
    "an unknown key of the state": (
        "state: {number: x}\n",
        "SMS101",
        "1:9",
        "state.number",
        "`number`",
        "Did you mean `numbers`?",
    ),
    "a duration without a unit": (
        "settle: {after: '30'}\n",
        "SMS104",
        "1:17",
        "settle.after",
        "`30` is not in the right form",
        f"{SCHEMA['$defs']['settle']['properties']['after']['description']} For example: 30m",
    ),
    "half of quiet hours": (
        'policy: {quietHours: {from: "20:00"}}\n',
        "SMS102",
        "1:10",
        "policy.quietHours.to",
        "`to`",
        'For example: `to: "08:00"`.',
    ),
    "an hour that is none": (
        'policy: {quietHours: {from: "20:00", to: "24:00"}}\n',
        "SMS104",
        "1:42",
        "policy.quietHours.to",
        "`24:00` is not in the right form",
        "HH:MM, 24 hours. For example: 20:00",
    ),
    "a day in French": (
        "policy: {quietHours: {days: [sam]}}\n",
        "SMS104",
        "1:30",
        "policy.quietHours.days[0]",
        "`sam` is none of `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`",
        "Did you mean `sat`?",
    ),
    "a share of a thousand": (
        "policy: {maxSkipped: 5000%}\n",
        "SMS104",
        "1:22",
        "policy.maxSkipped",
        "`5000%` is not in the right form",
        "A percentage such as 5%, or a whole number. For example: 5%",
    ),
    "a negative count": ("policy: {maxLeft: -1}\n", "SMS104", "1:19", "policy.maxLeft", "`-1` is less than 0", ""),
    "a variable that is no mapping": (
        "variables: {shop: Acme}\n",
        "SMS103",
        "1:19",
        "variables.shop",
        "expected a mapping, found a text",
        "",
    ),
    "a variable's name": (
        "variables: {Shop: {}}\n",
        "SMS105",
        "1:13",
        "variables.Shop",
        "`Shop`",
        "For example: `shop`.",
    ),
    "a glob that is no list": (
        "include: '*.yaml'\n",
        "SMS103",
        "1:10",
        "include",
        "expected a list, found a text",
        "Write a list: [*.yaml].",
    ),
}


@pytest.mark.parametrize(
    ("text", "code", "place", "path", "detail", "suggestion"), ROOT_MISTAKES.values(), ids=ROOT_MISTAKES
)
def test_a_mistake_in_a_root_file_is_told_once(text, code, place, path, detail, suggestion):
    assert in_root(text) == [(code, place, path, detail, suggestion)]


def test_an_empty_root_file_lacks_three_keys():
    assert told(found("", "root")) == [
        ("SMS102", "1:1", "version", "`version`", "For example: `version: 1`."),
        ("SMS102", "1:1", "project", "`project`", 'For example: `project: "acme-shop"`.'),
        ("SMS102", "1:1", "provider", "`provider`", ""),
    ]


VERSIONS = {"2": "SMS104", "'1'": "SMS103", "1.0": "SMS103", "true": "SMS103", "0x1": None}


@pytest.mark.parametrize(("version", "code"), VERSIONS.items(), ids=VERSIONS)
def test_version_1_is_the_only_one(version, code):
    text = f"version: {version}\nproject: acme\nprovider: {{name: sandbox}}\n"
    assert [d.code.id for d in found(text, "root")] == ([code] if code else [])


ENDPOINTS = {
    "ovh-eu": True,
    "ovh-ca": True,
    "ovh-us": True,
    "http://127.0.0.1:8800/1.0": True,
    "http://127.9.9.9": True,
    "http://localhost:8800": True,
    "http://[::1]:8800/1.0": True,
    "ovh-de": False,
    "https://api.example.com/1.0": False,
    "http://127.0.0.1@example.com/": False,
    "http://127.0.0.1.example.com/": False,
    "http://127.example.com": False,
    "http://localhost.example.com": False,
    "http://localhost:80@example.com": False,
    "http://localhost:8800/?u=a": False,
    "http://localhost\\n": False,
}


@pytest.mark.parametrize(("endpoint", "allowed"), ENDPOINTS.items(), ids=ENDPOINTS)
def test_an_endpoint_is_ovhcloud_or_this_machine(endpoint, allowed):
    text = f'version: 1\nproject: acme\nprovider: {{name: ovh, endpoint: "{endpoint}"}}\n'
    assert [d.code.id for d in found(text, "root")] == ([] if allowed else ["SMS104"])


GOOD_VALUES = [
    "sendAt: 2026-12-01 09:00",
    "sendAt: 2026-12-01T09:00:30+01:00",
    "sendAt: 2026-12-01T09:00Z",
    "expiresAt: never",
    "expiresAt: 2026-12-01 09:00 +0100",
    "renamedFrom: none",
    "options: {}",
    "options: {coding: 8bit, charset: UTF-8, class: flash, validityPeriod: 1, differedPeriod: 0}",
    "except: [optedOut]",
    "maxCredits: 0.5",
    "enabled: FALSE",
]


@pytest.mark.parametrize("value", GOOD_VALUES)
def test_a_message_takes_what_the_contract_gives_it(value):
    assert found(M + value + "}}\n") == []


RECEIVERS = [
    "numbers: [+33639980001, '0639980002', {number: +33639980003, a: 1, b: 1.5, c: true, d: ~, 'Prénom client': x}]",
    "csv: x, where: {a: 1, b: [1.50, true, x]}",
    "union: [a, b], except: [c]",
    "numbers: ['+33639980001'], defaultCountry: FR, except: [c]",
    'csv: x, delimiter: "\\t"',
]


@pytest.mark.parametrize("value", RECEIVERS)
def test_a_receivers_list_takes_what_the_contract_gives_it(value):
    assert found(R + value + "}}\n") == []


def test_all_mistakes_of_a_file_come_in_one_list_in_its_order():
    text = "messages:\n  M:\n    txt: a\n    to: 1\noptions:\n  o: {tag: 1, sender: 2}\nfoo: 1\n"
    assert [(d.code.id, d.span.line, d.span.column) for d in found(text)] == [
        ("SMS102", 2, 3),
        ("SMS105", 2, 3),
        ("SMS101", 3, 5),
        ("SMS103", 4, 9),
        ("SMS111", 6, 7),
        ("SMS103", 6, 23),
        ("SMS101", 7, 1),
    ]


def test_keys_that_exclude_each_other_show_both_places():
    (diagnostic,) = found("receivers:\n  r:\n    csv: a\n    union: [b]\n")
    (first,) = diagnostic.related
    assert (first.label, first.span.line, first.span.column) == ("`csv` stands here", 3, 5)


def test_long_values_are_quoted_short():
    (diagnostic,) = found(M + f"sendAt: {'9' * 20}{'x' * 500}}}}}\n")
    assert diagnostic.detail == f"`{'9' * 20}{'x' * 19}…` is not in the right form"


def test_a_thousand_mistakes_are_enough():
    text = R + "numbers: [" + "33639980001, " * 3000 + "]}}\n"
    assert len(found(text)) == 1000


def test_no_diagnostic_shows_the_schema_or_python():
    texts = [case[0] for case in PART_MISTAKES.values()]
    words = " ".join(f"{d.message} {d.suggestion}" for text in texts for d in found(text))
    assert re.findall(r"additionalProperties|propertyNames|\^\[|None\b|True\b|<class", words) == []


def test_a_route_is_written_with_dots_and_brackets():
    assert dotted(("messages", "m", "to", 0)) == "messages.m.to[0]"
    assert dotted(()) == ""


def test_definitions_are_sorted_by_place():
    spans = [d.span for d in found("foo: 1\nbar: 2\nbaz: 3\n")]
    assert all(one < other for one, other in pairwise(spans))


def test_a_key_that_stands_there_already_is_not_suggested():
    (diagnostic,) = found("options: {o: {sender: A, sendr: B}}\n")
    assert diagnostic.suggestion.startswith("Allowed here: `sender`, ")


def test_the_validator_is_loaded_only_when_it_is_needed():
    code = "import sys, smsdeclare.schema; print('jsonschema' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"
