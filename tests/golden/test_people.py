"""Who writes and who is written to: senders of the account, its blacklist, and who opted out."""

from dataclasses import replace

import pytest
import timed
import worlds

from smsdeclare.cli.account import Account
from smsdeclare.simulator.settings import Credential, Sender, Service

SENDERS = (
    Sender(name="ACME"),
    Sender(name="WAITS", status="waitingValidation"),
    Sender(name="NOT", status="refused"),
    Sender(name="OFF", status="disable"),
    Sender(name="0033639980099", type="numeric"),
)
OPTED_OUT = "policy: {optOut: out}\nreceivers:\n  out: {numbers: %s}\n"
NOBODY = '["+33639980099"]'
ALL = '["+33639980001", "+33639980002", "+33639980003"]'


def account(blacklist=(), senders=SENDERS):
    return (Service(name=worlds.SERVICE, senders=senders, blacklist=tuple(blacklist)),)


def project(folder, server, options="{sender: ACME}", more="", text="Hello", times=""):
    text = worlds.message(text, ALL, f"    options: {options}\n{times}")
    return worlds.write(folder, {"smsdeclare.yaml": worlds.loopback(server.url, more + text)})


def later(server, services):
    """The same account, a moment later."""
    world = server._simulator
    world.settings = world.history.settings = replace(world.settings, services=services)


def receivers(server):
    return sorted(sms["receiver"] for sms in server._simulator.history.alive())


def posted(server):
    return [path for method, path, _ in server.requests if method == "POST"]


def edit(folder, old, new):
    path = folder / "smsdeclare.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def skipped(result):
    return [(row["code"], row["address"]) for row in result.json["skipped"]]


def may_only(*paths):
    """Credentials that may read these paths, and post."""
    rules = [("GET", path) for path in ("/auth/*", "/sms", f"/sms/{worlds.SERVICE}", *paths)]
    return (Credential(rules=(*rules, ("POST", "/sms/*"), ("GET", "/sms/*/outgoing*"))),)


# — senders —


@pytest.mark.parametrize(
    ("sender", "code", "said"),
    [
        pytest.param("ACNE", "SMS660", "Did you mean `ACME`?", id="a slip"),
        pytest.param("acme", "SMS660", "Did you mean `ACME`?", id="case counts"),
        pytest.param("ZZZ", "SMS660", "Declare it", id="unknown"),
        pytest.param("WAITS", "SMS661", "waits for validation", id="waiting"),
        pytest.param("NOT", "SMS661", "was refused", id="refused"),
        pytest.param("OFF", "SMS661", "is switched off", id="disabled"),
    ],
)
def test_a_sender_that_would_be_refused_is_an_error_before_anything_is_sent(
    command, serve, tmp_path, sender, code, said
):
    server = serve(services=account())
    folder = project(tmp_path, server, f"{{sender: {sender}}}")
    for arguments in (("plan",), ("apply", "--auto-approve")):
        result = command(*arguments, "-C", folder)
        place = f"smsdeclare.yaml:8:23: error {code}"
        assert (1, True, True) == (result.code, place in result.err, said in result.err), result.err
    assert (code, 8) == tuple(
        command("plan", "-C", folder, "--json").json["errors"][0][key] for key in ("code", "line")
    )
    assert [] == posted(server)
    assert not (folder / "smsdeclare.state").exists()


@pytest.mark.parametrize(
    "options", ["{sender: ACME}", '{sender: "+33639980099"}', "{sender: ZZZ, senderForResponse: true}"]
)
def test_a_sender_that_is_validated_or_does_not_count_is_no_error(command, serve, tmp_path, options):
    assert 0 == command("plan", "-C", project(tmp_path, serve(services=account()), options)).code


def test_a_named_set_of_options_is_where_the_sender_is_to_be_mended(command, serve, tmp_path):
    server = serve(services=account())
    folder = project(tmp_path, server, "shop", "options:\n  shop:\n    sender: ACNE\n")
    assert "smsdeclare.yaml:6:13: error SMS660" in command("plan", "-C", folder).err


def test_what_was_sent_before_its_sender_was_withdrawn_is_no_error(command, serve, tmp_path):
    server = serve(services=account())
    folder = project(tmp_path, server)
    command("apply", "-C", folder, "--auto-approve")
    later(server, account(senders=()))
    assert 0 == command("plan", "-C", folder).code


@pytest.mark.parametrize(
    ("paths", "codes"),
    [
        pytest.param((), {"SMS662", "SMS663"}, id="neither"),
        pytest.param(("/sms/*/senders",), {"SMS662", "SMS663"}, id="the list, and no single sender"),
        pytest.param(("/sms/*/senders*",), {"SMS663"}, id="senders"),
        pytest.param(("/sms/*/blacklists",), {"SMS662"}, id="the blacklist"),
    ],
)
def test_what_the_credentials_may_not_read_is_a_warning(command, serve, tmp_path, paths, codes):
    server = serve(services=account(), credentials=may_only(*paths))
    folder = project(tmp_path, server)
    plan = command("plan", "-C", folder, "--json")
    assert (0, codes) == (plan.code, {one["code"] for one in plan.json["warnings"]})
    assert (0, 1) == (command("apply", "-C", folder, "--auto-approve").code, len(posted(server)))


def test_offline_nothing_is_asked(command, serve, tmp_path):
    server = serve(services=account([worlds.number(1)]))
    plan = command("plan", "-C", project(tmp_path, server, "{sender: ZZZ}"), "--offline", "--json")
    assert (0, 3, []) == (plan.code, plan.json["summary"]["send"], server.requests)


# — the blacklist, and who opted out —


def test_who_is_blacklisted_is_left_out_and_counted(command, serve, tmp_path):
    server = serve(services=account(["0033639980002"]))
    folder = project(tmp_path, server)
    plan = command("plan", "-C", folder, "--json")
    assert ([("SMS260", "message.hello@1")], 1, 2) == (
        skipped(plan), plan.json["summary"]["skip"], plan.json["summary"]["send"]
    )  # fmt: skip
    assert 2 == plan.json["summary"]["credits"]
    result = command("apply", "-C", folder, "--auto-approve", "--json")
    assert (0, 2, 1) == (result.code, result.json["summary"]["sent"], result.json["summary"]["skipped"])
    assert b"+33639980002" not in b"".join(body for _, _, body in server.requests)
    assert "+33639980002" not in command("state", "list", "-C", folder, "--show-numbers").out
    assert 0 == command("plan", "-C", folder, "--detailed-exitcode").code


@pytest.mark.parametrize("how", ["file", "digest"])
def test_who_answers_stop_after_the_approval_is_left_out_and_the_approval_stays_good(command, serve, tmp_path, how):
    before = serve(services=account())
    folder = project(tmp_path, before)
    digest = command("plan", "-C", folder, "--out", "plan.json", "--json").json["digest"]
    later(before, account([worlds.number(1)]))
    approval = ["plan.json"] if how == "file" else ["--expect-digest", digest]
    result = command("apply", "-C", folder, *approval, "--json")
    assert (0, 2, digest) == (result.code, result.json["summary"]["sent"], result.json["digest"])
    assert [worlds.number(2), worlds.number(3)] == receivers(before)
    again = command("apply", "-C", folder, *approval, "--json")
    assert (0, 0) == (again.code, again.json["summary"]["sent"])


def test_who_opted_out_gets_nothing_whatever_the_message(command, serve, tmp_path):
    server = serve(services=account())
    folder = project(tmp_path, server, more=OPTED_OUT % '["+33639980003"]')
    plan = command("plan", "-C", folder, "--json", "--out", "plan.json")
    assert [("SMS261", "message.hello@1")] == skipped(plan)
    edit(folder, '["+33639980003"]}', '["+33639980003", "+33639980001"]}')
    later = command("apply", "-C", folder, "plan.json", "--json")
    assert (0, 1, 2) == (later.code, later.json["summary"]["sent"], later.json["summary"]["skipped"])
    assert [worlds.number(2)] == receivers(server)


def test_the_blacklist_is_read_anew_each_time_a_plan_is_worked_out(tmp_path):
    """As after the prompt, at which people take their time."""
    here = timed.World(tmp_path)
    wanted = worlds.definitions("Hello", [{}])
    account_of_run = Account(provider=here.provider)
    wanted = wanted._replace(provider=wanted.provider._replace(name="ovh"))
    found = []
    for blacklist in ([], [worlds.number(1)], [worlds.number(2)]):
        here.simulator.settings = here.simulator.history.settings = replace(
            here.simulator.settings, services=account(blacklist)
        )
        found.append(sorted(account_of_run.look(wanted).blacklist))
    assert [[], [worlds.number(1)], [worlds.number(2)]] == found


def test_a_broken_rule_is_told_beside_an_unknown_sender(command, serve, tmp_path):
    server = serve(services=account())
    folder = project(tmp_path, server, "{sender: ZZZ}", "policy: {allowedSenders: [ACME]}\n")
    plan = command("plan", "-C", folder, "--json")
    assert (5, ["allowedSenders"], ["SMS660"]) == (
        plan.code, [one["rule"] for one in plan.json["violations"]], [one["code"] for one in plan.json["warnings"]]
    )  # fmt: skip
    assert (5, []) == (command("apply", "-C", folder, "--auto-approve").code, posted(server))


def test_an_opt_out_of_both_kinds_is_counted_once(command, serve, tmp_path):
    server = serve(services=account([worlds.number(3)]))
    folder = project(tmp_path, server, more=OPTED_OUT % '["+33639980003"]')
    assert [("SMS261", "message.hello@1")] == skipped(command("plan", "-C", folder, "--json"))


def test_an_opt_out_list_that_can_not_be_read_stops_the_plan(command, serve, tmp_path):
    folder = project(
        tmp_path, serve(services=account()), more="policy: {optOut: out}\nreceivers: {out: {csv: out.csv}}\n"
    )
    worlds.write(folder, {"out.csv": "number\nnone\n"})
    assert 1 == command("plan", "-C", folder).code


def test_an_opt_out_takes_nothing_back_and_posts_nothing_again(command, serve, tmp_path):
    """What is held goes out as it is, edited or not: only files take back, and nothing is freed on the way."""
    server = serve(services=account())
    folder = project(tmp_path, server, more=OPTED_OUT % NOBODY, times="    sendAt: 2099-01-01 09:00\n")
    command("apply", "-C", folder, "--auto-approve")
    edit(folder, f"out: {{numbers: {NOBODY}}}", f"out: {{numbers: {ALL}}}")
    edit(folder, '"Hello"', '"Hello again"')
    plan = command("plan", "-C", folder, "--json")
    assert (0, 0, 3, ["SMS462"]) == (
        plan.json["summary"]["replace"], plan.json["summary"]["skip"], plan.json["summary"]["keep"],
        [one["code"] for one in plan.json["warnings"]],
    )  # fmt: skip
    command("apply", "-C", folder, "--auto-approve")
    edit(folder, f"out: {{numbers: {ALL}}}", f"out: {{numbers: {NOBODY}}}")
    edit(folder, '"Hello again"', '"Hello"')
    command("apply", "-C", folder, "--auto-approve")
    assert (1, 3) == (len(posted(server)), len(receivers(server)))
    assert "DELETE" not in {method for method, _, _ in server.requests}


def test_who_is_in_doubt_stays_in_doubt_whatever_the_lists_say(command, serve, tmp_path):
    server = serve("l", services=account())
    folder = project(tmp_path, server, more=OPTED_OUT % NOBODY)
    assert 4 == command("apply", "-C", folder, "--auto-approve").code
    edit(folder, f"out: {{numbers: {NOBODY}}}", f"out: {{numbers: {ALL}}}")
    command("apply", "-C", folder, "--auto-approve")
    edit(folder, f"out: {{numbers: {ALL}}}", f"out: {{numbers: {NOBODY}}}")
    command("apply", "-C", folder, "--auto-approve")
    assert 3 == len(receivers(server))


# — the short number —


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Votre colis: https://example.org/t", "a URL"),
        ("Votre colis: example.com/t", "a URL"),
        ("Voir www.example.org", "a URL"),
        ("Ecrivez a shop@example.org", "an e-mail address"),
        ("Appelez le 06 39 98 00 99", "a phone number"),
        ("Appelez le +33 6 39 98 00 99.", "a phone number"),
    ],
)
def test_the_short_number_carries_no_contact_information(command, tmp_path, text, kind):
    more = worlds.message(text, more="    options: {senderForResponse: true}\n")
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=more)})
    for arguments in (("validate", "--json"), ("plan", "--json"), ("apply", "--auto-approve", "--json")):
        (error,) = command(*arguments, "-C", folder).json["errors"]
        assert ("SMS360", 6, True) == (error["code"], error["line"], error["message"].endswith(kind))
    assert [] == worlds.outbox(folder)


@pytest.mark.parametrize(
    "text",
    ["Votre code: 123456", "Colis 0123456789012345 le 01/12/2026", "12.50 EUR, de 9.30 a 10.45", "Ca va?Oui.Non"],
)
def test_the_short_number_carries_figures(command, tmp_path, text):
    more = worlds.message(text, more="    options: {senderForResponse: true}\n")
    assert 0 == command("plan", "-C", worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=more)})).code


def test_the_row_is_named_whose_value_brings_contact_information(command, tmp_path):
    files = {
        "smsdeclare.yaml": worlds.root(
            more="receivers: {all: {csv: all.csv}}\n"
            + worlds.message("See {{ page }}", "all", "    options: {senderForResponse: true}\n")
        ),
        "all.csv": "number,page\n+33639980001,me\n+33639980002,https://example.org\n",
    }
    result = command("plan", "-C", worlds.write(tmp_path, files))
    assert (1, True, False) == (
        result.code, "all.csv:3:1: error SMS360" in result.err, "example.org" in result.err
    )  # fmt: skip


def test_the_short_number_reaches_france_alone(command, tmp_path):
    more = worlds.message("Hi", '["+33639980001", "+32470123456"]', "    options: {senderForResponse: true}\n")
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=more)})
    result = command("plan", "-C", folder)
    assert (1, True) == (result.code, "smsdeclare.yaml:7:26: error SMS262" in result.err), result.err
    edit(folder, "project: test\n", "project: test\npolicy: {allowedCountries: [FR]}\n")
    assert 0 == command("plan", "-C", folder).code


def test_without_a_sender_contact_information_is_a_warning(command, tmp_path):
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=worlds.message("See https://example.org"))})
    plan = command("plan", "-C", folder, "--json")
    assert (0, ["SMS361"]) == (plan.code, [one["code"] for one in plan.json["warnings"]])
