"""The commands as a user types them."""

import io
import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import worlds

from smsdeclare.schema import load_schema
from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.server import Server
from smsdeclare.simulator.settings import Service, Settings

ARGUMENTS = ["apply", "--auto-approve"]
PEOPLE = """receivers:
  people:
    numbers:
      - {number: "+33639980001", name: Ana}
      - {number: "+33639980002", name: Bo}
"""


@pytest.fixture
def project(tmp_path):
    return worlds.write(
        tmp_path / "project",
        {"smsdeclare.yaml": worlds.root(more=PEOPLE + worlds.message("Hello {{ name }}", "people"))},
    )


def edit(project, before, after):
    path = project / "smsdeclare.yaml"
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after))


@pytest.fixture
def server(monkeypatch):
    """A loopback server with the simulator behind it, and its keys in the environment."""
    for name, value in worlds.KEYS.items():
        monkeypatch.setenv(name, value)
    opened = []

    def start(script="", **settings):
        opened.append(Server(Simulator(Settings(**settings)), script=script).__enter__())
        return opened[-1]

    yield start
    for one in opened:
        one.__exit__(None, None, None)


def check(document, schema):
    jsonschema.validate(document, load_schema(f"{schema}.v1"), cls=jsonschema.Draft202012Validator)


# — the documents —


def test_every_json_document_is_as_its_schema_says(command, project):
    check(command("validate", "-C", project, "--json").json, "validate")
    check(command("plan", "-C", project, "--json").json, "plan")
    check(command("plan", "-C", project, "--offline", "--json").json, "plan")
    command("plan", "-C", project, "--out", "plan.json")
    check(json.loads((project / "plan.json").read_text()), "plan")
    check(command("apply", "-C", project, "--auto-approve", "--json").json, "apply")
    check(command("plan", "-C", project, "--json").json, "plan")
    check(command("show", "-C", project, "plan.json", "--json").json, "plan")
    check(command("state", "list", "-C", project, "--json").json, "state-list")
    check(command("state", "show", "-C", project, "message.hello@1", "--json").json, "state-list")
    check(command("version", "--json").json, "version")
    check(command("plan", "-C", project / "nowhere", "--json").json, "error")
    check(command("plan", "--no-such-option", "--json").json, "error")


def test_the_plan_counts_sends(command, project):
    plan = command("plan", "-C", project, "--json").json
    (change,) = plan["changes"]
    assert {
        "address": "message.hello@1",
        "action": "send",
        "receivers": 2,
        "sendAt": None,
        "posts": 2,
        "encoding": "gsm7",
        "encodings": {"gsm7": 2, "unicode": 0},
        "parts": {"min": 1, "max": 1},
        "credits": 2.0,
        "creditsExact": True,
        "sample": "Hello ‹name›",
        "editedSinceSent": 0,
        "reason": "2 receivers have not had it",
        "normalized": None,
        "delayed": 0,
        "delayedUntil": None,
        "heldUntil": None,
    } == change
    assert (2, 2, 2.0) == tuple(plan["summary"][name] for name in ("send", "posts", "credits"))
    assert plan["summary"]["creditsAfter"] == plan["summary"]["creditsLeft"] - 2


def test_state_list_prints_one_send_a_line_where_asked(command, project):
    command("apply", "-C", project, "--auto-approve")
    lines = command("state", "list", "-C", project, "--format", "lines").out.splitlines()
    assert [("accepted", "+336•••••01"), ("accepted", "+336•••••02")] == [
        (row["status"], row["receiver"]) for row in map(json.loads, lines)
    ]


def test_a_send_is_found_by_its_ref_and_by_its_number(command, project):
    command("apply", "-C", project, "--auto-approve")
    rows = command("state", "list", "-C", project, "--json", "--show-numbers").json["sends"]
    assert ["+33639980001", "+33639980002"] == [row["receiver"] for row in rows]
    by_ref = command("state", "show", "-C", project, f"message.hello@1#{rows[1]['ref']}", "--json").json["sends"]
    by_number = command("state", "show", "-C", project, "message.hello@1/+33639980002", "--json").json["sends"]
    assert (1, by_number) == (len(by_ref), by_ref)
    assert 1 == command("state", "show", "-C", project, "message.hello@2").code


# — approval —


def test_without_a_terminal_and_without_approval_nothing_is_sent(command, project, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    result = command("apply", "-C", project)
    assert (1, []) == (result.code, worlds.outbox(project))
    assert "SMS404" in result.err
    assert not list(project.glob("*.state"))


def test_the_expected_digest_is_the_approval(command, project):
    digest = command("plan", "-C", project, "--json").json["digest"]
    assert 7 == command("apply", "-C", project, "--expect-digest", "sha256:" + "0" * 64).code
    assert [] == worlds.outbox(project)
    assert 0 == command("apply", "-C", project, "--expect-digest", digest).code
    assert 0 == command("apply", "-C", project, "--expect-digest", digest).code
    assert 2 == len(worlds.outbox(project))


def test_a_receiver_who_joins_after_the_approval_makes_it_stale(command, project):
    command("plan", "-C", project, "--out", "plan.json")
    edit(project, '      - {number: "+33639980002", name: Bo}\n', '      - {number: "+33639980003", name: Bo}\n')
    assert 7 == command("apply", "-C", project, "plan.json").code
    assert [] == worlds.outbox(project)


def test_a_plan_edited_by_hand_is_refused(command, project):
    command("plan", "-C", project, "--out", "plan.json")
    path = project / "plan.json"
    path.write_text(path.read_text().replace('"receivers": 2', '"receivers": 1'))
    result = command("apply", "-C", project, "plan.json")
    assert (7, []) == (result.code, worlds.outbox(project))


def test_a_plan_of_another_project_is_refused(command, project, tmp_path):
    command("plan", "-C", project, "--out", "plan.json")
    other = worlds.write(tmp_path / "other", {"smsdeclare.yaml": (project / "smsdeclare.yaml").read_text()})
    edit(other, "project: test", "project: other")
    assert 7 == command("apply", "-C", other, project / "plan.json").code
    assert [] == worlds.outbox(other)


def test_a_saved_plan_carries_its_variables(command, tmp_path):
    more = "variables:\n  shop: {default: Acme}\n" + worlds.message("Hi from {{ shop }}")
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=more)})
    command("plan", "-C", project, "--out", "plan.json", "--var", "shop=Bakery")
    assert 0 == command("apply", "-C", project, "plan.json").code
    assert ["Hi from Bakery"] == [sms["message"] for sms in worlds.outbox(project)]


def test_the_environment_sets_variables_and_the_command_line_wins(command, tmp_path, monkeypatch):
    more = "variables:\n  shop: {default: Acme}\n" + worlds.message("Hi from {{ shop }}")
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=more)})
    monkeypatch.setenv("SMSDECLARE_VAR_shop", "Bakery")
    sample = lambda *more: command("plan", "-C", project, "--json", *more).json["changes"][0]["sample"]  # noqa: E731
    monkeypatch.setenv("SMSDECLARE_VAR_of_another_project", "x")
    assert ("Hi from Bakery", "Hi from Deli") == (sample(), sample("--var", "shop=Deli"))


# — who gets what —


def test_receivers_are_filtered_united_and_excluded(command, tmp_path):
    files = {
        "smsdeclare.yaml": worlds.root(),
        "all.sms.yaml": """receivers:
  gold: {csv: people.csv, where: {plan: [gold], optIn: "yes"}, defaultCountry: FR, numberColumn: phone}
  team: {numbers: ["+33639980009"]}
  out: {numbers: ["+33639980003"]}
  everyone: {union: [gold, team], except: [out]}
"""
        + worlds.message("Hi", '[everyone, "+33639980008"]'),
        "people.csv": """phone;plan;optIn
06 39 98 00 01;gold;yes
06 39 98 00 02;silver;yes
06 39 98 00 03;gold;yes
06 39 98 00 04; gold ;yes
06 39 98 00 05;gold;Yes
0033639980001;gold;yes
none;gold;yes
""",
    }
    project = worlds.write(tmp_path, files)
    plan = command("plan", "-C", project, "--json").json
    assert [("people.csv", 8, "SMS201")] == [(row["file"], row["line"], row["code"]) for row in plan["skipped"]]
    command("apply", "-C", project, "--auto-approve")
    assert [worlds.number(index) for index in (1, 4, 8, 9)] == sorted(sms["receiver"] for sms in worlds.outbox(project))


def test_a_row_that_can_not_be_read_in_an_opt_out_list_stops_everything(command, tmp_path):
    """Who is meant is not known, so nobody may be written to."""
    files = {
        "smsdeclare.yaml": worlds.root(
            more='receivers:\n  all: {numbers: ["+33639980001"], except: [out]}\n  out: {csv: out.csv}\n'
            + worlds.message("Hi", "all")
        ),
        "out.csv": "number,name\n,nobody\n0639980001,Ana\n",
    }
    result = command("apply", "-C", worlds.write(tmp_path, files), "--auto-approve")
    assert (1, True, []) == (result.code, "out.csv:3:1: error SMS202" in result.err, worlds.outbox(tmp_path))


def test_the_characters_that_force_unicode_are_named_with_what_would_do(command, tmp_path):
    people = (
        'receivers: {all: {numbers: [{number: "+33639980001", n: "François"}, {number: "+33639980002", n: Ana}]}}\n'
    )
    text = "Hello {{ n }}, it\u2019s here"
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=people + worlds.message(text, "all"))})
    plan = command("plan", "-C", project, "--json").json
    (warning,) = plan["warnings"]
    assert ("SMS307", 7) == (warning["code"], warning["line"])
    assert "`ç` U+00E7 (`c` would do), `\u2019` U+2019 (`'` would do)" in warning["message"]
    assert {"gsm7": 0, "unicode": 2} == plan["changes"][0]["encodings"]
    path = project / "smsdeclare.yaml"
    path.write_text(path.read_text().replace("\u2019", "'").replace("ç", "c"))
    assert [] == command("plan", "-C", project, "--json").json["warnings"]


def test_equal_texts_share_a_post_up_to_the_limit(command, tmp_path):
    numbers = ", ".join(f'"{worlds.number(index)}"' for index in range(7))
    provider = "{name: sandbox, receiversPerJob: 3}"
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(provider, worlds.message("Hi", f"[{numbers}]"))})
    assert 3 == command("plan", "-C", project, "--json").json["summary"]["posts"]
    command("apply", "-C", project, "--auto-approve")
    jobs = [sms["jobNumber"] for sms in worlds.outbox(project)]
    assert [3, 3, 1] == [jobs.count(job) for job in sorted(set(jobs))]


def test_another_root_file_has_a_state_of_its_own(command, project):
    (project / "smsdeclare.staging.yaml").write_text((project / "smsdeclare.yaml").read_text())
    command("apply", "-C", project, "--auto-approve")
    command("apply", "-C", project, "-f", "smsdeclare.staging.yaml", "--auto-approve")
    assert (2, 2) == (len(worlds.outbox(project)), len(worlds.outbox(project, "smsdeclare.staging")))


# — over HTTP —


def test_a_key_that_may_only_post_is_enough_where_the_service_is_named(command, server, tmp_path):
    from smsdeclare.simulator.settings import Credential

    here = server(credentials=(Credential(rules=(("POST", "/sms/*/jobs"),)),))
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(here.url, worlds.message())})
    plan = command("plan", "-C", project, "--json")
    assert (0, None) == (plan.code, plan.json["summary"]["creditsLeft"])
    assert 0 == command("apply", "-C", project, "--auto-approve").code


@pytest.mark.parametrize("path", ["/sms", "/sms/"])
def test_the_only_service_is_found_with_the_right_of_either_spelling(command, server, tmp_path, path):
    from smsdeclare.simulator.settings import Credential

    here = server(credentials=(Credential(rules=(("GET", path), ("GET", "/sms/*"), ("POST", "/sms/*/jobs"))),))
    root = worlds.root(f'{{name: ovh, endpoint: "{here.url}"}}', worlds.message())
    project = worlds.write(tmp_path, {"smsdeclare.yaml": root})
    assert "sms-ab12345-1" == command("plan", "-C", project, "--json").json["service"]


def test_of_several_services_one_must_be_named(command, server, tmp_path):
    here = server(services=(Service(name="sms-ab12345-1"), Service(name="sms-ab12345-2")))
    root = worlds.root(f'{{name: ovh, endpoint: "{here.url}"}}', worlds.message())
    result = command("plan", "-C", worlds.write(tmp_path, {"smsdeclare.yaml": root}))
    assert (1, True) == (result.code, "SMS607" in result.err)


def test_refused_receivers_are_exit_code_3_and_not_repeated(command, server, tmp_path):
    here = server(unreachable=("+33639980001",))
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(here.url, worlds.message())})
    first = command("apply", "-C", project, "--auto-approve", "--json")
    assert (3, 1, "message.hello@1") == (
        first.code, first.json["summary"]["rejected"], first.json["rejected"][0]["address"]
    )  # fmt: skip
    assert 0 == command("apply", "-C", project, "--auto-approve").code
    assert 1 == sum(request[0] == "POST" for request in here.requests)


def test_a_refused_message_is_exit_code_1_and_the_others_are_sent(command, server, tmp_path):
    here = server()
    more = worlds.message("See https://example.org", name="bad") + '  good: {text: Hello, to: "+33639980001"}\n'
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(here.url, more)})
    result = command("apply", "-C", project, "--auto-approve", "--json")
    assert (1, 1, ["SMS620"]) == (
        result.code, result.json["summary"]["sent"], [error["code"] for error in result.json["errors"]]
    )  # fmt: skip


def test_an_empty_digest_approves_nothing(command, project):
    result = command("apply", "-C", project, "--expect-digest", "")
    assert (7, []) == (result.code, worlds.outbox(project))


def test_planning_leaves_no_file_behind(command, project):
    command("plan", "-C", project)
    assert ["smsdeclare.yaml"] == [path.name for path in project.iterdir()]


def test_an_unknown_outcome_is_exit_code_4_until_it_is_settled_and_never_posted_again(command, server, tmp_path):
    here = server(script="l", list_lag=1_000_000.0)
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(here.url, worlds.message())})
    for _ in range(3):
        result = command("apply", "-C", project, "--auto-approve", "--json")
        assert (4, 1, 1) == (result.code, result.json["summary"]["unknown"], len(result.json["unknown"]))
        assert 2 == command("plan", "-C", project, "--detailed-exitcode").code
    edit(project, "    to:", "    revision: 2\n    to:")
    assert 4 == command("apply", "-C", project, "--auto-approve").code
    assert 1 == sum(request[0] == "POST" for request in here.requests)


def test_a_state_is_good_for_one_service_only(command, server, tmp_path):
    here = server(services=(Service(), Service(name="sms-ab12345-2")))
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(here.url, worlds.message())})
    command("apply", "-C", project, "--auto-approve")
    edit(project, "service: sms-ab12345-1", "service: sms-ab12345-2")
    for name in (("plan",), ("apply", "--auto-approve")):
        result = command(*name, "-C", project)
        assert (1, True) == (result.code, "SMS502" in result.err)
    assert 1 == sum(request[0] == "POST" for request in here.requests)


def test_a_local_state_in_ci_is_refused_unless_it_can_not_matter(command, server, tmp_path, monkeypatch):
    here = server()
    monkeypatch.setenv("CI", "true")
    loopback = worlds.write(tmp_path / "loopback", {"smsdeclare.yaml": worlds.loopback(here.url, worlds.message())})
    assert 0 == command("apply", "-C", loopback, "--auto-approve").code
    real = "{name: ovh, endpoint: ovh-eu, service: sms-ab12345-1}"
    project = worlds.write(tmp_path / "real", {"smsdeclare.yaml": worlds.root(real, worlds.message())})
    result = command("plan", "-C", project, "--offline")
    assert (1, True) == (result.code, "SMS505" in result.err)
    allowed = worlds.root(real, "state: {allowLocalInCI: true}\n" + worlds.message())
    assert 0 == command("plan", "-C", worlds.write(project, {"smsdeclare.yaml": allowed}), "--offline").code


def test_the_accounts_are_shown_with_credits_and_senders(command, server, tmp_path):
    from smsdeclare.simulator.settings import Credential, Sender

    accounts = (Service(senders=(Sender(name="ACME"), Sender(name="New", status="waitingValidation"))),)
    here = server(services=accounts)
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(here.url)})
    document = command("service", "-C", project, "--json").json
    check(document, "service")
    senders = [{"name": "ACME", "status": "enable"}, {"name": "New", "status": "waitingValidation"}]
    assert [{"name": "sms-ab12345-1", "creditsLeft": 1000.0, "senders": senders}] == document["services"]
    assert "sms-ab12345-1   credits left: 1,000" in command("service", "-C", project).out
    narrow = server(credentials=(Credential(rules=(("GET", "/sms"),)),))
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(narrow.url)})
    document = command("service", "-C", project, "--json").json
    assert [{"name": "sms-ab12345-1", "creditsLeft": None, "senders": None}] == document["services"]


def test_the_login_link_asks_for_the_least_rights(command, tmp_path):
    real = worlds.root("{name: ovh, endpoint: ovh-eu, service: sms-ab12345-1}")
    out = command("login", "--url", "-C", worlds.write(tmp_path, {"smsdeclare.yaml": real})).out
    assert out.startswith(
        "https://auth.eu.ovhcloud.com/api/createToken?POST=/sms/sms-ab12345-1/jobs&GET=/sms/sms-ab12345-1&"
    )
    assert "DELETE=/sms/sms-ab12345-1/outgoing" not in out


@pytest.mark.parametrize("closed", ["stdout", "stdin", "stderr"])
def test_a_stream_that_is_closed_changes_nothing_about_the_sending(project, closed):
    number = {"stdin": 0, "stdout": 1, "stderr": 2}[closed]
    words = [sys.executable, "-m", "smsdeclare", *ARGUMENTS]
    script = f"import os; os.close({number}); os.execv({sys.executable!r}, {words!r})"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=project, env=worlds.environment(), capture_output=True, check=False
    )
    assert (0, 2) == (done.returncode, len(worlds.outbox(project)))


# — what leaks —


def test_neither_numbers_nor_keys_nor_values_are_printed(command, server, tmp_path):
    here = server(script="al")
    more = PEOPLE.replace("Ana", "Ana-canary") + worlds.message("Hello {{ name }}", "people")
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(here.url, more)})
    said = ""
    for arguments in (
        ("validate",), ("plan", "-v"), ("plan", "--json", "--out", "plan.json"), ("apply", "--auto-approve", "-v"),
        ("apply", "--auto-approve", "--json"), ("state", "list"), ("state", "list", "--json"), ("show", "plan.json"),
    ):  # fmt: skip
        result = command(*arguments, "-C", project)
        said += result.out + result.err
    said += (project / "plan.json").read_text()
    for secret in [*worlds.KEYS.values(), "+33639980001", "33639980002", "Ana-canary"]:
        assert secret not in said


# — first steps —


@pytest.mark.parametrize("place", [("-C", "shop"), ("-f", "shop/smsdeclare.yaml")], ids=lambda place: place[0])
def test_a_fresh_project_works_at_once(command, monkeypatch, tmp_path, place):
    monkeypatch.chdir(tmp_path)
    assert 0 == command("init", tmp_path / "shop").code
    applied = command("apply", *place, "--auto-approve")
    assert (0, True) == (applied.code, "stand in shop/smsdeclare.outbox.jsonl." in applied.err)
    assert 2 == len(worlds.outbox(tmp_path / "shop"))
    again = command("init", tmp_path / "shop")
    assert (1, True) == (again.code, "SMS020" in again.err)


def test_the_schema_is_printed_as_it_is_shipped(command):
    assert load_schema("definitions.v1") == command("schema").json


def test_help_names_every_command(command):
    out = command("--help").out
    for name in ("init", "validate", "plan", "apply", "show", "state", "service", "login", "schema", "version"):
        assert f"\n  {name} " in out


def test_validate_finds_what_planning_would(command, project):
    edit(project, "{{ name }}", "{{ nam }}")
    result = command("validate", "-C", project)
    assert 1 == result.code
    assert "smsdeclare.yaml:7:18: error SMS303" in result.out
    assert "+33639980001" not in result.out
    assert Path(project / "smsdeclare.yaml").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("apply", "smsdeclare.yaml"), "`-f FILE` names another root file."),
        (("completion",), "Missing argument 'bash|zsh|fish'. Choose from: bash, zsh, fish"),
        (("preview", "hello"), "Did you mean `message.hello`?"),
    ],
    ids=["the definitions as a plan", "no shell", "a bare name"],
)
def test_what_newcomers_type_is_answered_with_what_they_meant(command, project, monkeypatch, words, says):
    monkeypatch.chdir(project)
    result = command(*words)
    assert (1, True) == (result.code, says in result.err)
    assert "\\n" not in result.err
