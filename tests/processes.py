"""Real processes of the command, killed and doubled, beside a real server whose journal is the witness."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager

import worlds

#: Long enough for a machine that does ten other things; nothing waits this long unless something is wrong.
DEADLINE_SECONDS = 60.0


def people(count, url):
    """A project with one text, and so one POST, for each of its receivers."""
    rows = "".join(f'      - {{number: "{worlds.number(place)}", name: N{place}}}\n' for place in range(count))
    receivers = f"receivers:\n  people:\n    numbers:\n{rows}"
    return {"smsdeclare.yaml": worlds.loopback(url, receivers + worlds.message("Hello {{ name }}", "people"))}


def everyone(count):
    return [worlds.number(place) for place in range(count)]


class Place:
    """A project, and the journal of the server that it sends by."""

    def __init__(self, folder, journal):
        self.folder = folder
        self.journal = journal

    def received(self):
        """The receiver of each SMS that the server took; a line that is being written is not there yet."""
        data = self.journal.read_bytes() if self.journal.exists() else b""
        whole = data[: data.rfind(b"\n") + 1]
        return [json.loads(line)["receiver"] for line in whole.splitlines()]

    def start(self, *more):
        """One POST at a time, so that it is known which comes when; of an option that stands twice the last counts."""
        flags = ("--auto-approve", "--json", "--parallelism", 1)
        return worlds.spawn("apply", *flags, "-C", self.folder, *more)

    def apply(self, *more):
        """One whole run: exit code and document."""
        return finish(self.start(*more))

    def statuses(self):
        """Receiver → status, as the state has it."""
        process = worlds.spawn("state", "list", "--json", "--show-numbers", "-C", self.folder)
        code, document = finish(process)
        assert 0 == code
        return {row["receiver"]: row["status"] for row in document["sends"]}

    def wait_for(self, count, process):
        """Until the server has taken so many SMS."""
        wait_until(lambda: len(self.received()) >= count or process.poll() is not None)
        assert len(self.received()) >= count


def finish(process):
    out, err = process.communicate(timeout=DEADLINE_SECONDS)
    assert "Traceback" not in err
    return process.returncode, json.loads(out)


def kill(process):
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=DEADLINE_SECONDS)
    assert -signal.SIGKILL == process.returncode


def wait_until(holds):
    """Look again and again, as often as a file can be read; fail after the deadline."""
    last = time.monotonic() + DEADLINE_SECONDS
    nothing = threading.Event()
    while not holds():
        assert time.monotonic() < last
        nothing.wait(0.001)


@contextmanager
def serving(journal, script=""):
    """`python -m smsdeclare.simulator.server`; its URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "smsdeclare.simulator.server", "--journal", str(journal), "--script", script],
        stdout=subprocess.PIPE,
        text=True,
        env=worlds.environment(),
    )
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def check_nothing_is_lost_or_doubled(here, count, code):
    """After a run to the end: one SMS each, or on record as unknown; and the exit code says which."""
    received = Counter(here.received())
    assert {1} == set(received.values())
    statuses = here.statuses()
    unknown = {number for number, status in statuses.items() if status == "unknown"}
    assert set(everyone(count)) == set(statuses)
    assert set(everyone(count)) - unknown == {number for number, status in statuses.items() if status == "accepted"}
    assert set(everyone(count)) - unknown <= set(received)
    assert (4 if unknown else 0) == code
