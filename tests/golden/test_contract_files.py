"""What users write, sentence by sentence: files, keys and receivers, as far as no other test proves it."""

import pytest
import worlds

from smsdeclare.cli import opening
from smsdeclare.define import define
from smsdeclare.project import read
from smsdeclare.schema import load_schema
from smsdeclare.simulator.settings import Service

A, B, C, D = (worlds.number(index) for index in range(1, 5))


def project(folder, more, **files):
    return worlds.write(folder, {"smsdeclare.yaml": worlds.root(more=more), **files})


def received(folder, stem="smsdeclare"):
    return sorted(sms["receiver"] for sms in worlds.outbox(folder, stem))


def texts(folder):
    return {sms["receiver"]: sms["message"] for sms in worlds.outbox(folder)}


# — a project and its files —


def part(name, number):
    return worlds.message(name, f'"{number}"', name=name)


def test_a_project_is_its_root_file_and_what_its_globs_find(command, tmp_path):
    files = {
        "smsdeclare.yaml": worlds.root(),
        "a.sms.yaml": part("a", A),
        "deep/er/b.sms.yml": part("b", B),
        "c.yaml": part("c", C),
        ".hidden/d.sms.yaml": part("d", D),
        "deep/.e.sms.yaml": part("e", D),
        "other/smsdeclare.yaml": worlds.root(),
        "other/f.sms.yaml": part("f", D),
        "other/deep/g.sms.yaml": part("g", D),
    }
    command("apply", "-C", worlds.write(tmp_path, files), "--auto-approve")
    assert [A, B] == received(tmp_path)


def test_the_globs_can_be_chosen(command, tmp_path):
    files = {
        "smsdeclare.yaml": worlds.root(more='include: ["parts/*.yaml"]\n'),
        "a.sms.yaml": part("a", A),
        "parts/b.yaml": part("b", B),
        "parts/deep/c.yaml": part("c", C),
    }
    command("apply", "-C", worlds.write(tmp_path, files), "--auto-approve")
    assert [B] == received(tmp_path)


def test_a_second_root_file_shares_the_rest_and_has_a_state_of_its_own(command, tmp_path):
    files = {
        "smsdeclare.yaml": worlds.root(),
        "smsdeclare.staging.yaml": worlds.root(more="policy: {onlyReceivers: team}\n"),
        "a.sms.yaml": f'receivers: {{team: {{numbers: ["{B}"]}}}}\n' + worlds.message("Hi", f'["{A}", "{B}"]'),
    }
    worlds.write(tmp_path, files)
    command("apply", "-C", tmp_path, "-f", "smsdeclare.staging.yaml", "--auto-approve")
    command("apply", "-C", tmp_path, "--auto-approve")
    assert ([B], [A, B]) == (received(tmp_path, "smsdeclare.staging"), received(tmp_path))
    assert ["smsdeclare.sandbox.state", "smsdeclare.staging.sandbox.state"] == sorted(
        path.name for path in tmp_path.glob("*.state")
    )


@pytest.mark.parametrize(
    ("root_file", "more", "state"),
    [
        pytest.param("smsdeclare.yaml", "", "smsdeclare.state", id="by default"),
        pytest.param("smsdeclare.staging.yaml", "", "smsdeclare.staging.state", id="after the root file's name"),
        pytest.param("smsdeclare.yaml", "state: {backend: file, path: sent/x.db}\n", "sent/x.db", id="as it says"),
    ],
)
def test_the_state_lies_beside_the_root_file(command, serve, tmp_path, monkeypatch, root_file, more, state):
    folder = worlds.write(
        tmp_path / "shop",
        {root_file: worlds.loopback(serve().url, more + worlds.message()), "sent/.keep": ""},
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert 0 == command("apply", "-f", folder / root_file, "--auto-approve").code
    assert ((folder / state).is_file(), []) == (True, list(elsewhere.iterdir()))


@pytest.mark.parametrize(
    "key", ["version", "project", "timezone", "provider", "state", "settle", "policy", "variables"]
)
def test_only_receivers_options_and_messages_stand_in_any_file(command, tmp_path, key):
    value = {"version": "1", "project": "x", "timezone": "UTC"}.get(key, "{}")
    folder = project(tmp_path, "", **{"a.sms.yaml": f"{key}: {value}\n"})
    result = command("validate", "-C", folder)
    assert (1, True) == (result.code, "a.sms.yaml:1:1: error SMS107" in result.out)


@pytest.mark.parametrize(
    ("section", "body"),
    [
        ("receivers", '{numbers: ["+33639980001"]}'),
        ("options", "{priority: high}"),
        ("messages", '{text: Hi, to: "+33639980001"}'),
    ],
)
@pytest.mark.parametrize(
    ("name", "code"),
    [
        pytest.param("a" * 63, 0, id="63 characters"),
        pytest.param("a" * 64, 1, id="64 characters"),
        pytest.param("aB-_9", 0, id="every kind of character"),
        pytest.param("a.b", 1, id="a dot"),
    ],
)
def test_a_name_has_up_to_63_characters(command, tmp_path, section, body, name, code):
    assert code == command("validate", "-C", project(tmp_path, f"{section}:\n  {name}: {body}\n")).code


def test_a_post_carries_500_receivers_by_default(command, tmp_path):
    numbers = ", ".join(f'"{worlds.number(index)}"' for index in range(501))
    assert 2 == command("plan", "-C", project(tmp_path, worlds.message("Hi", f"[{numbers}]")), "--json").json[
        "summary"
    ]["posts"]  # fmt: skip


@pytest.mark.parametrize(("written", "pause"), [("", 0.0), (", requestsPerMinute: 600", 0.1)])
def test_the_pace_of_the_project_is_the_provider_s(tmp_path, keys, written, pause):
    root = worlds.root(f'{{name: ovh, endpoint: "http://127.0.0.1:1/1.0"{written}}}', worlds.message())
    definitions = define(read(worlds.write(tmp_path, {"smsdeclare.yaml": root})))
    assert pause == opening.real_or_sandbox(definitions)._pause


# — receivers —

CSV = "phone,plan,optIn,rate\n+33639980001,gold,yes,1.50\n+33639980002, silver ,yes,1.5\n+33639980003,Gold,yes,01\n"


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        pytest.param("{plan: gold}", [A], id="case counts"),
        pytest.param("{plan: [gold, silver]}", [A, B], id="any of, trimmed"),
        pytest.param('{plan: " silver "}', [B], id="trimmed on both sides"),
        pytest.param("{rate: 1.50}", [A], id="a figure as it is written"),
        pytest.param("{rate: 01}", [C], id="a zero in front"),
        pytest.param('{optIn: "yes", plan: [Gold, gold], rate: 1.50}', [A], id="all columns"),
    ],
)
def test_where_compares_text(command, tmp_path, where, expected):
    more = f"receivers: {{all: {{csv: a.csv, numberColumn: phone, where: {where}}}}}\n" + worlds.message("Hi", "all")
    command("apply", "-C", project(tmp_path, more, **{"a.csv": CSV}), "--auto-approve")
    assert expected == received(tmp_path)


@pytest.mark.parametrize(
    ("delimiter", "setting"),
    [(";", ""), ("\t", ""), ("|", ""), (",", ""), (";", 'delimiter: ";", '), ("~", 'delimiter: "~", ')],
)
def test_a_delimiter_is_found_or_given(command, tmp_path, delimiter, setting):
    table = f"name{delimiter}number\nAna{delimiter}{A}\n"
    more = f"receivers: {{all: {{{setting}csv: a.csv}}}}\n" + worlds.message("Hi {{ name }}", "all")
    command("apply", "-C", project(tmp_path, more, **{"a.csv": table}), "--auto-approve")
    assert {A: "Hi Ana"} == texts(tmp_path)


def test_a_csv_file_is_found_from_the_file_that_names_it(command, tmp_path):
    files = {
        "deep/a.sms.yaml": "receivers: {all: {csv: data/a.csv}}\n" + worlds.message("Hi", "all"),
        "deep/data/a.csv": f"number\n{A}\n",
        "data/a.csv": f"number\n{B}\n",
    }
    command("apply", "-C", project(tmp_path, "", **files), "--auto-approve")
    assert [A] == received(tmp_path)


@pytest.mark.parametrize(
    ("lists", "to"),
    [
        pytest.param(f'all: {{numbers: ["{A}", "{B}"], except: [out]}}', "all", id="numbers"),
        pytest.param("all: {csv: a.csv, except: [out]}", "all", id="csv"),
        pytest.param("some: {csv: a.csv}\n  all: {union: [some], except: [out]}", "all", id="union"),
        pytest.param("all: {csv: a.csv}", "all\n    except: [out]", id="to"),
        pytest.param("x: {csv: a.csv}", f'["{A}", "{B}"]\n    except: [out]', id="numbers in to"),
    ],
)
def test_except_stands_beside_every_source(command, tmp_path, lists, to):
    more = f'receivers:\n  out: {{numbers: ["{B}"]}}\n  {lists}\n' + worlds.message("Hi", to)
    command("apply", "-C", project(tmp_path, more, **{"a.csv": f"number\n{A}\n{B}\n"}), "--auto-approve")
    assert [A] == received(tmp_path)


@pytest.mark.parametrize("to", ["[csv, yaml]", "[yaml, csv]", "[both]"])
def test_a_number_that_stands_twice_keeps_its_first_row(command, tmp_path, to):
    more = (
        "receivers:\n"
        "  csv: {csv: a.csv, defaultCountry: FR}\n"
        f'  yaml: {{numbers: [{{number: "{A}", name: Y}}]}}\n'
        "  both: {union: [csv, yaml]}\n"
    )
    table = f"number,name\n{B},B1\n06 39 98 00 01,C1\n{A},C2\n{B},B1\n"
    folder = project(tmp_path, more + worlds.message("Hi {{ name }}", to), **{"a.csv": table})
    warned = [
        (one["code"], one["file"], one["line"]) for one in command("plan", "-C", folder, "--json").json["warnings"]
    ]
    command("apply", "-C", folder, "--auto-approve")
    if to == "[yaml, csv]":
        assert {A: "Hi Y", B: "Hi B1"} == texts(folder)
        assert [("SMS209", "a.csv", 3), ("SMS209", "a.csv", 4)] == warned
    else:
        assert {A: "Hi C1", B: "Hi B1"} == texts(folder)
        assert [("SMS209", "a.csv", 4), ("SMS209", "smsdeclare.yaml", 6)] == warned


@pytest.mark.parametrize("value", ["~", '""', '"  "'])
def test_null_and_blank_count_as_absent(command, tmp_path, value):
    people = f'receivers: {{all: {{numbers: [{{number: "{A}", name: {value}}}]}}}}\n'
    variables = f"variables: {{shop: {{default: {value}}}}}\n" if value != "~" else "variables: {shop: {}}\n"
    text = "{{ name | default('you') }} at {{ shop | default('Acme') }}"
    command("apply", "-C", project(tmp_path, variables + people + worlds.message(text, "all")), "--auto-approve")
    assert {A: "you at Acme"} == texts(tmp_path)
    hole = project(tmp_path, variables + people + worlds.message("{{ shop }} {{ name }}", "all"))
    assert "error SMS303" in command("plan", "-C", hole).err


def test_a_receiver_s_own_value_wins_over_a_variable(command, tmp_path):
    more = (
        "variables: {shop: {default: Acme}}\n"
        f'receivers: {{all: {{numbers: ["{A}", {{number: "{B}", shop: Deli}}]}}}}\n'
    )
    command("apply", "-C", project(tmp_path, more + worlds.message("{{ shop }}", "all")), "--auto-approve")
    assert {A: "Acme", B: "Deli"} == texts(tmp_path)


# — messages —


def test_a_message_that_is_switched_off_is_as_if_it_were_not_there(command, tmp_path):
    folder = project(tmp_path, worlds.message("{{ nobody }}", f'"{A}"', "    enabled: false\n"))
    plan = command("plan", "-C", folder, "--json", "--detailed-exitcode")
    assert (0, []) == (plan.code, plan.json["changes"])


def test_options_are_those_of_ovhcloud_and_no_other():
    assert {
        "sender", "senderForResponse", "noStopClause", "priority", "class", "coding", "charset", "validityPeriod",
        "differedPeriod",
    } == set(load_schema("definitions.v1")["$defs"]["options"]["properties"])  # fmt: skip


def test_options_are_named_or_written_out(command, tmp_path):
    more = (
        "options: {fast: {priority: high}}\n"
        f'messages:\n  one: {{text: Hi, to: "{A}", options: fast}}\n'
        f'  two: {{text: Hi, to: "{B}", options: {{priority: low}}}}\n'
    )
    command("apply", "-C", project(tmp_path, more), "--auto-approve")
    assert {A: "high", B: "low"} == {sms["receiver"]: sms["options"]["priority"] for sms in worlds.outbox(tmp_path)}


def test_a_limit_of_a_plan_counts_what_was_done_under_its_digest(command, serve, tmp_path):
    """A rule made stricter in the middle counts the first half of an approved plan as well."""
    people = "".join(f'{{number: "{worlds.number(index)}", n: "{index}"}}, ' for index in range(3))
    rules = "maxReceivers: 3, maxCredits: 3"
    root = worlds.loopback(
        serve(services=(Service(credits=2.0),)).url,
        f"policy: {{{rules}}}\nreceivers: {{all: {{numbers: [{people}]}}}}\n"
        + worlds.message("Hi {{ n }}", "all", "    options: {noStopClause: true}\n"),
    )
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": root})
    command("plan", "-C", folder, "--out", "plan.json")
    assert 1 == command("apply", "-C", folder, "plan.json").code
    assert 2 == command("status", "-C", folder, "--json").json["messages"][0]["counts"]["accepted"]
    for stricter, code in (("maxReceivers: 2", 5), ("maxCredits: 2", 5), (rules, 1)):
        worlds.write(folder, {"smsdeclare.yaml": root.replace(rules, stricter)})
        assert code == command("apply", "-C", folder, "plan.json").code
