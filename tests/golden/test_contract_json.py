"""The JSON documents, sentence by sentence, as far as no other test proves it."""

import json
import os
import pty
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import jsonschema
import pytest
import worlds

from smsdeclare.decisions import Action
from smsdeclare.schema import load_schema
from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.settings import Service, Settings

A, B, C = (worlds.number(index) for index in range(1, 4))
APPLY = ("apply", "--auto-approve")
PEOPLE = f'receivers: {{people: {{numbers: [{{number: "{A}", n: Ana}}, {{number: "{B}", n: Bo}}]}}}}\n'
HELLO = PEOPLE + worlds.message("Hello {{ n }}", "people", "    options: {noStopClause: true}\n")


def project(folder, url, more=HELLO):
    return worlds.write(folder, {"smsdeclare.yaml": worlds.loopback(url, more)})


def check(text, schema):
    """The one document of an output; raises where there is more, or where it is not as its schema says."""
    document = json.loads(text)
    jsonschema.validate(document, load_schema(f"{schema}.v1"), cls=jsonschema.Draft202012Validator)
    return document


# — one document, whatever the exit code —

THREE = (
    f'messages:\n  a: {{text: Hi, to: "{A}"}}\n  b: {{text: Ho, to: "{B}"}}\n'
    f'  c: {{text: "See https://example.org", to: "{C}"}}\n'
)


@pytest.mark.parametrize(
    ("words", "script", "more", "code", "schema"),
    [
        pytest.param(APPLY, "", HELLO, 0, "apply", id="0"),
        pytest.param(APPLY, "", THREE, 1, "apply", id="1, refused"),
        pytest.param(("apply",), "", HELLO, 1, "error", id="1, nobody to ask"),
        pytest.param(("plan",), "", HELLO.replace("people", "nobody", 1), 1, "error", id="1, files"),
        pytest.param(("validate",), "", HELLO.replace("people", "nobody", 1), 1, "validate", id="1, validate"),
        pytest.param(("state", "show", "message.hello"), "", HELLO, 1, "error", id="1, address"),
        pytest.param(("plan", "--no-such"), "", HELLO, 1, "error", id="1, usage"),
        pytest.param(("plan", "--detailed-exitcode"), "", HELLO, 2, "plan", id="2"),
        pytest.param(APPLY, "", HELLO.replace(B, "+33639980099"), 3, "apply", id="3"),
        pytest.param(APPLY, "l", HELLO, 4, "apply", id="4"),
        pytest.param(("plan",), "", f"policy: {{maxCredits: 1}}\n{HELLO}", 5, "plan", id="5, plan"),
        pytest.param(APPLY, "", f"policy: {{maxCredits: 1}}\n{HELLO}", 5, "error", id="5, apply"),
        pytest.param(("apply", "--expect-digest", "sha256:0"), "", HELLO, 7, "error", id="7"),
    ],
)
def test_exactly_one_document_is_printed_whatever_the_exit_code(
    command, serve, tmp_path, words, script, more, code, schema
):
    server = serve(script, unreachable=("+33639980099",))
    result = command(*words, "-C", project(tmp_path, server.url, more), "--json")
    assert code == result.code
    assert "1.0" == check(result.out, schema)["formatVersion"]


def test_a_stop_is_one_document_too(command, serve, tmp_path):
    folder = project(tmp_path, serve().url)
    command(*APPLY, "-C", folder)
    command("stop", "--reason", "wrong price", "-C", folder)
    result = command(*APPLY, "-C", folder, "--json")
    (error,) = check(result.out, "error")["errors"]
    assert (6, "SMS511", True) == (result.code, error["code"], "wrong price" in error["message"])


def test_a_no_at_the_prompt_is_one_document_too(tmp_path):
    worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=HELLO)})
    parent, child = pty.openpty()
    os.write(parent, b"n\n")
    done = subprocess.run(
        [sys.executable, "-m", "smsdeclare", "apply", "--json"], cwd=tmp_path, env=worlds.environment(),
        stdin=child, capture_output=True, text=True, check=False,
    )  # fmt: skip
    os.close(parent)
    os.close(child)
    assert (8, ["SMS405"]) == (done.returncode, [error["code"] for error in check(done.stdout, "error")["errors"]])


def test_an_interrupted_run_is_one_document_too(serve, tmp_path):
    server = serve("h")
    process = worlds.spawn(*APPLY, "--json", "-C", project(tmp_path, server.url))
    assert server.held.wait(30)
    os.kill(process.pid, signal.SIGINT)
    server.release()
    out, _ = process.communicate(timeout=30)
    assert (130, 1) == (process.returncode, check(out, "apply")["summary"]["sent"])


# — keys that are there for good —

ERROR = {"code", "message", "file", "line", "column", "queryId"}
PLAN = {
    "formatVersion", "project", "provider", "endpoint", "service", "digest", "createdAt", "changes", "skipped",
    "warnings", "violations", "summary",
}  # fmt: skip
CHANGE = {
    "address", "action", "receivers", "sendAt", "posts", "encoding", "encodings", "parts", "credits", "creditsExact",
    "sample", "editedSinceSent", "reason",
}  # fmt: skip
PLAN_SUMMARY = {
    "send", "cancel", "replace", "keep", "skip", "missed", "unknown", "posts", "credits", "creditsLeft", "creditsAfter",
}  # fmt: skip
APPLY_SUMMARY = {
    "sent", "scheduled", "rejected", "missed", "cancelled", "replaced", "settled", "unknown", "kept", "credits",
}  # fmt: skip
SEND = {
    "address", "ref", "message", "revision", "receiver", "status", "attempts", "id", "credits", "sendAt", "acceptedAt",
    "deliveredAt",
}  # fmt: skip


def test_no_key_of_the_contract_is_missing(command, serve, tmp_path):
    server = serve("la", unreachable=(C,))
    more = "policy: {maxCredits: 1}\nreceivers: {people: {csv: a.csv}}\n" + worlds.message("Hello {{ n }}", "people")
    folder = project(tmp_path, server.url, more)
    worlds.write(folder, {"a.csv": f"number,n\n{A},Ana\n{C},Bo\n{A},Eve\nnone,Zoe\n"})
    plan = command("plan", "-C", folder, "--json").json
    assert PLAN <= set(plan)
    assert CHANGE <= set(plan["changes"][0])
    assert PLAN_SUMMARY <= set(plan["summary"])
    assert {"address", "ref", "file", "line", "code", "reason"} <= set(plan["skipped"][0])
    assert {"rule", "limit", "actual", "address", "file", "line"} <= set(plan["violations"][0])
    assert ["SMS209"] == [one["code"] for one in plan["warnings"]]

    worlds.write(folder, {"smsdeclare.yaml": worlds.loopback(server.url, more.replace("maxCredits: 1", ""))})
    applied = command(*APPLY, "-C", folder, "--json").json
    assert {"formatVersion", "digest", "summary", "rejected", "unknown", "errors"} <= set(applied)
    assert APPLY_SUMMARY <= set(applied["summary"])
    assert {"address", "ref", "reason"} <= set(applied["rejected"][0])
    assert {"address", "ref", "since"} <= set(applied["unknown"][0])

    listed = command("state", "list", "-C", folder, "--json").json["sends"]
    lines = command("state", "list", "-C", folder, "--format", "lines").out.splitlines()
    assert SEND <= set(listed[0])
    assert listed == [json.loads(line) for line in lines]
    assert "message.hello@1" == listed[0]["address"]

    failed = command("plan", "-C", folder / "nowhere", "--json").json
    assert ERROR <= set(failed["errors"][0])
    assert {"file", "line", "column", "queryId"} == {key for key in ERROR if failed["errors"][0][key] is None}


def test_what_validate_finds_has_all_its_keys(command, tmp_path):
    more = worlds.message(to="nobody", more="    options: {differedPeriod: 5}\n")
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=more)})
    found = command("validate", "-C", folder, "--json").json
    assert ({"formatVersion", "valid", "errors", "warnings"}, False) == (set(found), found["valid"])
    keys = {"file", "line", "column", "path", "code", "message", "suggestion"}
    assert keys <= set(found["errors"][0]) & set(found["warnings"][0])
    assert ["SMS116"] == [one["code"] for one in found["warnings"]]


def test_a_refusal_of_the_provider_carries_its_query_id(command, serve, tmp_path):
    server = serve(services=(Service(credits=0.0),))
    result = command(*APPLY, "-C", project(tmp_path, server.url), "--json")
    assert [("SMS618", True)] == [
        (error["code"], error["queryId"].startswith("SIM.")) for error in result.json["errors"]
    ]


# — what a plan says —


def test_no_warning_stands_among_the_errors(command, tmp_path):
    more = worlds.message(more="    sendAt: 2099-12-01 09:00\n    options: {differedPeriod: 60}\n")
    worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=more)})
    assert ["SMS116"] == [one["code"] for one in command("validate", "-C", tmp_path, "--json").json["warnings"]]
    assert ["SMS110"] == [one["code"] for one in command("plan", "-C", tmp_path, "--json").json["errors"]]


def test_the_actions_are_those_of_the_contract():
    assert {"send", "cancel", "replace", "keep", "settle"} == {action.value for action in Action}


def test_a_figure_that_is_whole_is_written_so(command, tmp_path):
    worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=f"policy: {{maxCredits: 1}}\n{HELLO}")})
    refused = command("plan", "-C", tmp_path, "--json")
    assert ('"credits": 2,' in refused.out, '"actual": 2,' in refused.out) == (True, True)
    assert "maxCredits: 2 is beyond 1" in command("plan", "-C", tmp_path).out
    worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=HELLO)})
    command(*APPLY, "-C", tmp_path)
    assert '"credits": 1,' in command("state", "list", "-C", tmp_path, "--format", "lines").out


def test_a_message_has_one_change_for_each_action(command, serve, tmp_path):
    server = serve("al")
    folder = project(tmp_path, server.url)
    command(*APPLY, "-C", folder)
    worlds.write(
        folder,
        {"smsdeclare.yaml": worlds.loopback(server.url, HELLO.replace("n: Bo}", f'n: Bo}}, {{number: "{C}", n: Cy}}'))},
    )
    plan = command("plan", "-C", folder, "--json").json
    assert {"send": 1, "settle": 1, "keep": 1} == {one["action"]: one["receivers"] for one in plan["changes"]}
    assert 3 == len(plan["changes"])
    assert (1, 1, 1) == tuple(plan["summary"][name] for name in ("send", "unknown", "keep"))


def test_the_summary_counts_sends(command, tmp_path):
    to = f'["{A}", "{B}"]'
    more = worlds.message("Hi", to) + f"  other: {{text: Ho, to: {to}}}\n"
    plan = command("plan", "-C", worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=more)}), "--json").json
    assert (2, 4, 2) == (len(plan["changes"]), plan["summary"]["send"], plan["summary"]["posts"])


@pytest.mark.parametrize(("second", "encoding"), [("Bo", "gsm7"), ("Zoë ê", "mixed")])
def test_the_encoding_is_gsm7_unicode_or_mixed(command, tmp_path, second, encoding):
    more = HELLO.replace("n: Bo", f"n: {second}")
    plan = command("plan", "-C", worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=more)}), "--json").json
    assert encoding == plan["changes"][0]["encoding"]


@pytest.mark.parametrize(
    ("number", "text", "options", "taken", "exact"),
    [
        pytest.param(A, "Hi", "noStopClause: true", 1.0, True, id="France"),
        pytest.param("+32470000001", "Hi", "noStopClause: true", 2.1, False, id="a rate that is not published"),
        pytest.param(A, "a" * 150, "noStopClause: false", 2.0, False, id="a clause that may come"),
    ],
)
def test_credits_are_what_is_taken_or_the_larger_figure(command, tmp_path, number, text, options, taken, exact):
    more = worlds.message(text, f'"{number}"', f"    options: {{{options}}}\n")
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=more)})
    (change,) = command("plan", "-C", project, "--json", "--offline").json["changes"]
    assert (taken, exact) == (change["credits"], change["creditsExact"])


@pytest.mark.parametrize("name", ["text", "json", "markdown"])
def test_a_sample_shows_names_unless_numbers_are_asked_for(command, tmp_path, name):
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=HELLO)})
    hidden = command("plan", "-C", folder, "--format", name).out
    shown = command("plan", "-C", folder, "--format", name, "--show-numbers", "--out", "plan.json").out
    assert (False, True) == ("Hello Ana" in hidden, "Hello Ana" in shown)
    assert "Ana" not in (folder / "plan.json").read_text()
    assert "Ana" not in command("show", "plan.json", "-C", folder, "--format", name, "--show-numbers").out


def test_an_apply_that_asks_shows_a_text_where_numbers_may_be_seen(command, tmp_path):
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=HELLO)})
    assert "| Hello ‹n›" in command("apply", "-C", folder).err
    assert "| Hello Ana" in command("apply", "-C", folder, "--show-numbers").err


# — the digest —


def test_neither_jobs_nor_rates_nor_files_nor_order_change_the_digest(command, tmp_path):
    first, second = f'  one: {{text: Hi, to: "{A}"}}\n', f'  two: {{text: Ho, to: ["{A}", "{B}"]}}\n'
    turned = second.replace(f'"{A}", "{B}"', f'"{B}", "{A}"')
    provider = "{name: sandbox, receiversPerJob: 1, requestsPerMinute: 6000}"
    ways = [
        {"smsdeclare.yaml": worlds.root(more=f"messages:\n{first}{second}")},
        {"smsdeclare.yaml": worlds.root(provider, f"messages:\n{second}{first}")},
        {"smsdeclare.yaml": worlds.root(), "z.sms.yaml": f"messages:\n{first}", "a.sms.yaml": f"messages:\n{second}"},
        {"smsdeclare.yaml": worlds.root(more=f"messages:\n{first}{turned}")},
    ]
    digests = [
        command("plan", "-C", worlds.write(tmp_path / str(place), files), "--json").json["digest"]
        for place, files in enumerate(ways)
    ]
    assert 1 == len(set(digests))
    other = worlds.write(tmp_path / "other", {"smsdeclare.yaml": worlds.root(more=f"messages:\n{first}")})
    assert command("plan", "-C", other, "--json").json["digest"] not in digests


def test_what_gets_too_late_after_the_approval_is_only_taken_away(command, serve, tmp_path):
    """The clock is no part of what is approved."""
    server = serve()
    end = datetime.now(tz=UTC) + timedelta(hours=1)
    late = f'  late: {{text: Hi, to: "{A}", expiresAt: "{end:%Y-%m-%d %H:%M}Z"}}\n'
    more = f'messages:\n{late}  good: {{text: Ho, to: "{B}"}}\n'
    folder = project(tmp_path, server.url, more)
    digest = command("plan", "-C", folder, "--out", "plan.json", "--json").json["digest"]
    server._simulator = Simulator(Settings(clock_ahead=7200))
    result = command("apply", "-C", folder, "plan.json", "--json")
    assert (3, digest, 1, 1) == (
        result.code, result.json["digest"], result.json["summary"]["sent"], result.json["summary"]["missed"]
    )  # fmt: skip
    assert 0 == command("apply", "-C", folder, "plan.json").code


def test_the_digest_of_a_saved_plan_is_that_of_its_run(command, tmp_path):
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=HELLO)})
    saved = command("plan", "-C", folder, "--out", "plan.json", "--json").json["digest"]
    for _ in range(2):
        assert saved == command("apply", "-C", folder, "plan.json", "--json").json["digest"]
    assert saved != command("plan", "-C", folder, "--json").json["digest"]
