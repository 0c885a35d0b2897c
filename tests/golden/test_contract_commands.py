"""Commands, options and exit codes, sentence by sentence, as far as no other test proves it."""

import json
import os
import pty
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import click
import pytest
import worlds

from smsdeclare.cli.main import group
from smsdeclare.formats.phrases import Color
from smsdeclare.simulator.settings import Credential
from smsdeclare.states import State

A, B = worlds.number(1), worlds.number(2)
APPLY = ("apply", "--auto-approve")
PEOPLE = f'receivers: {{people: {{numbers: [{{number: "{A}", n: Ana}}, {{number: "{B}", n: Bo}}]}}}}\n'
HELLO = PEOPLE + worlds.message("Hello {{ n }}", "people")
ANSI = re.compile("\x1b\\[[0-9;]*m")


def leaves(command=group, words=()):
    """Every command that does something, by the words that name it."""
    if not isinstance(command, click.Group):
        yield words, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        yield from leaves(command.get_command(context, name), (*words, name))


COMMANDS = dict(leaves())


@pytest.fixture
def project(tmp_path):
    return worlds.write(tmp_path / "project", {"smsdeclare.yaml": worlds.root(more=HELLO)})


@pytest.fixture
def sent(command, project):
    """The project, planned to plan.json, then applied."""
    command("plan", "-C", project, "--out", "plan.json")
    assert 0 == command(*APPLY, "-C", project).code
    return project


# — options that all have —


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_takes_the_shared_options(words):
    taken = {name for parameter in COMMANDS[words].params for name in parameter.opts}
    assert {"-C", "--chdir", "-f", "--file", "--no-color", "--show-numbers", "-q", "-v"} <= taken


READING = [
    ("validate",), ("plan",), ("plan", "--offline"), ("show", "plan.json"), ("status",), ("state", "list"),
    ("state", "show", "message.hello"), ("service",), ("schema",), ("version",),
]  # fmt: skip


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_results_go_to_standard_output_and_with_q_nothing_else_is_said(command, sent, words):
    loud, quiet = command(*words, "-C", sent), command(*words, "-C", sent, "-q")
    moment = re.compile('"createdAt": ".*"')
    assert (0, 0, "") == (loud.code, quiet.code, quiet.err)
    assert moment.sub("", loud.out) == moment.sub("", quiet.out) != ""


@pytest.mark.parametrize("words", [words for words in READING if words != ("schema",)], ids=" ".join)
def test_json_is_short_for_format_json(command, sent, words):
    short, long = (command(*words, "-C", sent, *option) for option in (("--json",), ("--format", "json")))
    moment = re.compile('"createdAt": ".*"')
    assert (0, 0) == (short.code, long.code)
    assert moment.sub("", short.out) == moment.sub("", long.out)
    assert "1.0" == short.json["formatVersion"]


MASKED = [
    ("state", "list"), ("state", "list", "--json"), ("state", "list", "--format", "lines"),
    ("state", "show", "message.hello"), ("state", "show", "message.hello", "--json"),
]  # fmt: skip


@pytest.mark.parametrize("words", MASKED, ids=" ".join)
def test_numbers_are_masked_unless_they_are_asked_for(command, sent, words):
    masked, shown = command(*words, "-C", sent), command(*words, "-C", sent, "--show-numbers")
    bullets = json.dumps("•")[1:-1] if "--json" in words or "lines" in words else "•"
    assert (0, False, True) == (masked.code, A in masked.out + masked.err, f"+336{bullets * 5}01" in masked.out)
    assert (0, True, True) == (shown.code, A in shown.out, B in shown.out)


@pytest.mark.parametrize("words", [("validate",), ("plan",), APPLY], ids=" ".join)
@pytest.mark.parametrize("as_json", [False, True])
def test_numbers_in_quoted_lines_and_in_messages_are_masked(command, tmp_path, words, as_json):
    more = f'messages: {{hello: {{text: Hi, to: ["{A}", "{A}77777"], revison: 2}}, "{A}": {{}}}}\n'
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=more)})
    masked = command(*words, "-C", folder, *["--json"] * as_json)
    shown = command(*words, "-C", folder, "--show-numbers", *["--json"] * as_json)
    assert (1, False) == (masked.code, A.removeprefix("+") in masked.out + masked.err)
    assert (1, True) == (shown.code, A.removeprefix("+") in shown.out + shown.err)


def on_a_terminal(*words, folder, code=0, **env):
    """What a command prints to a terminal."""
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "smsdeclare", *words], cwd=folder, env=worlds.environment(TERM="xterm", **env),
        stdin=subprocess.DEVNULL, stdout=child, stderr=child,
    )  # fmt: skip
    os.close(child)
    shown = b""
    while True:
        try:
            more = os.read(parent, 4096)
        except OSError:  # the other side has left the terminal
            break
        shown += more
    os.close(parent)
    assert code == process.wait()
    return shown.decode()


def test_colors_are_for_terminals_and_can_be_switched_off(project, command):
    colored = on_a_terminal("plan", folder=project)
    plain = on_a_terminal("plan", "--no-color", folder=project)
    assert ANSI.search(colored)
    assert ANSI.sub("", colored) == plain == on_a_terminal("plan", folder=project, NO_COLOR="1")
    assert not ANSI.search(command("plan", "-C", project).out)


@pytest.mark.parametrize(
    "words",
    [("plan",), ("show", "plan.json"), ("preview",), ("doctor", "--offline"), ("fmt", "--diff"), ("plan", "--no-such")],
    ids=" ".join,
)
def test_colors_are_those_of_the_palette_in_what_fails_as_in_what_works(sent, words):
    worlds.write(sent, {"more.sms.yaml": "options:   {}\n"})
    code = int("--no-such" in words)
    colored = on_a_terminal(*words, folder=sent, code=code)
    assert set(ANSI.findall(colored)) <= {f"\x1b[{one}m" for one in (*Color, "0")}
    assert ANSI.search(colored)
    assert not ANSI.search(on_a_terminal(*words, folder=sent, code=code, NO_COLOR="1"))


@pytest.mark.parametrize("words", [APPLY, (*APPLY, "--no-color")], ids=["colors", "none"])
def test_a_bar_has_no_colors_of_its_own(project, words):
    shown = on_a_terminal(*words, folder=project)
    assert "Sending" in shown
    assert set(ANSI.findall(shown)) <= ({f"\x1b[{one}m" for one in (*Color, "0")} if words == APPLY else set())


def test_errors_have_colors_on_a_terminal_and_nowhere_else(tmp_path, command):
    assert "\x1b[31merror\x1b[0m SMS006" in on_a_terminal("plan", folder=tmp_path, code=1)
    assert not ANSI.search(command("plan", "-C", tmp_path).err)
    assert not ANSI.search(on_a_terminal("plan", "--no-color", folder=tmp_path, code=1))


def test_a_log_has_no_colors_where_only_the_results_go_to_a_terminal(project):
    parent, child = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "smsdeclare", *APPLY], cwd=project, env=worlds.environment(TERM="xterm"),
        stdin=subprocess.DEVNULL, stdout=child, stderr=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    os.close(child)
    os.close(parent)
    assert ("message.hello@1" in done.stderr, ANSI.search(done.stderr)) == (True, None)


# — commands —


def test_init_writes_into_the_folder_where_one_stands(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert 0 == command("init").code
    assert (tmp_path / "smsdeclare.yaml").is_file()
    assert 0 == command("plan").code


@pytest.mark.parametrize("words", [("validate",), ("plan", "--offline")], ids=" ".join)
def test_offline_means_no_request_at_all(command, serve, tmp_path, words):
    server = serve()
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(server.url, HELLO)})
    assert (0, []) == (command(*words, "-C", folder).code, server.requests)


@pytest.mark.parametrize("words", [("validate",), ("plan", "--offline")], ids=" ".join)
def test_offline_needs_no_credentials(command, tmp_path, words):
    real = worlds.root("{name: ovh, endpoint: ovh-eu, service: sms-ab12345-1}", HELLO)
    assert 0 == command(*words, "-C", worlds.write(tmp_path, {"smsdeclare.yaml": real})).code


def test_validate_can_annotate_a_pull_request(command, tmp_path):
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=worlds.message(to="nobody"))})
    result = command("validate", "-C", folder, "--format", "github")
    assert (1, True) == (result.code, result.out.startswith("::error file=smsdeclare.yaml,line=7,col=9,title=SMS108::"))


def test_validating_needs_neither_network_nor_credentials(command, tmp_path, monkeypatch, serve):
    server = serve()
    for name in worlds.KEYS:
        monkeypatch.delenv(name)
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(server.url, HELLO)})
    assert (0, []) == (command("validate", "-C", folder).code, server.requests)


def test_looking_works_while_sending_is_stopped(command, sent):
    command("stop", "--reason", "wrong price", "-C", sent)
    for words in (("plan",), ("settle",), ("refresh",), ("status",), ("state", "list"), ("preview",), ("validate",)):
        assert 0 == command(*words, "-C", sent).code
    assert 6 == command(*APPLY, "-C", sent).code


def test_planning_writes_nothing_locks_nothing_and_needs_read_rights_only(command, serve, tmp_path):
    server = serve(credentials=(Credential(rules=(("GET", "/sms"), ("GET", "/sms/*"))),))
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(server.url, HELLO)})
    assert 1 == command(*APPLY, "-C", folder).code
    state = folder / "smsdeclare.state"
    before = (state.read_bytes(), state.stat().st_mtime_ns, sorted(folder.iterdir()))
    writer = sqlite3.connect(state, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    try:
        result = command("plan", "-C", folder, "--json")
    finally:
        writer.close()
    assert (0, 2, 1000.0) == (result.code, result.json["summary"]["send"], result.json["summary"]["creditsLeft"])
    assert before == (state.read_bytes(), state.stat().st_mtime_ns, sorted(folder.iterdir()))


@pytest.mark.parametrize("name", ["text", "json", "markdown", "github"])
def test_a_saved_plan_is_shown_in_each_of_plan_s_formats_stale_or_not(command, sent, name):
    fresh = command("plan", "-C", sent, "--format", name).out
    stale = command("show", "plan.json", "-C", sent, "--format", name)
    assert 0 == stale.code
    assert stale.out != fresh
    assert "2 to send" in stale.out or 2 == json.loads(stale.out)["summary"]["send"]


def test_the_state_is_listed_by_address_and_by_status(command, serve, tmp_path):
    server = serve(unreachable=(B,))
    more = HELLO + f'  other: {{text: Other, to: "{A}"}}\n'
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(server.url, more)})
    assert 3 == command(*APPLY, "-C", folder).code

    def listed(*words):
        rows = command("state", "list", "-C", folder, "--show-numbers", *words, "--json").json["sends"]
        return [(row["message"], row["receiver"], row["status"]) for row in rows]

    everything = [("hello", A, "accepted"), ("hello", B, "rejected"), ("other", A, "accepted")]
    assert everything == listed()
    assert everything[:2] == listed("message.hello@1") == listed("message.hello")
    assert everything[1:2] == listed("--status", "rejected") == listed(f"message.hello@1/{B}")
    assert everything[2:] == listed("message.other", "--status", "accepted")
    assert [] == listed("--status", "unknown")


def test_the_statuses_are_those_of_the_contract():
    (option,) = [parameter for parameter in COMMANDS["state", "list"].params if parameter.name == "status"]
    wanted = {
        "unknown", "notSent", "accepted", "scheduled", "cancelling", "cancelled", "rejected", "missed", "delivered",
        "failed",
    }  # fmt: skip
    assert wanted == set(option.type.choices) == {state.value for state in State} - {"intended"}


# — exit codes —

CONTACT = "See https://example.org"
THREE = (
    f'messages:\n  a: {{text: Hi, to: "{A}"}}\n  b: {{text: Ho, to: "{B}"}}\n  c: {{text: "{CONTACT}", to: "{B}"}}\n'
)


@pytest.mark.parametrize(
    ("script", "blacklist", "code"),
    [
        pytest.param("ala", (A,), 4, id="4 before 1 and 3"),
        pytest.param("aaa", (A,), 1, id="1 before 3"),
        pytest.param("la", (), 4, id="4 before 1"),
    ],
)
def test_of_several_exit_codes_the_most_pressing_counts(command, serve, tmp_path, script, blacklist, code):
    server = serve(script, unreachable=blacklist)
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(server.url, THREE)})
    result = command(*APPLY, "-C", folder, "--json")
    assert (code, len(blacklist), script.count("l"), ["SMS620"]) == (
        result.code,
        len(result.json["rejected"]),
        len(result.json["unknown"]),
        [error["code"] for error in result.json["errors"]],
    )


def test_interrupted_is_130_whatever_else_happened(serve, tmp_path):
    server = serve("lh", unreachable=(B,))
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(server.url, THREE)})
    process = worlds.spawn(*APPLY, "--json", "-C", folder)
    assert server.held.wait(30)
    os.kill(process.pid, signal.SIGTERM)
    server.release()
    out, _ = process.communicate(timeout=30)
    summary = json.loads(out)["summary"]
    assert (130, 1, 1, 2) == (process.returncode, summary["unknown"], summary["rejected"], len(
        [method for method, *_ in server.requests if method == "POST"]
    ))  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("words", [("plan",), APPLY])
def test_a_signal_before_anything_is_posted_is_130_as_well(tmp_path, words, number):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/1.0"
        folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(url, HELLO)})
        process = worlds.spawn(*words, "--json", "-C", folder)
        silent.settimeout(30)
        asking, _ = silent.accept()
        os.kill(process.pid, number)
        out, _ = process.communicate(timeout=30)
        asking.close()
    assert (130, ["SMS902"]) == (process.returncode, [error["code"] for error in json.loads(out)["errors"]])


def test_an_approved_plan_of_which_nothing_is_left_is_done(command, sent):
    digest = json.loads((sent / "plan.json").read_text())["digest"]
    before = worlds.outbox(sent)
    for words in (("apply", "plan.json"), ("apply", "--expect-digest", digest)):
        assert (0, before) == (command(*words, "-C", sent).code, worlds.outbox(sent))


def test_a_plan_that_the_policy_refuses_is_shown_all_the_same(command, tmp_path):
    root = worlds.root(more="policy: {maxReceivers: 1}\n" + HELLO)
    result = command("plan", "-C", worlds.write(tmp_path, {"smsdeclare.yaml": root}))
    assert (5, True) == (result.code, "message.hello@1   2 receivers" in result.out)


def test_an_approval_for_the_whole_is_none_for_a_part(command, project):
    digest = command("plan", "-C", project, "--json").json["digest"]
    result = command("apply", "-C", project, "--expect-digest", digest, "--target", f"message.hello@1/{A}")
    assert (7, []) == (result.code, worlds.outbox(project))


# — numbers in free text —

CALL = worlds.message(f"Call {worlds.number(9)} or {{{{ hot }}}}", more="    options: {sender: ACME}\n")
HOTLINE = f"variables: {{hot: {{default: '06 39 98 00 08'}}}}\n{CALL}"
LITERAL = re.compile(r"6 ?39 ?98 ?00 ?0[89]")


@pytest.mark.parametrize(
    "words",
    [
        ("plan",), ("plan", "--json"), ("plan", "--format", "markdown"), ("preview",),
        ("plan", "--var", "hot=+33639980008", "--json"), ("preview", "--json"),
        ("show", "plan.json"), ("show", "plan.json", "--json"), APPLY,
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_number_that_is_written_in_a_text_is_masked(command, tmp_path, words):
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=HOTLINE)})
    command("plan", "-C", folder, "--out", "plan.json")
    masked = command(*words, "-C", folder)
    assert (0, []) == (masked.code, LITERAL.findall(masked.out + masked.err))
    assert "Call +336" in masked.out + masked.err
    assert [] == LITERAL.findall((folder / "plan.json").read_text())


@pytest.mark.parametrize("words", [("plan",), ("plan", "--json"), ("preview", "--json"), APPLY], ids=" ".join)
def test_a_number_that_is_written_in_a_text_is_shown_where_numbers_are_asked_for(command, tmp_path, words):
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=HOTLINE)})
    shown = command(*words, "-C", folder, "--show-numbers")
    assert {"639980009", "6 39 98 00 08"} <= set(LITERAL.findall(shown.out + shown.err))
    sent = ["Call +33639980009 or 06 39 98 00 08"] if words == APPLY else []
    assert sent == [sms["message"] for sms in worlds.outbox(folder)]


def test_a_preview_says_what_it_hides(command, tmp_path):
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=HOTLINE)})
    assert "  Numbers are hidden; --show-numbers shows them\n" in command("preview", "-C", folder).out
    worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=HELLO)})
    assert "  The receiver's own values are hidden; " in command("preview", "-C", folder).out


def test_a_number_in_a_reason_is_masked(command, sent):
    command("stop", "--reason", f"ask {A}", "-C", sent)
    command("state", "pull", "--out", "copy.db", "-C", sent)
    for words in (("state", "push", "copy.db"), ("plan",), ("status",), ("status", "--json"), APPLY):
        masked, shown = (command(*words, "-C", sent, *more) for more in ((), ("--show-numbers",)))
        assert ("ask +336" in masked.out + masked.err, A in masked.out + masked.err) == (True, False)
        assert A in shown.out + shown.err


# — what can't be meant —


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("-C", ".", "plan"), "smsdeclare plan -C DIR", id="options before the command"),
        pytest.param(("resolve", "message.hello", "--sent", "--not-sent", "--reason", "x"), "one of them", id="both"),
        pytest.param(("resolve", "message.hello", "--reason", "x"), "one of them", id="neither"),
        pytest.param(("plan", "--target", f"message.hello/{A}"), "message.NAME@REVISION/NUMBER", id="no revision"),
    ],
)
def test_what_can_not_be_meant_is_told_how_it_goes(command, sent, monkeypatch, words, said):
    monkeypatch.chdir(sent)
    result = command(*words)
    assert (1, True, True) == (result.code, "error SMS901" in result.err, said in result.err)


def test_a_status_that_nobody_has_is_no_unknown_address(command, sent):
    result = command("resend", "message.hello", "--status", "failed", "--reason", "x", "-C", sent)
    assert (1, True) == (result.code, "error SMS530" in result.err)


# — outputs that can't be written —

FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")


@FULL
@pytest.mark.parametrize(
    "words",
    [("plan",), ("plan", "--json"), ("validate",), ("nope", "--json"), (*APPLY, "--json"), (), ("plan", "--help")],
)
def test_an_output_that_can_not_be_written_is_an_error_and_no_fault(project, words):
    with Path("/dev/full").open("wb") as full:
        process = subprocess.run(
            [sys.executable, "-m", "smsdeclare", *words], cwd=project, env=worlds.environment(), stdout=full,
            stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert 1 == process.returncode
    assert not [word for word in ("Traceback", "Exception ignored", "SMS999") if word in process.stderr]
    assert ("SMS930" in process.stderr) == (words[:1] not in (("nope",), ("apply",)))
    assert (2 if words[:1] == ("apply",) else 0) == len(worlds.outbox(project))


@FULL
def test_nobody_s_work_ends_because_nobody_reads_the_notes(project):
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "smsdeclare", *APPLY, "-v", "--json"], cwd=project, env=worlds.environment(),
            stdout=subprocess.PIPE, stderr=full, check=True,
        )  # fmt: skip
    assert 2 == json.loads(done.stdout)["summary"]["sent"]


@pytest.mark.parametrize("words", [(), ("--help",), ("plan",)])
def test_a_reader_who_has_left_before_the_first_word_is_no_fault(project, words):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        process = subprocess.run(
            [sys.executable, "-m", "smsdeclare", *words], cwd=project, env=worlds.environment(), stdout=gone,
            stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert (1, False) == (process.returncode, "Traceback" in process.stderr)


def test_a_terminal_without_unicode_shows_escapes(project):
    done = subprocess.run(
        [sys.executable, "-m", "smsdeclare", "preview"], cwd=project, check=True, capture_output=True,
        env=worlds.environment(PYTHONIOENCODING="latin-1"),
    )  # fmt: skip
    assert rb"Hello \u2039n\u203a" in done.stdout
