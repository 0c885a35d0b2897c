"""What "never twice" means, sentence by sentence, as far as no other test proves it."""

import sqlite3
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import worlds

from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.settings import Credential, Service, Settings

A, B, C, D = (worlds.number(index) for index in range(1, 5))
APPLY = ("apply", "--auto-approve")
#: As OVHcloud's guide to SMS grants them.
GUIDE = (("GET", "/sms/"), ("GET", "/sms/*/jobs"), ("POST", "/sms/*/jobs"))
NO_POST = Credential(rules=(("GET", "/sms"), ("GET", "/sms/*")))


def people(count):
    """A list `people`, whose receivers differ in `n`, so that each takes a POST of its own."""
    rows = ", ".join(f'{{number: "{worlds.number(index)}", n: "{index}"}}' for index in range(1, count + 1))
    return f"receivers: {{people: {{numbers: [{rows}]}}}}\n"


def several(url, count):
    return {"smsdeclare.yaml": worlds.loopback(url, people(count) + worlds.message("Hi {{ n }}", "people"))}


def posts(server):
    return sum(method == "POST" for method, *_ in server.requests)


def received(server):
    return [sms["receiver"] for sms in server._simulator.journal]


def become(server, **settings):
    """The same account with its history, and other settings."""
    server._simulator = Simulator(Settings(**settings), records=server._simulator.journal)


def counts(command, folder):
    found = Counter()
    for message in command("status", "-C", folder, "--json").json["messages"]:
        found.update(message["counts"])
    return found


# — the key —

TABLE = f"number,name\n{A},Ana\n{B},Bo\n"
FILES = {
    "smsdeclare.yaml": worlds.root(),
    "a.sms.yaml": "receivers:\n  all: {csv: a.csv, defaultCountry: FR}\n",
    "b.sms.yaml": "messages:\n  one: {text: Hello, to: all}\n  two: {text: Bye, to: all, options: {priority: low}}\n",
    "a.csv": TABLE,
}
EDITS = {
    "nothing at all": {},
    "another text": {"b.sms.yaml": FILES["b.sms.yaml"].replace("Hello", "Hello again")},
    "other options": {"b.sms.yaml": FILES["b.sms.yaml"].replace("low", "high")},
    "messages in another order": {
        "b.sms.yaml": "messages:\n"
        "  two: {text: Bye, to: all, options: {priority: low}}\n"
        "  one: {text: Hello, to: all}\n"
    },
    "rows in another order": {"a.csv": f"number,name\n{B},Bo\n{A},Ana\n"},
    "columns in another order": {"a.csv": f"name,number\nAna,{A}\nBo,{B}\n"},
    "another file": {"b.sms.yaml": None, "z.sms.yaml": FILES["b.sms.yaml"]},
    "another CSV file": {"a.csv": None, "z.csv": TABLE, "a.sms.yaml": FILES["a.sms.yaml"].replace("a.csv", "z.csv")},
    "a receivers list with another name": {
        "a.sms.yaml": FILES["a.sms.yaml"].replace("all:", "everybody:"),
        "b.sms.yaml": FILES["b.sms.yaml"].replace("to: all", "to: everybody"),
    },
    "numbers in YAML": {"a.sms.yaml": f'receivers:\n  all: {{numbers: ["{A}", "{B}"]}}\n'},
    "numbers spelled otherwise": {"a.csv": "number,name\n06 39 98 00 01,Ana\n0033639980002,Bo\n"},
    "a number twice": {"a.csv": f"{TABLE}06.39.98.00.01,Ana\n"},
    "numbers in two lists": {
        "a.sms.yaml": FILES["a.sms.yaml"] + f'  more: {{numbers: ["{A}"]}}\n',
        "b.sms.yaml": FILES["b.sms.yaml"].replace("to: all", f'to: [more, all, "{B}"]'),
    },
    "smaller jobs": {"smsdeclare.yaml": worlds.root("{name: sandbox, receiversPerJob: 1}")},
    "another time zone": {"smsdeclare.yaml": worlds.root(more="timezone: Asia/Tokyo\n")},
}


@pytest.mark.parametrize("edit", EDITS)
def test_what_was_accepted_is_not_posted_again_after(command, tmp_path, edit):
    worlds.write(tmp_path, FILES)
    command(*APPLY, "-C", tmp_path)
    before = worlds.outbox(tmp_path)
    for name, text in EDITS[edit].items():
        if text is None:
            (tmp_path / name).unlink()
        else:
            worlds.write(tmp_path, {name: text})
    result = command(*APPLY, "-C", tmp_path, "--json")
    assert (0, 4, before) == (result.code, result.json["summary"]["kept"], worlds.outbox(tmp_path))


@pytest.mark.parametrize("edit", ["numbers spelled otherwise", "a number twice", "numbers in two lists"])
def test_a_number_gets_one_sms_however_often_it_stands_there(command, tmp_path, edit):
    worlds.write(tmp_path, {**FILES, **EDITS[edit]})
    command(*APPLY, "-C", tmp_path)
    assert sorted([A, A, B, B]) == sorted(sms["receiver"] for sms in worlds.outbox(tmp_path))


# — the state it is for —


def test_a_state_is_good_for_one_endpoint_only(command, serve, tmp_path):
    here, there = serve(), serve()
    worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(here.url, worlds.message())})
    command(*APPLY, "-C", tmp_path)
    worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(there.url, worlds.message())})
    for words in (("plan",), APPLY):
        result = command(*words, "-C", tmp_path)
        assert (1, True) == (result.code, "error SMS502" in result.err)
    assert 0 == posts(there)


@pytest.mark.parametrize("more", ["", "state: {path: one.state}\n"])
def test_the_sandbox_has_a_state_of_its_own(command, serve, tmp_path, more):
    server = serve()
    worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=more + worlds.message())})
    command(*APPLY, "-C", tmp_path)
    worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(server.url, more + worlds.message())})
    assert 0 == command(*APPLY, "-C", tmp_path).code
    assert (1, 1, 2) == (posts(server), len(worlds.outbox(tmp_path)), len(list(tmp_path.glob("*.state"))))


def test_a_ref_is_of_its_state(command, tmp_path):
    refs = []
    for name in ("one", "two"):
        folder = worlds.write(tmp_path / name, {"smsdeclare.yaml": worlds.root(more=worlds.message())})
        command(*APPLY, "-C", folder)
        refs += [send["ref"] for send in command("state", "list", "-C", folder, "--json").json["sends"]]
    assert 2 == len(set(refs))


# — revisions —


def aged(path, **age):
    """Everything on record happened so much earlier."""
    then = (datetime.now(tz=UTC) - timedelta(**age)).strftime("%Y-%m-%dT%H:%M:%SZ")
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("UPDATE jobs SET claimed_at = ?", (then,))
    connection.close()


@pytest.mark.parametrize(
    ("age", "times", "sent"),
    [
        pytest.param({"days": 29}, "", 1, id="29 days after"),
        pytest.param({"days": 31}, "", 0, id="31 days after"),
        pytest.param({"days": 31}, "    expiresAt: never\n", 1, id="never"),
        pytest.param({"days": 31}, "    expiresAt: 2099-01-01 00:00\n", 1, id="not yet expired"),
    ],
)
def test_a_revision_closes_30_days_after_its_first_send(command, tmp_path, age, times, sent):
    def to(*numbers):
        listed = ", ".join(f'"{number}"' for number in numbers)
        more = worlds.root(more=worlds.message("Hi", f"[{listed}]", times))
        return worlds.write(tmp_path, {"smsdeclare.yaml": more})

    command(*APPLY, "-C", to(A))
    aged(tmp_path / "smsdeclare.sandbox.state", **age)
    plan = command("plan", "-C", to(A, B), "--json").json
    closed = [] if sent else ["SMS410"]
    assert (sent, closed) == (plan["summary"]["send"], [row["code"] for row in plan["skipped"]])
    assert 0 == command(*APPLY, "-C", tmp_path).code
    assert 1 + sent == len(worlds.outbox(tmp_path))


def test_what_a_lower_revision_never_posted_stays_unposted(command, serve, tmp_path):
    server = serve(credentials=(NO_POST,))
    root = worlds.loopback(server.url, worlds.message("One"))
    assert 1 == command(*APPLY, "-C", worlds.write(tmp_path, {"smsdeclare.yaml": root})).code
    become(server)
    second = root.replace("One", "Two").replace("    to:", "    revision: 2\n    to:")
    worlds.write(tmp_path, {"smsdeclare.yaml": second})
    for _ in range(2):
        assert 0 == command(*APPLY, "-C", tmp_path).code
    assert ["Two"] == [sms["message"] for sms in server._simulator.journal]


def test_a_lowered_revision_sends_nothing_and_warns(command, tmp_path):
    def at(revision, *numbers):
        listed = ", ".join(f'"{number}"' for number in numbers)
        more = worlds.message("Hi", f"[{listed}]", f"    revision: {revision}\n")
        return worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=more)})

    command(*APPLY, "-C", at(2, A))
    plan = command("plan", "-C", at(1, A, B), "--json").json
    assert (["SMS407"], 1) == ([one["code"] for one in plan["warnings"]], plan["summary"]["send"])
    command(*APPLY, "-C", tmp_path)
    assert [A, B] == [sms["receiver"] for sms in worlds.outbox(tmp_path)]
    again = command(*APPLY, "-C", tmp_path)
    assert (0, True) == (again.code, f"with warnings: `smsdeclare plan -C {tmp_path}`" in again.err)


def test_an_apply_that_sends_nothing_is_silent_where_nothing_is_to_be_said(command, tmp_path):
    worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=worlds.message("Hi", A))})
    command(*APPLY, "-C", tmp_path)
    assert not command(*APPLY, "-C", tmp_path).err


# — times —


@pytest.mark.parametrize(
    ("minutes", "expires", "code", "sent"),
    [
        pytest.param(1, None, 0, 1, id="a minute late"),
        pytest.param(58, None, 0, 1, id="within the hour"),
        pytest.param(62, None, 3, 0, id="after the hour"),
        pytest.param(62, 90, 0, 1, id="within its own end"),
        pytest.param(10, 5, 3, 0, id="after its own end"),
    ],
)
def test_a_passed_time_is_posted_at_once_until_its_end(command, tmp_path, minutes, expires, code, sent):
    at = datetime.now(tz=UTC) - timedelta(minutes=minutes)
    times = f"    sendAt: {at:%Y-%m-%d %H:%M}\n"
    if expires:
        times += f"    expiresAt: {at + timedelta(minutes=expires):%Y-%m-%d %H:%M}\n"
    worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=worlds.message(more=times))})
    result = command(*APPLY, "-C", tmp_path, "--json")
    found = worlds.outbox(tmp_path)
    assert (code, sent, 1 - sent) == (result.code, len(found), result.json["summary"]["missed"])
    assert not [sms for sms in found if sms["differedPeriod"]]
    assert (0, sent) == (command(*APPLY, "-C", tmp_path).code, len(worlds.outbox(tmp_path)))


def test_a_message_with_an_end_is_valid_until_then_and_no_longer(command, tmp_path):
    end = datetime.now(tz=UTC) + timedelta(minutes=90)
    times = f"    expiresAt: {end:%Y-%m-%d %H:%M}\n"
    command(*APPLY, "-C", worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=worlds.message(more=times))}))
    (sms,) = worlds.outbox(tmp_path)
    assert sms["options"]["validityPeriod"] in (88, 89, 90)


# — when a run ends early —


def test_after_three_doubts_in_a_row_nothing_more_is_posted(command, serve, tmp_path):
    server = serve("alll", list_lag=1e9)
    folder = worlds.write(tmp_path, several(server.url, 6))
    result = command(*APPLY, "-C", folder, "--json")
    assert (4, 4, 1, 3) == (result.code, posts(server), result.json["summary"]["sent"], len(result.json["unknown"]))
    assert ["SMS608"] == [error["code"] for error in result.json["errors"]]
    again = command(*APPLY, "-C", folder, "--json")
    assert (4, 6, 2, 3) == (again.code, posts(server), again.json["summary"]["sent"], again.json["summary"]["unknown"])
    assert [worlds.number(index) for index in range(1, 7)] == sorted(received(server))
    assert 4 == command(*APPLY, "-C", folder).code
    assert 6 == posts(server)


def test_receivers_who_are_all_invalid_are_recorded_and_not_asked_for_again(command, serve, tmp_path):
    """OVHcloud answers 200 with empty `ids`: the apply finished, and each is refused."""
    server = serve(unreachable=(A, B))
    more = worlds.message("Hi", f'["{A}", "{B}"]')
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(server.url, more)})
    first = command(*APPLY, "-C", folder, "--json")
    assert (3, 1, 2, 0) == (first.code, posts(server), first.json["summary"]["rejected"], first.json["summary"]["sent"])
    sends = command("state", "list", "-C", folder, "--json", "--show-numbers").json["sends"]
    assert [(A, "rejected"), (B, "rejected")] == [(send["receiver"], send["status"]) for send in sends]
    assert {send["ref"] for send in sends} == {row["ref"] for row in first.json["rejected"]}
    again = command(*APPLY, "-C", folder, "--json")
    assert (0, 1, 2) == (again.code, posts(server), again.json["summary"]["kept"])
    assert 0 == command("plan", "-C", folder, "--detailed-exitcode").code


#: What is wrong in the middle of a run: settings of the account, and what the refusal is called.
REFUSALS = {
    "no right": ({"credentials": (NO_POST,)}, "SMS611"),
    "no credits": ({"services": (Service(credits=1.0),)}, "SMS618"),
    "no service": ({"services": (Service(name="sms-zz99999-9"),)}, "SMS616"),
}


@pytest.mark.parametrize("by_plan", [False, True], ids=["planned anew", "by its plan"])
@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_in_the_middle_leaves_the_rest_and_the_rerun_sends_just_that(command, serve, tmp_path, name, by_plan):
    settings, code = REFUSALS[name]
    server = serve("h")
    # A message each: what is wrong with one message alone would let the others go on.
    texts = "".join(f'  m{index}: {{text: Hi, to: "{worlds.number(index)}"}}\n' for index in range(1, 5))
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(server.url, f"messages:\n{texts}")})
    command("plan", "-C", folder, "--out", "plan.json")
    # One at a time, so that one is refused and not two.
    words = (*(("apply", "plan.json") if by_plan else APPLY), "--json", "--parallelism", "1")
    process = worlds.spawn(*words, "-C", folder)
    assert server.held.wait(30)
    become(server, **settings)
    server.release()
    out, err = process.communicate(timeout=30)
    assert (1, True) == (process.returncode, f'"code": "{code}"' in out), err
    # A service that is gone is noticed by the look before a message's first POST, the others by the POST.
    refused = 0 if name == "no service" else 1
    assert (1 + refused, Counter(accepted=1, notSent=refused)) == (posts(server), counts(command, folder))
    assert [worlds.number(1)] == received(server)
    assert 1 == command(*words, "-C", folder).code

    become(server)
    assert (0, 3) == ((result := command(*words, "-C", folder)).code, result.json["summary"]["sent"])
    assert [worlds.number(index) for index in range(1, 5)] == received(server)
    assert 0 == command(*words, "-C", folder).code
    assert 4 == len(received(server))


@pytest.mark.parametrize("shape", ["errorCode", "class"])
def test_a_call_that_is_not_granted_comes_with_the_link_that_grants_just_that(command, serve, tmp_path, shape):
    server = serve(credentials=(NO_POST,), error_shape=shape)
    folder = worlds.write(tmp_path, several(server.url, 1))
    said = command(*APPLY, "-C", folder)
    assert 1 == said.code
    (link,) = [word for word in said.err.split() if "createToken" in word]
    assert "https://auth.eu.ovhcloud.com/api/createToken?POST=/sms/sms-ab12345-1/jobs" == link


def test_a_key_with_the_guide_s_three_rights_is_enough_and_it_is_said_what_it_can_not_do(command, serve, tmp_path):
    server = serve(credentials=(Credential(rules=GUIDE),))
    for service in (f", service: {worlds.SERVICE}", ""):
        root = worlds.root(f'{{name: ovh, endpoint: "{server.url}"{service}}}', worlds.message(name=f"m{len(service)}"))
        folder = worlds.write(tmp_path / f"p{len(service)}", {"smsdeclare.yaml": root})
        plan = command("plan", "-C", folder)
        assert (0, True) == (plan.code, "credits left" in plan.out + plan.err)
        assert command("plan", "-C", folder, "--json").json["summary"]["creditsLeft"] is None
        assert 0 == command(*APPLY, "-C", folder).code
        shown = command("service", "-C", folder)
        assert (0, True, True) == (
            shown.code, "credits left: may not be asked" in shown.out, "senders: may not be asked" in shown.out
        )  # fmt: skip
    assert 2 == len(received(server))


def test_what_the_provider_still_holds_is_not_sent_once_more(command, tmp_path):
    more = worlds.message(more="    sendAt: 2099-12-01 09:00\n")
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=more)})
    command(*APPLY, "-C", folder)
    result = command("resend", "message.hello@1", "--reason", "typo", "-C", folder)
    assert (1, True) == (result.code, "error SMS512" in result.err)
    assert 0 == command(*APPLY, "-C", folder).code
    assert 1 == len(worlds.outbox(folder))
