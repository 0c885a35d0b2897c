"""The real command on a real state, killed wherever it can be; the journal of its server is the witness.

The server, and its clock, are in this process; whoever waits sets that clock forward.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import worlds
from crash.states import state

from smsdeclare.cli.main import run
from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.server import Server, wall_clock
from smsdeclare.simulator.settings import Sender, Service, Settings

STRACE = shutil.which("strace")
#: `settle.after` is a second; this is longer, in whole seconds of any clock. Seconds.
WAIT = 3.0
#: After so many runs everything is settled that can be.
MOST_RUNS = 4
#: Exit code → why a run may end with it: the line to the state was lost; another run has it.
REFUSALS = {1: ("SMS570", "SMS574"), 6: ("SMS506",)}
#: Refused by the provider.
REFUSED = worlds.number(9)
#: System calls whose number is not the same from run to run.
_OF_MEMORY = frozenset({"brk", "futex", "getrandom", "madvise", "mmap", "mprotect", "mremap", "munmap"})
_ENDED = "+++ killed by SIGKILL +++"


def _message(name, text, to, more=""):
    people = "".join(f'      - {{number: "{worlds.number(one)}", name: N{one}}}\n' for one in to)
    options = "{sender: SMSDECLARE, noStopClause: true}"
    message = f"  {name}:\n    text: '{name}: {text}'\n    to: {name}\n    options: {options}\n{more}"
    return name, {worlds.number(one) for one in to}, f"  {name}:\n    numbers:\n{people}", message


def _later(hours):
    return f"    sendAt: {(datetime.now(tz=UTC) + timedelta(hours=hours)).strftime('%Y-%m-%d %H:%MZ')}\n"


def _each(count):
    return _message("each", "Hello {{ name }}", range(count))


class Scene(NamedTuple):
    """A project, and what was done with it before the run that is killed."""

    messages: tuple
    #: The messages that are applied first; none: this is the first run.
    before: tuple = ()
    #: What becomes of the POSTs of the first run.
    script: str = ""


def scenes():
    """Name → scene."""
    news = _message("news", "Hello", (5, 6, 9))
    held = (
        _message("edited", "Hello", (0, 1), _later(5)),
        _message("gone", "Hello {{ name }}", (2, 3), _later(5)),
        _message("later", "Hello", (4,), _later(6)),
    )
    edited = (_message("edited", "Hello again", (0, 1), _later(5)), held[2], _each(3), news)
    return {
        "one SMS": Scene((_each(1),)),
        "one POST": Scene((news,)),
        "six POSTs": Scene((_each(6),)),
        "after lost answers": Scene((_each(6),), before=(_each(4),), script="ald"),
        "take back, replace, send": Scene(edited, before=held),
    }


class Ground:
    """A folder with a project, and a server. Each history begins with the world that a scene left."""

    def __init__(self, folder, backend="file"):
        self.folder = folder / "project"
        self.backend, self._state = backend, state(backend, folder)
        self._wait = WAIT + self._state.window
        self._trace = folder / "trace"
        self._ahead = 0.0
        self._world = self._scene = self._files = None
        self.server = Server(Simulator(Settings()), clock=lambda: wall_clock() + self._ahead)
        #: How many sends stayed unknown, and how many runs it took until the rest was there.
        self.unknown, self.runs = 0, Counter()

    def __enter__(self):
        self._state.__enter__()
        self.server.__enter__()
        return self

    def __exit__(self, *error):
        self.server.__exit__(*error)
        self._state.__exit__(*error)

    # — the world —

    @property
    def simulator(self):
        return self.server._simulator

    def prepare(self, scene):
        """Do what comes before the run that is killed."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._state.begin()
        self._scene, self._ahead = scene, 0.0
        service = Service(name=worlds.SERVICE, senders=(Sender(name="SMSDECLARE"),), blacklist=(REFUSED,))
        self.server._simulator = Simulator(Settings(services=(service,)))
        if scene.before:
            self.server._faults.script = list(scene.script)
            self._write(scene.before)
            self.apply()
            self._ahead += self._wait
        self._write(scene.messages)
        self._files = {path.name: path.read_bytes() for path in self.folder.iterdir()}
        self._world = deepcopy(self.simulator), self._ahead
        self._state.keep()

    def restore(self):
        """Begin the next history."""
        shutil.rmtree(self.folder)
        self.folder.mkdir()
        for name, content in self._files.items():
            (self.folder / name).write_bytes(content)
        self._state.restore()
        simulator, self._ahead = self._world
        self.server._simulator = deepcopy(simulator)
        self.server.requests.clear()

    def _write(self, messages):
        lists, texts = zip(*((one[2], one[3]) for one in messages), strict=True)
        more = f"{self._state.words}settle: {{after: 1s}}\nreceivers:\n{''.join(lists)}messages:\n{''.join(texts)}"
        worlds.write(self.folder, {"smsdeclare.yaml": worlds.loopback(self.server.url, more)})

    @property
    def honest(self):
        """The environment of who looks on, and loses nothing."""
        return self._state.honest

    @property
    def has_state(self):
        return self._state.is_there

    # — runs —

    def command(self, *arguments):
        """Exit code and document of a command that runs to its end; it has the credentials of this process."""
        out, here = StringIO(), Path.cwd()
        try:
            with patch.dict(os.environ, self.honest), redirect_stdout(out), redirect_stderr(StringIO()):
                code = run([*arguments, "--json", "-C", str(self.folder)])
        finally:
            os.chdir(here)
        return code, json.loads(out.getvalue())

    def apply(self):
        return self.command("apply", "--auto-approve")

    def start(self, *tracer):
        """A run as a process of its own."""
        env = worlds.environment(PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1", **self._state.environment)
        env.pop("COVERAGE_PROCESS_START", None)  # what measures makes system calls of its own
        return subprocess.Popen(
            [*tracer, sys.executable, "-m", "smsdeclare", "apply", "--auto-approve", "--json", "-C", self.folder],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def system_calls(self):
        """What a whole run calls from its first connection on: name and which of its kind, in order."""
        self.restore()
        process = self.start(STRACE, "-f", "-qq", "-o", self._trace)
        process.communicate()
        assert process.returncode in (0, 3)
        called, found = Counter(), []
        for line in self._trace.read_text(errors="replace").splitlines():
            thread, _, call = line.partition(" ")
            name, is_call, _ = call.strip().partition("(")
            if not is_call or not name.isidentifier():
                continue
            called[thread, name] += 1
            if (found or name == "connect") and name not in _OF_MEMORY:
                found.append((name, called[thread, name]))
        return list(dict.fromkeys(found))

    def kill_at(self, name, which):
        """Kill a run as it makes a system call; whether it got there."""
        self.restore()
        # Not by path: what is written under another name first, and then renamed, would be missed.
        chosen = (f"trace={name}", f"inject={name}:signal=SIGKILL:when={which}")
        process = self.start(STRACE, "-f", "-qq", "-o", self._trace, *(part for one in chosen for part in ("-e", one)))
        process.communicate()
        return process.returncode == -signal.SIGKILL and _ENDED in self._trace.read_text(errors="replace")

    def kill_after(self, seconds):
        """Kill a run some time after its start; whether it was still at work."""
        self.restore()
        process = self.start()
        try:
            process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        return process.returncode == -signal.SIGKILL

    def time_of_a_run(self):
        """Seconds that a whole run takes just now."""
        self.restore()
        begun = time.monotonic()
        self.start().communicate()
        return time.monotonic() - begun

    # — the witness —

    def wrongs(self):
        """Run it again until nothing is left to be done; what is wrong then, or was at any moment."""
        code, complete = None, None
        for place in range(1, MOST_RUNS + 1):
            self._ahead += self._wait
            before = self._changes()
            code, _ = self.apply()
            complete = complete or (None if self._missing() else place)
            if self._changes() == before and code == 0:
                break
        self.runs[complete] += 1
        yield from self._doubled()
        statuses = self.statuses()
        unknown = {key for key, status in statuses.items() if status in ("unknown", "cancelling")}
        self.unknown += len(unknown)
        if code != (4 if unknown else 0):
            yield f"exit code {code}, {len(unknown)} unknown"
        for key in self._missing() - unknown:
            yield f"lost: {key}, on record as {statuses.get(key)}"
        for key in set(self._alive()) - self._wanted():
            yield f"not asked for: {key}"
        for key in set(self._alive()) - unknown:
            if statuses.get(key) not in ("accepted", "scheduled"):
                yield f"wrong record: {key} is {statuses.get(key)}"

    def statuses(self):
        """Message and number → status of all that the scene knows: a state without numbers lists none."""
        known = {(name, number) for name, to, *_ in (*self._scene.before, *self._scene.messages) for number in to}
        found = {}
        for name, number in sorted(known | set(self._alive())):
            code, document = self.command("state", "list", f"message.{name}@1/{number}")
            for one in document["sends"] if code == 0 else ():
                found[name, number] = one["status"]
        return found

    def _changes(self):
        return sum(method != "GET" for method, *_ in self.server.requests)

    def _alive(self):
        return Counter((sms["message"].partition(":")[0], sms["receiver"]) for sms in self.simulator.history.alive())

    def _wanted(self):
        return {(name, number) for name, to, *_ in self._scene.messages for number in to - {REFUSED}}

    def _missing(self):
        return self._wanted() - set(self._alive())

    def _doubled(self):
        """Who had two SMS that went out, or were about to, at any moment."""
        keys, alive = {}, Counter()
        for line in self.simulator.journal:
            if "cancelled" in line:
                alive[keys[line["cancelled"]]] -= 1
                continue
            key = keys[line["id"]] = (line["message"].partition(":")[0], line["receiver"])
            alive[key] += 1
            if alive[key] > 1:
                yield f"twice: {key} has {alive[key]}"


class Crowd:
    """Several applies at once on one ground: started, killed, stopped, unlocked, and let go on."""

    #: Seconds between two things that happen.
    PACE = 0.05

    def __init__(self, ground, runners, seed):
        self.ground = ground
        self._chance = random.Random(seed)
        self._left = runners
        self._running, self._stopped = [], []
        self.counts = Counter()
        #: Of the runs that were not killed: exit code and document.
        self.ended = []

    def run(self):
        """Until all have ended."""
        self.ground.restore()
        while self._left or self._running or self._stopped:
            self._happen()
            time.sleep(self.PACE)
            for process in [one for one in self._running if one.poll() is not None]:
                self._end(process)

    def _happen(self):
        if self._left and (not self._running or self._chance.random() < 0.6):
            self._left -= 1
            self._running.append(self.ground.start())
            return
        what = self._chance.random()
        if self._running and what < 0.05:
            self._signal("kill", signal.SIGKILL)
        elif self._running and what < 0.12:
            process = self._signal("stop", signal.SIGSTOP)
            self._running.remove(process)
            self._stopped.append(process)
        elif self._stopped and what < 0.3:
            process = self._stopped.pop()
            process.send_signal(signal.SIGCONT)
            self._running.append(process)
        elif what < 0.4 and self.ground.has_state and not self._stopped:
            # Who stands still may have the file locked.
            self.counts["unlock"] += 1
            subprocess.run(
                [sys.executable, "-m", "smsdeclare", "state", "unlock", "-C", self.ground.folder],
                env=worlds.environment(**self.ground.honest),
                capture_output=True,
                check=False,
            )

    def _signal(self, name, number):
        process = self._chance.choice(self._running)
        process.send_signal(number)
        self.counts[name] += 1
        return process

    def _end(self, process):
        out, err = process.communicate()
        self._running.remove(process)
        self.counts[f"ended with {process.returncode}"] += 1
        if process.returncode != -signal.SIGKILL:
            self.ended.append((process.returncode, json.loads(out), err))

    def wrongs(self):
        """What is wrong with how they ended, and with what came of it."""
        for code, document, err in self.ended:
            if code not in (0, 1, 3, 4, 6, 7) or "Traceback" in err:
                yield f"ended with {code}: {err[-300:]}"
            if code in REFUSALS:
                (error, *_) = document["errors"]
                if not error["message"] or error["code"] not in REFUSALS[code]:
                    yield f"refused with {error}"
        yield from self.ground.wrongs()


def sleep_through(ground, posts):
    """Stop a run that has the lease until that has run out and another has done the work; how both ended."""
    sleeper = ground.start()
    while sleeper.poll() is None and sum(method == "POST" for method, *_ in ground.server.requests) < posts:
        time.sleep(0.001)
    sleeper.send_signal(signal.SIGSTOP)
    # It waits until the lease of a process that is still there runs out.
    code, _ = ground.command("apply", "--auto-approve", "--lock-timeout", "5m")
    sleeper.send_signal(signal.SIGCONT)
    sleeper.communicate()
    return [f"other ended with {code}", f"sleeper ended with {sleeper.returncode}"]
