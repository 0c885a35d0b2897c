"""Sending once more on purpose, the panic button, and where everything stands."""

import jsonschema
import pytest
import worlds

from smsdeclare.schema import load_schema
from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.server import Server
from smsdeclare.simulator.settings import Settings


@pytest.fixture
def project(tmp_path):
    to = '["+33639980001", "+33639980002"]'
    return worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=worlds.message(to=to))})


@pytest.fixture
def sent(command, project):
    command("apply", "-C", project, "--auto-approve")
    return project


def sends(command, folder):
    return command("state", "list", "-C", folder, "--json", "--show-numbers").json["sends"]


def test_a_send_is_sent_once_more_and_only_once(command, sent):
    name = sends(command, sent)[0]["ref"]
    assert 0 == command("resend", f"message.hello@1#{name}", "--reason", "phone was lost", "-C", sent).code
    assert 2 == command("plan", "-C", sent, "--detailed-exitcode").code
    for _ in range(2):
        assert 0 == command("apply", "-C", sent, "--auto-approve").code
    got = [sms["receiver"] for sms in worlds.outbox(sent)]
    assert (["+33639980001", "+33639980002"], ["+33639980001"]) == (sorted(got[:2]), got[2:])
    assert [2, 1] == [send["attempts"] for send in sends(command, sent)]


def test_a_whole_message_is_sent_once_more(command, sent):
    command("resend", "message.hello@1", "--reason", "typo in the link", "-C", sent)
    command("apply", "-C", sent, "--auto-approve")
    assert 4 == len(worlds.outbox(sent))


def test_an_approval_for_the_first_attempt_is_none_for_the_second(command, project):
    command("plan", "-C", project, "--out", "plan.json")
    command("apply", "-C", project, "plan.json")
    command("resend", "message.hello@1", "--reason", "again", "-C", project)
    assert 7 == command("apply", "-C", project, "plan.json").code
    assert 2 == len(worlds.outbox(project))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(("message.hello@1",), "SMS901", id="no reason"),
        pytest.param(("message.hello@1", "--reason", " "), "SMS901", id="an empty reason"),
        pytest.param(("message.nobody@1", "--reason", "x"), "SMS507", id="nobody"),
        pytest.param(("message.hello@1", "--reason", "x", "--status", "failed"), "SMS530", id="none of this status"),
    ],
)
def test_a_resend_that_makes_no_sense_changes_nothing(command, sent, arguments, code):
    before = (sent / "smsdeclare.sandbox.state").read_bytes()
    result = command("resend", *arguments, "-C", sent)
    assert (1, True) == (result.code, f"error {code}" in result.err)
    assert before == (sent / "smsdeclare.sandbox.state").read_bytes()


def test_what_is_unknown_is_not_freed_and_neither_is_anything_beside_it(command, tmp_path, monkeypatch):
    for name, value in worlds.KEYS.items():
        monkeypatch.setenv(name, value)
    with Server(Simulator(Settings(list_lag=1_000_000.0)), script="al") as server:
        more = worlds.message() + '  other: {text: Other, to: "+33639980002"}\n'
        folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(server.url, more)})
        assert 4 == command("apply", "-C", folder, "--auto-approve").code
        result = command("resend", "message.hello@1", "message.other@1", "--reason", "x", "-C", folder)
        assert (1, True) == (result.code, "error SMS512" in result.err)
        assert 4 == command("apply", "-C", folder, "--auto-approve").code
        assert 2 == sum(method == "POST" for method, *_ in server.requests)


def test_a_stop_holds_until_somebody_resumes(command, sent):
    assert 0 == command("stop", "--reason", "wrong price", "-C", sent).code
    path = sent / "smsdeclare.yaml"
    path.write_text(path.read_text().replace('"+33639980002"]', '"+33639980002", "+33639980003"]'))
    result = command("apply", "-C", sent, "--auto-approve")
    assert (6, True) == (result.code, "wrong price" in result.err)
    assert 2 == len(worlds.outbox(sent))
    for still_works in (("plan",), ("status",), ("state", "list")):
        assert 0 == command(*still_works, "-C", sent).code
    assert "wrong price" in command("status", "-C", sent).out
    assert 0 == command("resume", "-C", sent).code
    assert 0 == command("apply", "-C", sent, "--auto-approve").code
    assert 3 == len(worlds.outbox(sent))


def test_a_stop_needs_no_valid_files(command, sent):
    (sent / "smsdeclare.yaml").write_text("version: [\n")
    assert 0 == command("stop", "--reason", "all is broken", "-C", sent).code
    assert 0 == command("resume", "-C", sent).code
    assert "was not stopped" in command("resume", "-C", sent).out


def test_of_several_states_none_is_guessed_at(command, sent):
    (sent / "smsdeclare.yaml").write_text("version: [\n")
    (sent / "other.state").write_bytes((sent / "smsdeclare.sandbox.state").read_bytes())
    result = command("stop", "--reason", "x", "-C", sent)
    assert (1, True) == (result.code, "other.state, smsdeclare.sandbox.state" in result.err)


def test_there_is_nothing_to_stop_before_the_first_apply(command, project):
    result = command("stop", "--reason", "x", "-C", project)
    assert (1, True) == (result.code, "error SMS509" in result.err)


def test_a_run_at_work_stops_before_its_next_post(command, tmp_path, monkeypatch):
    for name, value in worlds.KEYS.items():
        monkeypatch.setenv(name, value)
    with Server(Simulator(), script="h") as server:
        people = (
            "receivers: {people: {numbers: ["
            + ", ".join(f'{{number: "{worlds.number(index)}", n: "{index}"}}' for index in range(4))
            + "]}}\n"
        )
        root = worlds.loopback(server.url, people + worlds.message("Hello {{ n }}", "people"))
        folder = worlds.write(tmp_path, {"smsdeclare.yaml": root})
        process = worlds.spawn("apply", "-C", folder, "--auto-approve")
        assert server.held.wait(30)
        assert 0 == command("stop", "--reason", "enough", "-C", folder).code
        server.release()
        _, err = process.communicate(timeout=30)
        assert (6, True) == (process.returncode, "enough" in err)
        assert 1 == sum(method == "POST" for method, *_ in server.requests)


def test_the_page_of_the_status_needs_no_tool(command, sent):
    page = command("status", "-C", sent, "--format", "html")
    assert (0, True, True) == (page.code, page.out.startswith("<!doctype html>"), page.out.isascii())
    assert "message.hello@1" in page.out
    assert "33639980001" not in page.out
    assert "message.hello@1" not in command("status", "message.other", "-C", sent, "--format", "html").out


def test_the_page_of_the_status_shows_who_is_unknown_and_why(command, tmp_path):
    with Server(Simulator(), script="l") as server:
        more = worlds.message(to='"+33639980001"')
        folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(server.url, more)})
        process = worlds.spawn("apply", "-C", folder, "--auto-approve")
        process.communicate(timeout=60)
        assert 4 == process.returncode
    page = command("status", "-C", folder, "--format", "html").out
    assert page.index("Unknown: 1 send") < page.index(">Messages<")
    assert "+336&#8226;&#8226;&#8226;&#8226;&#8226;01" in page
    assert "33639980001" not in page
    assert "+33639980001" in command("status", "-C", folder, "--format", "html", "--show-numbers").out


def test_the_status_counts_by_message(command, sent):
    document = command("status", "-C", sent, "--json").json
    jsonschema.validate(document, load_schema("status.v1"), cls=jsonschema.Draft202012Validator)
    expected = {"address": "message.hello@1", "counts": {"accepted": 2}, "credits": 2.0, "reasons": []}
    assert [expected] == document["messages"]
    assert "message.hello@1   2 accepted   2 credits" in command("status", "message.hello", "-C", sent).out
    assert [] == command("status", "message.other", "-C", sent, "--json").json["messages"]
