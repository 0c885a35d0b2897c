"""`smsdeclare sandbox`: from its own words to an SMS in the inbox."""

import errno
import os
import re
import signal
import socket
import subprocess
import sys

import pytest
import requests
import worlds


@pytest.fixture
def sandbox():
    """The command as a process of its own, and what it printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "smsdeclare", "sandbox", "--port", "0", "--sender", "ACME"],
        env=worlds.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    shown = [process.stdout.readline()]
    while "path:" not in shown[-1]:
        assert shown[-1]
        shown.append(process.stdout.readline())
    yield process, "".join(shown)
    process.kill()
    process.communicate(timeout=30)


def test_what_it_prints_is_all_that_a_project_needs(sandbox, tmp_path):
    process, shown = sandbox
    keys = dict(re.findall(r"^  export (\w+)=(.+)$", shown, re.MULTILINE))
    _, _, root = shown.partition("with a state of its own:\n\n")
    root = "version: 1\nproject: acme\n" + re.sub("^  ", "", root, flags=re.MULTILINE)
    more = worlds.message(to='"+33639980001"', more="    options: {sender: ACME}\n")
    worlds.write(tmp_path, {"smsdeclare.yaml": root + more})
    bare = {name: value for name, value in worlds.environment().items() if name not in worlds.KEYS}
    applied = worlds.spawn("apply", "-C", tmp_path, "--auto-approve", env={**bare, **keys})
    out, err = applied.communicate(timeout=60)
    assert (0, "") == (applied.returncode, "" if "1 sent" in out else err)
    assert (tmp_path / "trials.state").exists()
    inbox = re.search(r"^Inbox +(\S+)$", shown, re.MULTILINE)[1]
    with requests.Session() as session:
        session.trust_env = False
        page = session.get(inbox, timeout=30).text
    assert "+33639980001" in page
    assert ">ACME<" in page
    process.send_signal(signal.SIGINT)
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
