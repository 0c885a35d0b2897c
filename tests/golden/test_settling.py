"""Settling, a person's word, taking back and receipts, as a user types them; the simulator's journal is the witness."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta

import jsonschema
import pytest
import worlds

from smsdeclare.schema import load_schema
from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.server import Server, wall_clock
from smsdeclare.simulator.settings import Credential, Service, Settings


class Shifted:
    """The wall clock, set forward on purpose."""

    def __init__(self):
        self.ahead = 0.0
        #: Called whenever the server looks at it.
        self.watch = lambda: None

    def __call__(self):
        self.watch()
        return wall_clock() + self.ahead


class Place:
    """A project that sends by a server whose clock can be set forward."""

    def __init__(self, folder, command, script, settings):
        self.folder = folder
        self._command = command
        self.clock = Shifted()
        self.simulator = Simulator(Settings(**settings))
        self.server = Server(self.simulator, clock=self.clock, script=script).__enter__()

    def write(self, messages, more="settle: {after: 30m}\n"):
        worlds.write(self.folder, {"smsdeclare.yaml": worlds.loopback(self.server.url, more + messages)})
        return self

    def run(self, *arguments):
        return self._command(*arguments, "-C", self.folder)

    def apply(self, *arguments):
        return self.run("apply", "--auto-approve", *arguments)

    def posts(self):
        return sum(method == "POST" for method, *_ in self.server.requests)

    def received(self):
        return sorted(line["receiver"] for line in self.simulator.history.alive())


@pytest.fixture
def place(command, tmp_path, monkeypatch):
    for name, value in worlds.KEYS.items():
        monkeypatch.setenv(name, value)
    opened = []

    def make(script="", **settings):
        opened.append(Place(tmp_path / f"p{len(opened)}", command, script, settings))
        return opened[-1]

    yield make
    for one in opened:
        one.server.__exit__(None, None, None)


def people(count, text="Hello", more=""):
    numbers = ", ".join(f'"{worlds.number(index)}"' for index in range(count))
    return worlds.message(text, f"[{numbers}]", more)


def personal(count, more=""):
    rows = "".join(f'      - {{number: "{worlds.number(index)}", name: N{index}}}\n' for index in range(count))
    return f"receivers:\n  people:\n    numbers:\n{rows}" + worlds.message("Hello {{ name }}", "people", more)


A, B, C = (worlds.number(index) for index in range(3))


def later(**amount):
    return (datetime.now(tz=UTC) + timedelta(**amount)).strftime("%Y-%m-%d %H:%MZ")


def scheduled(**amount):
    return f"    sendAt: {later(**(amount or {'hours': 5}))}\n"


def test_what_was_lost_is_found_by_the_next_apply_and_what_was_dropped_is_posted_once(place):
    here = place("ald").write(personal(3))
    assert (4, 2) == ((first := here.apply("--json")).code, first.json["summary"]["unknown"])
    second = here.apply("--json")
    assert (4, 1, 1) == (second.code, second.json["summary"]["settled"], second.json["summary"]["unknown"])
    here.clock.ahead = 1801
    third = here.apply("--json")
    assert (0, 1, 1) == (third.code, third.json["summary"]["settled"], third.json["summary"]["sent"])
    assert ([A, B, C], 4) == (here.received(), here.posts())
    assert (0, 4) == (here.apply().code, here.posts())


def test_settle_posts_nothing_and_its_document_follows_the_schema(place):
    here = place("ald").write(personal(3))
    here.apply()
    here.clock.ahead = 1801
    result = here.run("settle", "--json")
    jsonschema.validate(result.json, load_schema("apply.v1"))
    assert (0, 2, None, 3) == (result.code, result.json["summary"]["settled"], result.json["digest"], here.posts())
    assert "Settle: 0 settled, 0 unknown." in here.run("settle").out


def test_settle_says_in_one_line_what_stays_unknown_and_why(place):
    here = place("add").write(personal(3))
    here.apply()
    result = here.run("settle")
    assert 4 == result.code
    (line,) = [line for line in result.err.splitlines() if line.startswith("message.hello@1:")]
    assert "2 still unknown: too early to tell before" in line


def test_an_unknown_job_blocks_only_its_own_sends(place):
    here = place("d").write(personal(2))
    assert 4 == here.apply().code
    assert [B] == here.received()


@pytest.mark.parametrize("waits", [True, False])
def test_waiting_goes_on_until_nothing_is_unknown(place, waits):
    here = place("adl").write(personal(3), "settle: {after: 1s}\n")
    result = here.apply("--json", *(("--wait", "1m") if waits else ()))
    if waits:
        assert (0, 3) == (result.code, result.json["summary"]["sent"] + result.json["summary"]["settled"] - 1)
        assert [A, B, C] == here.received()
    else:
        assert (4, 3) == (result.code, here.posts())


def test_what_was_lost_before_anything_was_sent_is_posted_by_the_next_run_that_sends_something(place):
    """Absence needs something of ours to compare with; what the run posts itself is there a moment later."""
    here = place("ddd").write(personal(4), "settle: {after: 1s}\n")
    assert (4, []) == (here.apply().code, here.received())
    here.clock.ahead = 5
    again = here.apply("--json")
    assert (0, 3, 4) == (again.code, again.json["summary"]["settled"], again.json["summary"]["sent"])
    assert [A, B, C, worlds.number(3)] == here.received()


def test_away_from_this_machine_nobody_waits_for_that_unasked(place):
    here = place("ddd").write(personal(4))
    here.apply()
    here.clock.ahead = 1801
    assert (4, [worlds.number(3)]) == (here.apply().code, here.received())
    here.clock.ahead += 301
    assert (0, 4) == (here.apply().code, len(here.received()))


def test_a_run_that_waits_in_vain_ends_with_4(place):
    here = place("d", list_lag=1e9).write(personal(1), "settle: {after: 1s}\n")
    assert 4 == here.apply("--wait", "2s").code
    assert 1 == here.posts()


def test_settle_waits_too(place):
    here = place("ad").write(personal(2), "settle: {after: 1s}\n")
    here.apply()
    assert (0, 2) == (here.run("settle", "--wait", "1m").code, here.posts())


@pytest.mark.parametrize("settle", ["{after: 19m}", "{after: 1199s}"])
def test_away_from_loopback_absence_takes_20_minutes(command, tmp_path, monkeypatch, settle):
    for name, value in worlds.KEYS.items():
        monkeypatch.setenv(name, value)
    root = worlds.root("{name: ovh, endpoint: ovh-eu, service: sms-ab12345-1}", f"settle: {settle}\n" + people(1))
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": root})
    for arguments in (("validate",), ("plan", "--offline")):
        result = command(*arguments, "-C", folder)
        assert (1, True) == (result.code, "smsdeclare.yaml:4:17: error SMS113" in result.out + result.err)


# — a person's word —


def test_a_person_says_that_it_was_sent(place):
    here = place("d").write(personal(2))
    here.apply()
    result = here.run("resolve", f"message.hello@1/{A}", "--sent", "--reason", "Ana has it")
    assert (0, "1 send is recorded as sent.\n") == (result.code, result.out)
    assert (0, [B]) == (here.apply().code, here.received())
    with sqlite3.connect(here.folder / "smsdeclare.state") as state:
        ((detail,),) = state.execute("SELECT detail FROM events WHERE kind = 'resolve'")
    state.close()
    assert ("Ana has it", True) == (json.loads(detail)["reason"], json.loads(detail)["sent"])


def test_that_it_was_not_sent_is_not_believed_as_long_as_it_may_arrive(place):
    here = place("d", list_lag=1e9).write(personal(2))
    here.apply()
    refused = here.run("resolve", "message.hello@1", "--not-sent", "--reason", "I looked")
    assert (1, True) == (refused.code, "SMS516" in refused.err)
    here.clock.ahead = 1801
    accepted = here.run("resolve", "message.hello@1", "--not-sent", "--reason", "I looked")
    assert (0, True) == (accepted.code, "still unknown: the provider does not list what it surely sent" in accepted.err)
    assert (0, [A, B]) == (here.apply().code, here.received())


def test_a_person_who_is_wrong_about_it_is_told_what_the_provider_lists(place):
    here = place("l").write(personal(2))
    here.apply()
    here.clock.ahead = 1801
    result = here.run("resolve", "message.hello@1", "--not-sent", "--reason", "I believe")
    assert (0, True) == (result.code, "1 found at the provider" in result.err)
    assert "0 sends are recorded" in result.out
    assert (0, [A, B], 2) == (here.apply().code, here.received(), here.posts())


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(("message.hello@1", "--sent", "--reason", "x"), "SMS515", id="nothing unknown"),
        pytest.param(("message.nobody@1", "--sent", "--reason", "x"), "SMS515", id="nobody"),
        pytest.param(("message.hello@1", "--sent", "--reason", " "), "SMS901", id="no reason"),
        pytest.param(("message.hello@1", "--reason", "x"), "SMS901", id="neither"),
    ],
)
def test_a_word_about_nothing_unknown_changes_nothing(place, arguments, code):
    here = place().write(personal(1))
    here.apply()
    before = (here.folder / "smsdeclare.state").read_bytes()
    result = here.run("resolve", *arguments)
    assert (1, True) == (result.code, code in result.err)
    assert before == (here.folder / "smsdeclare.state").read_bytes()


# — taking back —


def test_who_left_the_files_is_taken_back_and_the_rest_stays(place):
    here = place().write(people(3, more=scheduled()))
    here.apply()
    here.write(people(2, more=scheduled()))
    plan = here.run("plan", "--json").json
    assert (1, 2, 0) == tuple(plan["summary"][word] for word in ("cancel", "keep", "send"))
    assert (0, 1) == ((result := here.apply("--json")).code, result.json["summary"]["cancelled"])
    assert ([A, B], 1) == (here.received(), here.posts())
    assert 0 == here.run("plan", "--detailed-exitcode").code


def test_a_message_that_left_the_files_or_is_not_enabled_is_taken_back(place):
    for gone in ("receivers: {}\n", people(2, more=scheduled() + "    enabled: false\n")):
        here = place().write(people(2, more=scheduled()))
        here.apply()
        here.write(gone)
        assert (0, []) == (here.apply().code, here.received())


@pytest.mark.parametrize("edit", ["text", "options", "time"])
def test_what_is_edited_is_taken_back_and_sent_anew(place, edit):
    here = place().write(people(2, more=scheduled()))
    here.apply()
    more = {"text": scheduled(), "options": scheduled() + "    options: {priority: low}\n", "time": scheduled(hours=6)}
    here.write(people(2, "Anew" if edit == "text" else "Hello", more[edit]))
    plan = here.run("plan", "--json").json
    assert (2, 0, 1, ["replace"]) == (
        plan["summary"]["replace"],
        plan["summary"]["send"],
        plan["summary"]["posts"],
        [change["action"] for change in plan["changes"]],
    )
    result = here.apply("--json")
    summary = result.json["summary"]
    assert (0, 2, 0, 0) == (result.code, summary["replaced"], summary["cancelled"], summary["scheduled"])
    assert ([A, B], 2) == (here.received(), here.posts())
    assert 0 == here.run("plan", "--detailed-exitcode").code


def test_another_spelling_of_the_same_moment_changes_nothing(place):
    moment = datetime.now(tz=UTC).replace(microsecond=0, second=0) + timedelta(hours=5)
    here = place().write(people(1, more=f"    sendAt: {moment:%Y-%m-%d %H:%M}Z\n"))
    here.apply()
    here.write(people(1, more=f"    sendAt: {moment + timedelta(hours=2):%Y-%m-%d %H:%M}+02:00\n"))
    assert 0 == here.run("plan", "--detailed-exitcode").code


def test_a_higher_revision_goes_out_when_the_lower_one_is_seen_gone(place):
    here = place().write(people(2, more=scheduled()))
    here.apply()
    here.write(people(2, "Anew", "    revision: 2\n"))
    plan = here.run("plan", "--json").json
    assert [("send", "message.hello@2"), ("cancel", "message.hello@1")] == [
        (change["action"], change["address"]) for change in plan["changes"]
    ]
    result = here.apply("--json")
    assert (0, 2, 2) == (result.code, result.json["summary"]["sent"], result.json["summary"]["cancelled"])
    assert [A, B] == here.received()
    texts = {line["message"] for line in here.simulator.history.alive()}
    assert {"Anew"} == texts


def test_a_plan_for_one_send_takes_back_only_what_its_receiver_has_of_a_lower_revision(place):
    here = place().write(people(2, more=scheduled()))
    here.apply()
    here.write(people(2, "Anew", "    revision: 2\n"))
    target = ("--target", f"message.hello@2/{B}")
    plan = here.run("plan", *target, "--json").json
    assert [("send", "message.hello@2", 1), ("cancel", "message.hello@1", 1)] == [
        (change["action"], change["address"], change["receivers"]) for change in plan["changes"]
    ]
    assert 0 == here.apply(*target).code
    assert {(A, "Hello"), (B, "Anew")} == {
        (line["receiver"], line["message"]) for line in here.simulator.history.alive()
    }


def test_who_left_the_list_of_a_lowered_revision_does_not_get_the_higher_one(place):
    """Who is still on it had the higher one, and keeps it."""
    here = place().write(people(3, more=scheduled() + "    revision: 2\n"))
    here.apply()
    here.write(people(2, more=scheduled()))
    plan = here.run("plan", "--json").json
    assert [("keep", "message.hello@1", 2), ("cancel", "message.hello@2", 1)] == [
        (change["action"], change["address"], change["receivers"]) for change in plan["changes"]
    ]
    assert 0 == here.apply().code
    assert 0 == here.run("plan", "--detailed-exitcode").code
    assert [A, B] == sorted(line["receiver"] for line in here.simulator.history.alive())


def test_what_can_not_be_taken_back_any_more_keeps_the_higher_revision_waiting(place):
    here = place().write(people(1, more=scheduled()))
    here.apply()
    here.clock.ahead = timedelta(hours=4, minutes=52).total_seconds()
    here.write(people(1, "Anew", "    revision: 2\n"))
    result = here.run("plan", "--json")
    assert (0, ["SMS409"]) == (result.json["summary"]["send"], [one["code"] for one in result.json["warnings"]])
    assert (0, 1) == (here.apply().code, here.posts())


def test_a_saved_plan_that_takes_back_is_carried_out_once_even_after_a_crash(place):
    here = place().write(people(3, more=scheduled()))
    here.apply()
    here.write(people(2, "Anew", scheduled()))
    assert 0 == here.run("plan", "--out", "plan.json").code
    here.server._faults.script = ["l"]
    assert 4 == here.run("apply", "plan.json").code
    # The lists know nothing of a held SMS but its receiver, so it stays unknown until it is out.
    assert (4, [A, B]) == (here.run("apply", "plan.json").code, here.received())
    here.clock.ahead = timedelta(hours=6).total_seconds()
    assert (0, [A, B], 2) == (here.run("apply", "plan.json").code, here.received(), here.posts())


@pytest.mark.parametrize("before", ["", "    revision: 2\n"], ids=["same revision", "lowered"])
def test_a_plan_that_takes_back_too_many_is_refused(place, before):
    here = place().write(people(30, more=scheduled() + before))
    here.apply()
    here.write(people(20, more=scheduled()))
    result = here.run("plan", "--json")
    (violation,) = result.json["violations"]
    assert (5, "maxLeft", "30% of 30 scheduled", 10) == (
        result.code, violation["rule"], violation["limit"], violation["actual"]
    )  # fmt: skip
    assert (5, 30) == (here.apply().code, len(here.received()))
    here.write(people(20, more=scheduled()), "policy: {maxLeft: 10}\n")
    assert (0, 20) == (here.apply().code, len(here.received()))


def test_a_target_takes_back_its_own_alone(place):
    two = people(2, more=scheduled()) + f'  other:\n    text: Other\n    to: "{C}"\n' + scheduled()
    here = place().write(two)
    here.apply()
    here.write(people(1, "Anew", scheduled()))
    assert 0 == here.apply("--target", f"message.hello@1/{A}").code
    assert [A, B, C] == here.received()
    assert 0 == here.apply("--target", "message.hello").code
    assert [A, C] == here.received()
    assert 0 == here.apply().code
    assert [A] == here.received()


def test_a_message_that_is_renamed_and_edited_is_taken_back_and_sent_anew(place):
    here = place().write(people(3, more=scheduled()))
    here.apply()
    renamed = people(2, "Anew", scheduled() + "    renamedFrom: hello\n").replace("  hello:", "  moved:")
    here.write(renamed)
    assert 0 == here.run("plan", "--out", "plan.json").code
    result = here.run("apply", "plan.json", "--json")
    summary = result.json["summary"]
    assert (0, 2, 1, [A, B]) == (result.code, summary["replaced"], summary["cancelled"], here.received())
    assert (0, 2) == (here.run("apply", "plan.json").code, here.posts())


def test_a_refusal_as_a_whole_ends_the_posting_however_long_the_run_waits(place):
    here = place("da", services=(Service(credits=1.0),)).write(personal(3), "settle: {after: 1s}\n")
    result = here.apply("--wait", "1m", "--json")
    assert (1, ["SMS618"], 1) == (
        result.code, [one["code"] for one in result.json["errors"]], result.json["summary"]["settled"]
    )  # fmt: skip
    assert ([B], 3) == (here.received(), here.posts())


# — the panic button —


def test_a_stop_takes_everything_back_and_only_a_resend_posts_it_again(place):
    here = place().write(people(2, more=scheduled()))
    here.apply()
    assert 0 == (result := here.run("stop", "--cancel", "--reason", "wrong price")).code
    assert ("2 taken back.", []) == (result.out.splitlines()[-1], here.received())
    here.run("resume")
    assert (0, []) == (here.apply().code, here.received())
    assert ["SMS414"] == [one["code"] for one in here.run("plan", "--json").json["warnings"]]
    assert 0 == here.run("resend", "message.hello@1", "--status", "cancelled", "--reason", "right price").code
    assert (0, [A, B]) == (here.apply().code, here.received())


def test_a_resend_frees_what_a_stop_took_back_beside_what_is_free_already(place):
    here = place().write(people(3, more=scheduled()))
    here.apply()
    here.write(people(2, more=scheduled()))
    here.apply()
    here.run("stop", "--cancel", "--reason", "wrong price")
    here.run("resume")
    freed = here.run("resend", "message.hello@1", "--status", "cancelled", "--reason", "right price")
    assert (0, True) == (freed.code, freed.out.startswith("2 sends are free"))
    assert (0, [A, B]) == (here.apply().code, here.received())
    again = here.run("resend", f"message.hello@1/{C}", "--reason", "x")
    assert (1, True) == (again.code, "SMS512" in again.err)


def test_a_stop_takes_back_before_it_looks_for_what_is_unknown_and_says_what_it_left(place):
    soon = f'  soon:\n    text: Soon\n    to: "{C}"\n' + scheduled(minutes=9)
    here = place("aal").write(people(1, more=scheduled()) + soon + f'  unknown:\n    text: Lost\n    to: "{B}"\n')
    here.apply()
    before = len(here.server.requests)
    result = here.run("stop", "--cancel", "--reason", "wrong price")
    told = "1 taken back. 1 left as they are: out by now, or within ten minutes."
    assert (0, told, [B, C]) == (result.code, result.out.splitlines()[-1], here.received())
    kinds = [(method, path.split("?")[0].split("/")[4:5]) for method, path, _ in here.server.requests[before:]]
    assert kinds.index(("DELETE", ["jobs"])) < kinds.index(("GET", ["outgoing"]))


def test_a_stop_takes_back_where_the_files_are_broken(place):
    here = place().write(people(2, more=scheduled()))
    here.apply()
    (here.folder / "smsdeclare.yaml").write_text("version: 1\nproject: [\n")
    assert (0, []) == (here.run("stop", "--cancel", "--reason", "x").code, here.received())


# — receipts —


def test_refresh_reads_receipts_and_status_shows_them(place):
    here = place(failures={B: 24}).write(people(2))
    here.apply()
    here.clock.ahead = 60
    result = here.run("refresh", "--json")
    jsonschema.validate(result.json, load_schema("apply.v1"))
    assert (0, 2) == (result.code, result.json["summary"]["receipts"])
    assert "1 delivered" in (shown := here.run("status").out)
    assert "1 failed: the phone was off or out of reach (ptt 24)" in shown
    assert "out of reach" in here.run("state", "list", "--json").out


# — the lease —


def test_the_lease_of_another_run_is_told_and_can_be_given_back(place):
    here = place().write(people(1))
    here.apply()
    lease = {
        "holder": "x", "actor": "ana on elsewhere", "host": "elsewhere", "pid": 7, "ci": "https://ci.example/7",
        "since": "2026-11-25T08:00:00Z", "until": "2999-01-01T00:00:00Z",
    }  # fmt: skip
    state = sqlite3.connect(here.folder / "smsdeclare.state")
    state.execute("INSERT INTO meta VALUES ('lease', ?)", (json.dumps(lease),))
    state.commit()
    state.close()
    here.write(people(2))
    held = here.apply()
    assert 6 == held.code
    assert "ana on elsewhere (process 7, https://ci.example/7) since 2026-11-25T08:00:00Z" in held.err
    assert 0 == here.run("settle").code
    assert "held by ana on elsewhere" in here.run("state", "unlock").out
    assert "Nobody held it." in here.run("state", "unlock").out
    assert (0, [A, B]) == (here.apply().code, here.received())


@pytest.mark.parametrize("why", ["ran out", "its process ended", "unreadable"])
def test_a_lease_that_is_over_is_taken_over(place, why):
    import socket

    here = place().write(people(1))
    here.apply()
    until = "2020-01-01T00:00:00Z" if why == "ran out" else "2999-01-01T00:00:00Z"
    lease = {
        "holder": "x", "actor": "ana", "host": socket.gethostname() if why == "its process ended" else "elsewhere",
        "pid": 2**22 + 1, "ci": None, "since": until, "until": until,
    }  # fmt: skip
    state = sqlite3.connect(here.folder / "smsdeclare.state")
    state.execute("INSERT INTO meta VALUES ('lease', ?)", ("{" if why == "unreadable" else json.dumps(lease),))
    state.commit()
    state.close()
    here.write(people(2))
    assert (0, [A, B]) == (here.apply().code, here.received())


def test_nothing_is_left_of_the_lease(place):
    here = place().write(people(1))
    here.apply()
    assert "Nobody held it." in here.run("state", "unlock").out


def test_a_key_that_may_only_post_works_and_what_it_can_not_do_is_said(place):
    rules = (("GET", "/sms/*/jobs"), ("GET", "/sms/"), ("POST", "/sms/*/jobs"))
    here = place(credentials=(Credential(rules=rules),)).write(people(1))
    result = here.apply()
    assert (0, [A], True) == (result.code, here.received(), "warning SMS622" in result.err)


# — what moves while a run waits —


def edit_once_posted(here, posts, *written):
    """Let somebody edit the files once so many requests were posted."""

    def watch():
        if here.posts() >= posts:
            here.clock.watch = lambda: None
            here.write(*written)

    here.clock.watch = watch


def test_edits_while_a_run_waits_are_not_what_was_approved_and_stay_unposted(place):
    soon = "settle: {after: 1s}\n"
    here = place("ad").write(personal(2), soon)
    assert 0 == here.run("plan", "--out", "plan.json").code
    edit_once_posted(here, 2, personal(3), soon)
    result = here.run("apply", "plan.json", "--wait", "1m", "--json")
    assert [A, B] == here.received(), result
    assert (0, 2) == (result.code, result.json["summary"]["sent"])


def test_files_that_break_while_a_run_waits_do_not_hide_what_was_sent(place):
    soon = "settle: {after: 1s}\n"
    here = place("ad").write(personal(2), soon)
    edit_once_posted(here, 2, "messages: {\n", soon)
    result = here.apply("--wait", "1m", "--json")
    assert (0, 2) == (result.code, result.json["summary"]["sent"]), result


def test_who_posted_and_could_not_record_it_is_not_told_that_nothing_was_done(place, monkeypatch):
    monkeypatch.setattr("smsdeclare.ledgers.sqlite_file._BUSY_SECONDS", 0.1)
    here = place().write(people(1))
    others = []

    def lock():
        if here.posts() and not others:
            others.append(sqlite3.connect(here.folder / "smsdeclare.state", check_same_thread=False))
            others[0].execute("BEGIN IMMEDIATE")

    here.clock.watch = lock
    result = here.apply("--json")
    others[0].close()
    assert (4, 1, ["SMS506"]) == (
        result.code, result.json["summary"]["unknown"], [one["code"] for one in result.json["errors"]]
    )  # fmt: skip
