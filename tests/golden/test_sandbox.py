"""`smsdeclare sandbox`: from its own words to an SMS in the inbox."""

import errno
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import worlds
from terminal import type_in

ROOT = Path(__file__).parents[2]


@pytest.fixture
def sandbox():
    """The command as a process of its own, and what it printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "smsdeclare", "sandbox", "--port", "0", "--sender", "ACME"],
        env=worlds.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    shown = [process.stdout.readline()]
    while "after:" not in shown[-1]:
        assert shown[-1]
        shown.append(process.stdout.readline())
    yield process, "".join(shown)
    process.kill()
    process.communicate(timeout=30)


def bare():
    """An environment without keys."""
    return {name: value for name, value in worlds.environment().items() if name not in worlds.KEYS}


def keys_of(shown):
    """The keys that it told of."""
    return dict(re.findall(r"^  export (\w+)=(.+)$", shown, re.MULTILINE))


def inbox(shown):
    """The page that it told of."""
    with requests.Session() as session:
        session.trust_env = False
        return session.get(re.search(r"^Inbox +(\S+)$", shown, re.MULTILINE)[1], timeout=30).text


def test_what_it_prints_is_all_that_a_project_needs(sandbox, tmp_path):
    process, shown = sandbox
    keys = keys_of(shown)
    _, _, root = shown.partition("of your root file:\n\n")
    root = re.sub("^  ", "", root, flags=re.MULTILINE)
    more = worlds.message(to='"+33639980001"', more="    options: {sender: ACME}\n")
    worlds.write(tmp_path, {"trials.yaml": root + more})
    applied = worlds.spawn("apply", "-C", tmp_path, "-f", "trials.yaml", "--auto-approve", env={**bare(), **keys})
    out, err = applied.communicate(timeout=60)
    assert (0, "") == (applied.returncode, "" if "1 sent" in out else err)
    assert (tmp_path / "trials.state").exists()
    page = inbox(shown)
    assert "+33639980001" in page
    assert ">ACME<" in page
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (0, True, False) == (process.returncode, "Ended" in err, "Traceback" in err)


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial.md"])
def test_the_page_leads_from_nothing_to_the_inbox(sandbox, tmp_path, page):
    """Its blocks, typed as they stand; only the port is another, so that tests may run side by side."""
    _, shown = sandbox
    blocks = re.findall(r"^```(?:sh|console)\n(.*?)^```$", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    begin = next(one for one in blocks if "smsdeclare init" in one)
    (apply,) = (one for one in blocks if one.startswith("smsdeclare apply ") and "-f trials.yaml" in one)
    assert any("smsdeclare sandbox\n" in one for one in blocks)
    folder = tmp_path / "clone"
    folder.mkdir()
    init = re.search(r"^(?:\$ )?(smsdeclare init .*)$", begin, re.MULTILINE)[1]
    assert 0 == type_in(init, folder)[0]
    (trials,) = tmp_path.rglob("trials.yaml")
    assert "127.0.0.1:8800" in trials.read_text()
    trials.write_text(re.sub("127.0.0.1:8800", re.search(r"127\.0\.0\.1:\d+", shown)[0], trials.read_text()))
    place = folder if "-C" in apply else trials.parent
    code, said = type_in(apply, place, OVH_APPLICATION_KEY="", OVH_APPLICATION_SECRET="", OVH_CONSUMER_KEY="")
    assert (1, True) == (code, "error SMS601" in said and "`smsdeclare sandbox` prints" in said)
    code, said = type_in(apply, place, **keys_of(shown))
    assert (0, True, True) == (code, "LOCAL: goes to http://127.0.0.1" in said, "Apply: 2 sent" in said)
    assert 2 == inbox(shown).count("Bonjour ")


def test_an_endpoint_of_this_machine_where_nothing_runs_says_what_may_be_missing(command, tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for name, value in worlds.KEYS.items():
        monkeypatch.setenv(name, value)
    files = {"smsdeclare.yaml": worlds.loopback(f"http://127.0.0.1:{port}/1.0") + worlds.message()}
    refused = command("apply", "-C", worlds.write(tmp_path, files), "--auto-approve")
    assert (1, True, True) == (refused.code, "error SMS605" in refused.err, "`smsdeclare sandbox`" in refused.err)


def test_who_runs_it_for_others_ends_it_by_sigterm(sandbox):
    process, _ = sandbox
    process.terminate()
    _, err = process.communicate(timeout=30)
    assert (0, True, False) == (process.returncode, "Ended" in err, "Traceback" in err)


def test_it_listens_on_this_machine_only(sandbox):
    _, shown = sandbox
    port = int(re.search(r"127\.0\.0\.1:([0-9]+)", shown)[1])
    with socket.socket() as elsewhere:
        assert elsewhere.connect_ex(("127.0.0.2", port)) != 0


def test_a_port_that_is_taken_is_named(command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = command("sandbox", "--port", port)
    assert 1 == result.code
    assert "error SMS980" in result.err
    assert f"127.0.0.1:{port}: {os.strerror(errno.EADDRINUSE)}" in result.err
