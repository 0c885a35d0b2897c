"""A state that holds no phone number: everything works as with numbers, and no byte of it tells one."""

import json
from collections import Counter
from contextlib import closing

import ledgers
import pytest
import worlds

from smsdeclare.records import Lease

KEY, OTHER = "6b" * 32, "6f" * 32
A, B, C, D = (worlds.number(place) for place in range(1, 5))


def files(*to, text="Hello {{ n }}", state="{numbers: hashed}", more=""):
    rows = "".join(f'      - {{number: "{one}", n: N{one[-1]}}}\n' for one in to)
    receivers = f"state: {state}\nreceivers:\n  people:\n    numbers:\n{rows}" if to else f"state: {state}\n"
    return {"smsdeclare.yaml": worlds.root(more=receivers + (worlds.message(text, "people", more) if to else ""))}


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("SMSDECLARE_NUMBERS_KEY", KEY)
    return worlds.write(tmp_path, files(A, B))


def state(folder):
    return (folder / "smsdeclare.sandbox.state").read_bytes()


def received(folder):
    """Who has how many SMS that were not taken back."""
    alive = {line["id"]: line["receiver"] for line in worlds.outbox(folder) if "id" in line}
    for line in worlds.outbox(folder):
        alive.pop(line.get("cancelled"), None)
    return Counter(alive.values())


def holds_a_number(content):
    return any(one[start:].encode() in content for one in (A, B, C, D) for start in (1, 3))


def error(result):
    return result.code, result.json["errors"][0]["code"]


def test_nobody_gets_an_sms_twice_and_nothing_tells_a_number(project, command):
    assert 0 == command("apply", "-C", project, "--auto-approve").code
    assert {A: 1, B: 1} == received(project)
    assert [0, 0] == [command(*what, "-C", project).code for what in (("apply", "--auto-approve"), ("settle",))]
    worlds.write(project, files(C, B, A, text="Another {{ n }}"))
    plan = command("plan", "-C", project, "--json").json
    assert (1, 2) == (plan["summary"]["send"], plan["summary"]["keep"])
    assert 0 == command("apply", "-C", project, "--auto-approve").code
    assert {A: 1, B: 1, C: 1} == received(project)
    assert not holds_a_number(state(project))


def test_it_lists_refs_and_no_receiver_and_finds_a_send_by_either(project, command):
    command("apply", "-C", project, "--auto-approve")
    rows = command("state", "list", "-C", project, "--json", "--show-numbers").json["sends"]
    assert [None, None] == [row["receiver"] for row in rows]
    (row,) = command("state", "show", f"message.hello@1/{A}", "-C", project, "--json").json["sends"]
    assert row in rows
    (again,) = command("state", "show", f"message.hello@1#{row['ref']}", "-C", project, "--json").json["sends"]
    assert row == again
    told = command("state", "list", "-C", project).out
    assert 2 == told.count("(number not kept)")
    assert 0 == command("status", "-C", project).code
    # The ref leads back to the one receiver of the files whose it is.
    worlds.write(project, files(A, B, C, D))
    (other,) = {A, B} - {A}
    (ref,) = {one["ref"] for one in rows} - {row["ref"]}
    reason = f"asked for by {other}"
    assert 0 == command("resend", f"message.hello@1#{ref}", "--reason", reason, "-C", project).code
    assert 0 == command("apply", "--target", f"message.hello@1#{ref}", "--auto-approve", "-C", project).code
    assert {A: 1, B: 2} == received(project)
    assert not holds_a_number(state(project))


def test_an_approved_plan_for_one_number_names_it_by_its_ref(project, command, tmp_path):
    command("apply", "-C", project, "--auto-approve")
    worlds.write(project, files(A, B, C, D))
    command("plan", "--target", f"message.hello@1/{D}", "--out", tmp_path / "one.plan", "-C", project)
    assert not holds_a_number((tmp_path / "one.plan").read_bytes())
    assert 0 == command("apply", tmp_path / "one.plan", "-C", project).code
    assert {A: 1, B: 1, D: 1} == received(project)


def test_what_is_scheduled_follows_the_files(project, command):
    later = "    sendAt: 2099-01-01 09:00\n    expiresAt: never\n"
    worlds.write(project, files(A, B, more=later))
    assert 0 == command("apply", "-C", project, "--auto-approve").code
    worlds.write(project, files(B, C, text="Edited {{ n }}", more=later))
    plan = command("plan", "-C", project, "--json").json["summary"]
    assert (1, 1, 1) == (plan["send"], plan["replace"], plan["cancel"])
    document = command("apply", "-C", project, "--auto-approve", "--json")
    assert (0, 1, 1) == (document.code, document.json["summary"]["replaced"], document.json["summary"]["cancelled"])
    assert {B: 1, C: 1} == received(project)
    assert 0 == command("stop", "--reason", f"{B} called", "--cancel", "-C", project).code
    assert {} == received(project)
    assert not holds_a_number(state(project))


def test_another_key_is_refused_before_anybody_looks_new(project, command, monkeypatch):
    command("apply", "-C", project, "--auto-approve")
    monkeypatch.setenv("SMSDECLARE_NUMBERS_KEY", OTHER)
    for what in (("plan",), ("apply", "--auto-approve"), ("state", "show", f"message.hello@1/{A}")):
        assert (1, "SMS543") == error(command(*what, "-C", project, "--json"))
    monkeypatch.delenv("SMSDECLARE_NUMBERS_KEY")
    assert (1, "SMS943") == error(command("apply", "--auto-approve", "-C", project, "--json"))
    monkeypatch.setenv("SMSDECLARE_NUMBERS_KEY", "short")
    unfit = command("apply", "--auto-approve", "-C", project, "--json")
    assert (1, "SMS944") == error(unfit)
    assert {A: 1, B: 1} == received(project)
    # Who looks, or pulls the emergency brake, needs no key.
    monkeypatch.delenv("SMSDECLARE_NUMBERS_KEY")
    for what in (("status",), ("state", "list"), ("stop", "--reason", "x"), ("resume",), ("state", "unlock")):
        assert 0 == command(*what, "-C", project).code


def test_a_version_that_knows_no_hashes_leaves_it_alone(project, command):
    command("apply", "-C", project, "--auto-approve")
    assert '["hashes"]' == ledgers.meta(project / "smsdeclare.sandbox.state")["features"]


@pytest.mark.parametrize("is_sent", [False, True])
@pytest.mark.parametrize(("key", "code"), [(None, "SMS943"), ("short", "SMS944"), (OTHER, "SMS543"), (KEY, None)])
def test_doctor_tries_the_key(project, command, monkeypatch, is_sent, key, code):
    if is_sent:
        command("apply", "-C", project, "--auto-approve")
    monkeypatch.delenv("SMSDECLARE_NUMBERS_KEY")
    if key:
        monkeypatch.setenv("SMSDECLARE_NUMBERS_KEY", key)
    found = command("doctor", "-C", project, "--json").json["findings"]
    expected = code if is_sent or key != OTHER else None
    assert expected == next(
        (one["code"] for one in found if one["check"] == "state" and one["status"] == "error"), None
    )


def test_a_copy_says_what_it_holds(project, command):
    command("apply", "-C", project, "--auto-approve")
    pulled = command("state", "pull", "--out", "copy.state", "-C", project)
    assert (0, True) == (pulled.code, "It holds no phone numbers." in pulled.err)
    (project / "smsdeclare.sandbox.state").unlink()
    assert 0 == command("state", "push", "copy.state", "-C", project).code
    assert 0 == command("apply", "-C", project, "--auto-approve").code
    assert {A: 1, B: 1} == received(project)


def test_a_new_state_is_not_made_without_the_key(project, command, monkeypatch):
    monkeypatch.delenv("SMSDECLARE_NUMBERS_KEY")
    assert 0 == command("plan", "-C", project).code
    assert (1, "SMS943") == error(command("apply", "--auto-approve", "-C", project, "--json"))
    assert ["smsdeclare.yaml"] == [path.name for path in project.iterdir()]


@pytest.mark.parametrize(("first", "then"), [("{}", "{numbers: hashed}"), ("{numbers: hashed}", "{numbers: clear}")])
def test_numbers_are_not_kept_in_another_way_from_one_day_to_the_next(project, command, first, then):
    worlds.write(project, files(A, B, state=first))
    command("apply", "-C", project, "--auto-approve")
    before = state(project)
    worlds.write(project, files(A, B, state=then))
    assert (1, "SMS544") == error(command("apply", "--auto-approve", "-C", project, "--json"))
    assert before == state(project)


def test_a_file_that_encrypts_nothing_says_what_does(project, command):
    worlds.write(project, files(A, B, state="{encryption: required}"))
    result = command("validate", "-C", project)
    assert 1 == result.code
    assert "SMS945" in result.err + result.out
    assert "encrypted disk" in result.err + result.out


def test_an_unknown_send_is_resolved_by_number(project, command, monkeypatch):
    from smsdeclare.simulator.api import Simulator
    from smsdeclare.simulator.server import Server
    from smsdeclare.simulator.settings import Settings

    for name, value in worlds.KEYS.items():
        monkeypatch.setenv(name, value)
    with Server(Simulator(Settings()), script="lll") as server:
        text = files(A, B)["smsdeclare.yaml"].replace(worlds.root(), worlds.loopback(server.url))
        worlds.write(project, {"smsdeclare.yaml": text})
        assert 4 == command("apply", "--auto-approve", "-C", project).code
        assert 2 == command("plan", "-C", project, "--json").json["summary"]["unknown"]
        reason = f"{A} says so"
        resolve = ("resolve", f"message.hello@1/{A}", "--sent", "--reason", reason, "-C", project)
        assert 0 == command(*resolve).code
        assert 0 == command("settle", "-C", project).code
        rows = command("state", "list", "--json", "-C", project).json["sends"]
        assert {"accepted"} == {row["status"] for row in rows}
        assert 0 == command("refresh", "-C", project).code
    content = (project / "smsdeclare.state").read_bytes()
    assert not holds_a_number(content)
    assert json.dumps(rows).count('"receiver": null') == 2


# — erasing —


@pytest.fixture
def sent(project, command):
    """A project with numbers in clear that has sent two SMS."""
    worlds.write(project, files(A, B, state="{}"))
    assert 0 == command("apply", "-C", project, "--auto-approve").code
    return project


def test_a_number_is_forgotten_and_never_written_to_again(sent, command):
    assert holds_a_number(state(sent))
    told = command("state", "forget", A, "--auto-approve", "-C", sent)
    assert (0, "Erased who got 1 send. None of them is sent again.\n") == (told.code, told.out)
    assert A[1:].encode() not in state(sent)
    assert B[1:].encode() in state(sent)
    worlds.write(sent, files(A, B, C, state="{}", text="Another {{ n }}"))
    assert (1, 2) == tuple(command("plan", "-C", sent, "--json").json["summary"][one] for one in ("send", "keep"))
    assert 0 == command("apply", "--auto-approve", "-C", sent).code
    assert {A: 1, B: 1, C: 1} == received(sent)
    rows = command("state", "list", "--json", "--show-numbers", "-C", sent).json["sends"]
    assert {None, B, C} == {row["receiver"] for row in rows}
    (ref,) = (row["ref"] for row in rows if row["receiver"] is None)
    again = command("state", "forget", ref, "--auto-approve", "-C", sent)
    assert (1, True) == (again.code, "SMS507" in again.err)
    assert 1 == command("resend", f"message.hello@1#{ref}", "--reason", "x", "-C", sent).code
    (row,) = command("state", "show", f"message.hello@1/{A}", "-C", sent, "--json").json["sends"]
    assert (ref, "accepted") == (row["ref"], row["status"])


def test_what_is_long_over_is_pruned(sent, command):
    assert (0, "Nothing to erase.\n") == (
        (result := command("state", "prune", "--older-than", "90d", "--auto-approve", "-C", sent)).code,
        result.out,
    )
    result = command("state", "prune", "--older-than", "0s", "--auto-approve", "-C", sent)
    assert (0, "Erased who got 2 sends. None of them is sent again.\n") == (result.code, result.out)
    assert not holds_a_number(state(sent))
    assert 0 == command("apply", "--auto-approve", "-C", sent).code
    assert {A: 1, B: 1} == received(sent)


def test_nothing_is_erased_that_nobody_said_yes_to(sent, command, monkeypatch):
    before = state(sent)
    for what in (("forget", A), ("prune", "--older-than", "0s"), ("hash-numbers",)):
        result = command("state", *what, "-C", sent)
        assert (1, True) == (result.code, "SMS946" in result.err)
    monkeypatch.delenv("SMSDECLARE_NUMBERS_KEY")
    for what in (("forget", A), ("prune", "--older-than", "0s"), ("hash-numbers",)):
        result = command("state", *what, "--auto-approve", "-C", sent)
        assert (1, True) == (result.code, "SMS943" in result.err)
    assert before == state(sent)


@pytest.mark.parametrize("whom", ["+3363998", "0639980001", "nobody", "message.other", "+33639989999"])
def test_who_is_not_on_record_can_not_be_forgotten(sent, command, whom):
    result = command("state", "forget", whom, "--auto-approve", "-C", sent)
    assert (1, "") == (result.code, result.out)
    assert whom not in result.err or whom in ("nobody", "message.other")


def test_a_state_with_numbers_becomes_one_without(sent, command):
    plan = command("plan", "-C", sent, "--json").json["digest"]
    assert 0 == command("state", "hash-numbers", "--auto-approve", "-C", sent).code
    assert not holds_a_number(state(sent))
    assert (1, "SMS544") == error(command("plan", "-C", sent, "--json"))
    worlds.write(sent, files(A, B, C))
    assert (1, 2) == tuple(command("plan", "-C", sent, "--json").json["summary"][one] for one in ("send", "keep"))
    assert 0 == command("apply", "--auto-approve", "-C", sent).code
    assert {A: 1, B: 1, C: 1} == received(sent)
    worlds.write(sent, files(A, B))
    assert plan == command("plan", "-C", sent, "--json").json["digest"]


def test_a_plan_approved_before_somebody_was_erased_is_still_what_is_left_to_do(sent, command, tmp_path):
    worlds.write(sent, files(A, B, C, state="{}"))
    command("plan", "--out", tmp_path / "one.plan", "-C", sent)
    assert 0 == command("state", "forget", A, "--auto-approve", "-C", sent).code
    assert 0 == command("apply", tmp_path / "one.plan", "-C", sent).code
    assert {A: 1, B: 1, C: 1} == received(sent)


def test_what_is_scheduled_is_not_forgotten(project, command):
    later = "    sendAt: 2099-01-01 09:00\n    expiresAt: never\n"
    worlds.write(project, files(A, B, more=later, state="{}"))
    command("apply", "-C", project, "--auto-approve")
    before = state(project)
    result = command("state", "forget", A, "--auto-approve", "-C", project)
    assert (1, True, True) == (result.code, "SMS545" in result.err, "is scheduled" in result.err)
    assert before == state(project)


def test_nobody_is_erased_while_a_run_is_at_work(sent, command):
    until = "2999-01-01T00:00:00Z"
    lease = Lease(holder="x", actor="x", host="elsewhere", pid=1, ci=None, since=until, until=until)
    with closing(ledgers.at(sent / "smsdeclare.sandbox.state")) as ledger:
        ledger.hold(lease, lambda one: False)
    before = state(sent)
    for what in (("forget", A), ("prune", "--older-than", "0s"), ("hash-numbers",)):
        result = command("state", *what, "--auto-approve", "-C", sent)
        assert (6, True) == (result.code, "SMS506" in result.err)
    assert before == state(sent)
