"""Canaries: neither a secret nor a receiver's number or value comes out of any command, whatever goes wrong."""

import re
import sqlite3

import click
import pytest
import responses
import worlds

from smsdeclare.cli.main import group
from smsdeclare.simulator.settings import Credential, Service

#: Each stands for one thing that must stay where it is; without digits, so that no mask for numbers hides a leak.
KEYS = {
    "OVH_APPLICATION_KEY": "canaryApplicationKey",
    "OVH_APPLICATION_SECRET": "canaryApplicationSecret",
    "OVH_CONSUMER_KEY": "canaryConsumerKey",
}
CLIENT = {"OVH_CLIENT_ID": "canaryClientId", "OVH_CLIENT_SECRET": "canaryClientSecret"}
TOKEN = "canaryToken"
VALUES = ("Canarana", "Canarbo", "Canarcy")
#: None of the numbers that the schema has as examples.
A, B, C, HOTLINE = (worlds.number(index) for index in range(5001, 5005))
#: However it is spelled, once separators are gone.
NUMBER = re.compile(r"6399850[0-9]{2}")
SEPARATORS = re.compile(r"[ .()/\u00a0\u202f-]|\\u00a0|\\u202f")
CANARIES = (*KEYS.values(), *CLIENT.values(), TOKEN, *VALUES)

PROJECT = f"""variables: {{shop: {{default: Acme}}, hotline: {{default: "0033 639 98 50 04"}}}}
receivers:
  people:
    numbers: [{{number: "{A}", name: {VALUES[0]}}}, {{number: "{B}", name: {VALUES[1]}}}]
  rows: {{csv: rows.csv, defaultCountry: FR}}
messages:
  hello: {{text: "Hello {{{{ name }}}}, {{{{ shop }}}}", to: [people, rows]}}
  later: {{text: "Later {{{{ name }}}}", to: people, sendAt: 2099-01-01 09:00}}
  bad: {{text: "https://example.org {{{{ name }}}}", to: people}}
  call:
    text: "Hello {{{{ name }}}}, call 06 39 98 50 04 or {{{{ hotline }}}}, {HOTLINE}. {"Thank you. " * 11}Or {HOTLINE}"
    to: people
"""
ROWS = f"number,name\n06 39 98 50 03,{VALUES[2]}\n0639 98 50 0377,{VALUES[2]}\n{A},{VALUES[2]}\n"
ADDRESS = f"message.hello@1/{B}"
#: Every command with what it can be asked for; a folder that is not there yet stands as `new`.
WORDS = [
    ("init", "new"), ("fmt",), ("fmt", "--check"), ("fmt", "--diff"),
    ("validate",), ("validate", "--json"), ("validate", "--format", "github"),
    ("preview",), ("preview", "--json"), ("preview", ADDRESS), ("preview", ADDRESS, "--json"),
    ("preview", f"message.hello@1/{C}9"),
    ("plan",), ("plan", "--json"), ("plan", "--format", "markdown"), ("plan", "--format", "github"),
    ("plan", "--offline"), ("plan", "--out", "plan.json"), ("plan", "--target", ADDRESS, "--json"),
    ("plan", "--target", "message.nobody"), ("plan", "--var", "shop=Deli"),
    ("show", "plan.json"), ("show", "plan.json", "--json"), ("show", "plan.json", "--format", "markdown"),
    ("apply",), ("apply", "--auto-approve"), ("apply", "--auto-approve", "--json"), ("apply", "plan.json"),
    ("apply", "--expect-digest", "sha256:0", "--json"),
    ("status",), ("status", "--json"), ("status", "message.hello"),
    ("state", "list"), ("state", "list", "--json"), ("state", "list", "--format", "lines"),
    ("state", "list", "--status", "rejected"), ("state", "show", ADDRESS), ("state", "show", ADDRESS, "--json"),
    ("state", "show", f"message.hello@1/{C}9"),
    ("settle",), ("settle", "--json"), ("refresh",), ("refresh", "--json"), ("state", "unlock"),
    # The copy itself holds numbers, as its help says; it goes to a file that is not read here.
    ("state", "pull", "--out", "copy.db"), ("state", "pull", "--out", "copy.db"), ("state", "push", "copy.db"),
    ("state", "push", "rows.csv"),
    ("resolve", ADDRESS, "--sent", "--reason", "seen"),
    ("resolve", "message.hello@1", "--not-sent", "--reason", "x"),
    ("resend", ADDRESS, "--reason", f"asked for by {B}"), ("resend", f"message.nobody@1/{B}", "--reason", "x"),
    ("state", "list"), ("state", "list", "--json"), ("state", "list", "--format", "lines"), ("status", "--json"),
    ("stop", "--reason", f"ask {A}"), ("stop", "--cancel", "--reason", f"ask {A}"),
    ("apply", "--auto-approve"), ("apply", "--auto-approve", "--json"), ("plan",), ("plan", "--json"),
    ("status",), ("status", "--json"), ("state", "push", "copy.db"), ("resume",),
    ("state", "lock", "show"), ("state", "lock", "show", "--json"),
    ("state", "migrate", "smsdeclare.state", "new.state"),
    ("state", "hash-numbers", "--auto-approve"), ("state", "forget", B), ("state", "forget", B, "--auto-approve"),
    ("state", "forget", f"{C}9", "--auto-approve"), ("state", "prune", "--older-than", "1d", "--auto-approve"),
    ("plan", "--var", f"hotline={HOTLINE}", "--json"),
    ("service",), ("service", "--json"), ("login",), ("login", "--url"), ("doctor",), ("doctor", "--json"),
    ("completion", "bash"), ("schema",), ("version",), ("version", "--json"),
]  # fmt: skip


def leaves(command=group, words=()):
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            yield from leaves(command.get_command(click.Context(command), name), (*words, name))
    else:
        yield words


def test_every_command_is_among_them():
    commands = set(leaves())
    named = {words[:length] for words in WORDS for length in (1, 2, 3) if words[:length] in commands}
    # It runs until it is interrupted, and reads neither a project nor credentials.
    assert commands - {("sandbox",)} == named


def leaks(text):
    return sorted({one for one in CANARIES if one in text} | set(NUMBER.findall(SEPARATORS.sub("", text))))


def say_everything(command, folder, *more):
    """All that the commands print, and all that they leave behind but the state's own record of numbers."""
    said = []
    for words in WORDS:
        result = command(*words, "-C", folder, *more)
        assert "Traceback" not in result.out + result.err
        said.append((words, result.out + result.err))
    said += [(path.name, path.read_text()) for path in folder.glob("plan.json")]
    return [(words, found) for words, text in said if (found := leaks(text))]


def lay(folder, root):
    return worlds.write(folder, {"smsdeclare.yaml": root + PROJECT, "rows.csv": ROWS})


def in_state(folder):
    """What the state's file holds as text."""
    found = b"".join(path.read_bytes() for path in folder.glob("*.state*"))
    return [one for one in (*KEYS.values(), *CLIENT.values(), TOKEN) if one.encode() in found]


GRANTED = {
    "application_key": KEYS["OVH_APPLICATION_KEY"],
    "application_secret": KEYS["OVH_APPLICATION_SECRET"],
    "consumer_key": KEYS["OVH_CONSUMER_KEY"],
}
GUIDE = (("GET", "/sms/"), ("GET", "/sms/*/jobs"), ("POST", "/sms/*/jobs"))
#: What can be wrong with the account, and what happens to POSTs one after another.
WORLDS = {
    "all is well": ({}, ""),
    "faults": ({}, "l5t9x4"),
    "refused receivers": ({"unreachable": (A, B)}, ""),
    "no credits": ({"services": (Service(credits=1.0),)}, ""),
    "no rights": ({"credentials": (Credential(**GRANTED, rules=()),)}, ""),
    "the guide's rights": ({"credentials": (Credential(**GRANTED, rules=GUIDE),)}, ""),
    "unknown key": ({"credentials": (Credential(),)}, ""),
    "wrong secret": ({"credentials": (Credential(**{**GRANTED, "application_secret": "other"}),)}, ""),
    "expired": ({"credentials": (Credential(**GRANTED, state="expired"),)}, ""),
    "unknown service": ({"services": (Service(name="sms-zz99999-9"),)}, ""),
}  # fmt: skip


@pytest.mark.parametrize("more", [(), ("-v",)], ids=["plainly", "verbosely"])
@pytest.mark.parametrize("name", WORLDS)
def test_nothing_is_told_by_any_command(command, serve, tmp_path, monkeypatch, name, more):
    settings, script = WORLDS[name]
    settings = {"credentials": (Credential(**GRANTED),), "retry_after": "0", **settings}
    server = serve(script, **settings)
    for variable, value in KEYS.items():
        monkeypatch.setenv(variable, value)
    folder = lay(tmp_path / "shop", worlds.loopback(server.url))
    assert [] == say_everything(command, folder, *more)
    assert [] == in_state(folder)


def test_nothing_is_told_where_nobody_listens(command, tmp_path, monkeypatch):
    for variable, value in KEYS.items():
        monkeypatch.setenv(variable, value)
    folder = lay(tmp_path / "shop", worlds.loopback("http://127.0.0.1:1/1.0"))
    assert [] == say_everything(command, folder, "-v")


def test_nothing_is_told_by_the_sandbox(command, tmp_path):
    folder = lay(tmp_path / "shop", worlds.root())
    assert [] == say_everything(command, folder, "-v")
    assert [] == in_state(folder)


@pytest.mark.parametrize("place", ["shop/ovh.conf", ".ovh.conf"])
@pytest.mark.parametrize("broken", [False, True])
def test_nothing_is_told_of_a_file_of_credentials(command, serve, tmp_path, monkeypatch, place, broken):
    server = serve(credentials=(Credential(**GRANTED),))
    for variable in KEYS:
        monkeypatch.delenv(variable)
    lines = [f"{name.removeprefix('OVH_').lower()}={value}" for name, value in KEYS.items()]
    section = "" if broken else f"[{server.url}]\n"
    folder = lay(tmp_path / "shop", worlds.loopback(server.url))
    worlds.write(tmp_path, {place: section + "\n".join(lines) + "\n"})
    assert [] == say_everything(command, folder, "-v")
    assert [] == in_state(folder)
    assert broken == (command("plan", "-C", folder).code == 1)


API = "https://eu.api.ovh.com/1.0"


@pytest.mark.parametrize("answer", ["works", "refused token", "refused request", "a number refused", "no JSON"])
def test_nothing_is_told_of_an_oauth2_client(command, tmp_path, monkeypatch, answer):
    for variable, value in CLIENT.items():
        monkeypatch.setenv(variable, value)
    report = {"ids": [1], "validReceivers": [A], "invalidReceivers": [], "totalCreditsRemoved": 1}
    refusal = {"json": {"message": f"This call has not been granted to {TOKEN[:3]}"}, "status": 403}
    token = {"json": {"access_token": TOKEN, "expires_in": 3599}}
    if answer == "refused token":
        token = {"json": {"error": "invalid_client"}, "status": 401}
    elif answer == "no JSON":
        token = {"body": f"<p>{TOKEN}", "status": 200}
    posted = {"json": report}
    if answer == "a number refused":
        posted = {"json": {"message": f"{A} and 0033{B[3:]} are no receivers"}, "status": 400}
    account = refusal if answer == "refused request" else {"json": {"creditsLeft": 10}}
    folder = lay(tmp_path / "shop", worlds.root("{name: ovh, endpoint: ovh-eu, service: sms-ab12345-1}"))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(f"{API}/auth/time", json=1_700_000_000)
        mock.post("https://www.ovh.com/auth/oauth2/token", **token)
        mock.get(f"{API}/sms", json=["sms-ab12345-1"])
        mock.get(f"{API}/sms/sms-ab12345-1", **account)
        mock.get(f"{API}/sms/sms-ab12345-1/senders", json=[])
        mock.post(f"{API}/sms/sms-ab12345-1/jobs", **posted, headers={"X-Ovh-QueryID": "EU.test"})
        assert [] == say_everything(command, folder, "-v")
    assert [] == in_state(folder)


def test_the_canaries_would_be_seen(command, serve, tmp_path):
    """With --show-numbers the numbers do come out, and the state does hold them."""
    serve()
    folder = lay(tmp_path / "shop", worlds.root())
    assert say_everything(command, folder, "--show-numbers")
    (state,) = folder.glob("*.state")
    connection = sqlite3.connect(state)
    assert connection.execute("SELECT count(*) FROM sends WHERE number = ?", (A,)).fetchone()[0]
    connection.close()
