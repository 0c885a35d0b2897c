"""`smsdeclare preview` as a user types it."""

import json

import jsonschema
import pytest
import worlds

from smsdeclare.schema import load_schema

PROJECT = {
    "smsdeclare.yaml": worlds.root(more='variables: {shop: {default: "L’Atelier"}}\n')
    + """receivers:
  customers: {csv: data/customers.csv, numberColumn: phone, defaultCountry: FR}
messages:
  delivery:
    text: "Bonjour {{ firstName|upper }}, votre colis {{ shop }} arrive demain entre 8 h et 12 h. Pour changer \
le jour, appelez-nous avant ce soir."
    to: customers
    options: {sender: ACME}
  hello: {text: "Hello\\nthere", to: "+33639980009", options: {noStopClause: true}}
  later: {text: Later, to: "+33639980009", enabled: false}
""",
    "data/customers.csv": "phone,firstName\n0639980001,Zoé\nnone,Nobody\n0639980002,Agnès\n0639980003,Ana\n",
}
DELIVERY = """\
message.delivery@1   3 receivers   6 credits
  unicode, 2 parts, 2 credits: 3 receivers
  1 row skipped; `smsdeclare validate` says which and why

  +336•••••02 (data/customers.csv:4): unicode, 2 parts, 2 credits
  ╭─ part 1 of 2 ────────────────────╮
  │ Bonjour ‹FIRSTNAME›, votre colis │
  │ L’Atelier arrive demain entre 8  │
  │ h et 12                          │
  ├─ part 2 of 2 ────────────────────┤
  │ h. Pour changer le jour,         │
  │ appelez-nous avant ce soir.      │
  │ STOP 36XXX                       │
  ╰──────────────────────────────────╯
  130 characters in 2 parts, room for 4 more
  The receiver's own values are hidden; --show-numbers shows them
  OVHcloud adds a STOP clause, 11 characters

  What forces 3 texts into Unicode:
    `’` U+2019 right single quotation mark (`'` would do), 3 receivers: the variable shop
    `È` U+00C8 (`E` would do), 1 receiver: data/customers.csv:4 firstName
"""
HELLO = """\
message.hello@1   1 receiver   1 credit
  gsm7, 1 part, 1 credit: 1 receiver

  +336•••••09 (smsdeclare.yaml:12): gsm7, 1 part, 1 credit
  ╭──────────────────────────────────╮
  │ Hello                            │
  │ there                            │
  ╰──────────────────────────────────╯
  11 characters in 1 part, room for 149 more
"""


@pytest.fixture
def project(tmp_path):
    return worlds.write(tmp_path / "project", PROJECT)


def check(document, name="preview"):
    jsonschema.validate(document, load_schema(f"{name}.v1"), cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        pytest.param([], f"{DELIVERY}\n{HELLO}", id="all that are enabled"),
        pytest.param(["message.delivery"], DELIVERY, id="a message"),
        pytest.param(["message.hello@1"], HELLO, id="a revision"),
    ],
)
def test_the_texts_are_shown_as_on_a_phone(command, project, address, expected):
    result = command("preview", "-C", project, *address)
    assert (0, expected, "") == (result.code, result.out, result.err)


def test_one_send_is_shown_with_its_own_values_where_numbers_may_be_seen(command, project):
    address = "message.delivery@1/+33639980001"
    hidden, shown = (command("preview", "-C", project, address, *more).out for more in ([], ["--show-numbers"]))
    assert "‹FIRSTNAME›" in hidden
    assert "ZOÉ" not in hidden
    assert "+33639980001" not in hidden
    assert "│ Bonjour ZOÉ, votre colis         │" in shown
    assert "1 receiver   2 credits" in shown
    assert "+33639980001 (data/customers.csv:2)" in shown
    assert "hidden" not in shown


def test_the_document_is_as_its_schema_says(command, project):
    document = command("preview", "-C", project, "--json").json
    check(document)
    delivery, hello = document["messages"]
    split = delivery["example"].pop("split")
    text = delivery["example"]["text"]
    assert f"{text}\nSTOP 36XXX" == "".join(split)
    assert text.startswith("Bonjour ‹FIRSTNAME›, votre colis L’Atelier arrive")
    cost = {"encoding": "unicode", "parts": 2, "credits": 2.0, "creditsExact": True}
    assert {
        "address": "message.delivery@1",
        "receivers": 3,
        "credits": 6.0,
        "creditsExact": True,
        "costs": [{**cost, "receivers": 3}],
        "stopClause": "added",
        "example": {
            "receiver": "+336•••••02",
            "file": "data/customers.csv",
            "line": 4,
            **cost,
            "text": text,
            "units": 130,
            "room": 4,
            "partsWithoutStopClause": 2,
        },
        "unicode": {
            "receivers": 3,
            "characters": [
                {
                    "character": "’",
                    "codePoint": "U+2019",
                    "name": "right single quotation mark",
                    "lookAlike": "'",
                    "receivers": 3,
                    "byValue": 0,
                    "places": [{"source": "variable", "name": "shop", "file": None, "line": None}],
                },
                {
                    "character": "È",
                    "codePoint": "U+00C8",
                    "name": "latin capital letter e with grave",
                    "lookAlike": "E",
                    "receivers": 1,
                    "byValue": 1,
                    "places": [{"source": "value", "name": "firstName", "file": "data/customers.csv", "line": 4}],
                },
            ],
            "moreCharacters": 0,
        },
        "skipped": 1,
        "normalized": None,
        "rows": [],
        "moreRows": 0,
    } == delivery
    assert ("none", ["Hello\nthere"], []) == (
        hello["stopClause"], hello["example"]["split"], hello["unicode"]["characters"]
    )  # fmt: skip


def test_where_numbers_may_be_seen_the_document_has_the_text_that_goes_out(command, project):
    found = command("preview", "-C", project, "message.delivery@1/+33639980002", "--json", "--show-numbers").json
    check(found)
    # Rows before this one were left out, but they are not this receiver's.
    assert 0 == found["messages"][0]["skipped"]
    example = found["messages"][0]["example"]
    assert ("+33639980002", True) == (example["receiver"], example["text"].startswith("Bonjour AGNÈS, votre"))
    assert f"{example['text']}\nSTOP 36XXX" == "".join(example["split"])


def test_a_project_without_messages_is_no_failure(command, tmp_path):
    empty = worlds.write(tmp_path / "empty", {"smsdeclare.yaml": worlds.root()})
    assert (0, "No messages.\n") == (command("preview", "-C", empty).code, command("preview", "-C", empty).out)
    check(command("preview", "-C", empty, "--json").json)


def test_a_message_without_receivers_has_no_example(command, tmp_path):
    lists = 'receivers: {out: {numbers: ["+33639980001"]}, all: {numbers: ["+33639980001"], except: [out]}}\n'
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=lists + worlds.message(to="all"))})
    assert "message.hello@1   0 receivers   0 credits\n" == command("preview", "-C", project).out
    document = command("preview", "-C", project, "--json").json
    check(document)
    assert document["messages"][0]["example"] is None


@pytest.mark.parametrize(
    ("address", "code", "said"),
    [
        pytest.param("message.nobody", "SMS507", "the files have no message of that name", id="no such message"),
        pytest.param("message.hello@2", "SMS507", "the files have `message.hello@1`", id="no such revision"),
        pytest.param("message.later", "SMS507", "the message is not enabled", id="not enabled"),
        pytest.param("message.hello@1/+33639980001", "SMS507", "it is no receiver of the message", id="no receiver"),
        pytest.param("message.hello@1#7k3q9f2m", "SMS507", "there are no refs before the first apply", id="no state"),
        pytest.param("hello", "SMS901", "`hello` is no address", id="no address"),
    ],
)
def test_an_address_that_names_nothing_is_an_error(command, project, address, code, said):
    result = command("preview", "-C", project, address)
    assert (1, "") == (result.code, result.out)
    assert f"error {code}" in result.err
    assert said in result.err
    document = command("preview", "-C", project, address, "--json")
    check(document.json, "error")
    assert (1, [code], "") == (document.code, [error["code"] for error in document.json["errors"]], document.err)


def test_a_send_is_found_by_its_ref(command, project):
    command("apply", "-C", project, "--auto-approve")
    rows = command("state", "list", "-C", project, "--json", "--show-numbers").json["sends"]
    ref = next(row["ref"] for row in rows if row["receiver"] == "+33639980003")
    by_ref = command("preview", "-C", project, f"message.delivery@1#{ref}", "--show-numbers")
    by_number = command("preview", "-C", project, "message.delivery@1/+33639980003", "--show-numbers")
    assert (0, by_number.out) == (by_ref.code, by_ref.out)
    assert "+33639980003" in by_ref.out
    unknown = command("preview", "-C", project, "message.delivery@1#00000000")
    assert (1, True) == (unknown.code, "it is no receiver of the message" in unknown.err)


def test_a_hole_in_a_text_is_an_error_and_only_where_it_is_looked_at(command, project):
    path = project / "data" / "customers.csv"
    path.write_text(path.read_text().replace("Agnès", ""))
    result = command("preview", "-C", project)
    assert (1, "") == (result.code, result.out)
    assert "data/customers.csv:4:1: error SMS303" in result.err
    assert 0 == command("preview", "-C", project, "message.hello").code
    assert 0 == command("preview", "-C", project, "message.delivery@1/+33639980001").code
    document = command("preview", "-C", project, "--json")
    assert ["SMS303"] == [error["code"] for error in document.json["errors"] if error["line"] == 4]


def test_what_cannot_be_previewed_in_any_message_is_reported_at_once(command, tmp_path):
    more = worlds.message("{{ a }}") + '  other: {text: "{{ b }}", to: "+33639980002"}\n'
    result = command("preview", "-C", worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=more)}), "--json")
    assert 2 == len(result.json["errors"])


def test_neither_a_state_nor_credentials_nor_a_provider_are_needed(command, tmp_path):
    """Nor is any file written."""
    root = worlds.root("{name: ovh, endpoint: ovh-eu}", "state: {path: broken.state}\n" + worlds.message())
    project = worlds.write(tmp_path, {"smsdeclare.yaml": root, "broken.state": "no state at all"})
    assert 0 == command("preview", "-C", project).code
    assert {"smsdeclare.yaml", "broken.state"} == {path.name for path in project.iterdir()}


def test_rows_that_the_policy_leaves_out_are_counted(command, project):
    path = project / "smsdeclare.yaml"
    path.write_text(path.read_text().replace("variables:", "policy: {allowedCountries: [BE]}\nvariables:"))
    first, second = command("preview", "-C", project, "--json").json["messages"]
    assert [(0, 4), (0, 1)] == [(one["receivers"], one["skipped"]) for one in (first, second)]


@pytest.mark.parametrize("text", ["\u202egnp.exe", "\u2066\u200d", "e\u0301" * 40, "日本語" * 30], ids=ascii)
def test_nothing_that_a_file_holds_is_obeyed_by_the_terminal(command, tmp_path, text):
    people = f'receivers: {{all: {{numbers: [{{number: "+33639980001", n: {json.dumps(text)}}}]}}}}\n'
    more = people + worlds.message("Hi {{ n }}" + text, "all")
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=more)})
    for options in ([], ["--show-numbers"], ["--json"], ["--json", "--show-numbers"]):
        out = command("preview", "-C", project, *options).out
        assert out
        assert not any(ord(one) < 0x20 and one != "\n" for one in out)
        assert not set("\u200b\u200d\u202e\u2066\x1b\x7f") & set(out)
