"""Small worlds for tests: a project in a folder, the command as a user types it, the simulator behind it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from smsdeclare import document
from smsdeclare.cli.main import run
from smsdeclare.columns import Gathering, Wording
from smsdeclare.define import define
from smsdeclare.definitions import InlineReceiver
from smsdeclare.project import Project
from smsdeclare.rates import bill
from smsdeclare.template import compile_text

EXAMPLES = Path(__file__).parents[1] / "examples"
SERVICE = "sms-ab12345-1"
#: The credentials that the simulator knows by default.
KEYS = {
    "OVH_APPLICATION_KEY": "sandbox-app-0001",
    "OVH_APPLICATION_SECRET": "sandbox-secret-00000000000000001",
    "OVH_CONSUMER_KEY": "sandbox-consumer-000000000000001",
}


def number(index):
    """The `index`-th number of the French range that is kept for fiction."""
    return f"+3363998{index:04d}"


@dataclass(frozen=True, kw_only=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


def write(folder, files):
    """Lay files into a folder; a mapping of names to texts."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def root(provider="{name: sandbox}", more=""):
    return f"version: 1\nproject: test\nprovider: {provider}\n{more}"


def loopback(url, more=""):
    """A root file for a server of the simulator."""
    return root(f'{{name: ovh, endpoint: "{url}", service: {SERVICE}}}', more)


def message(text="Hello", to='"+33639980001"', more="", name="hello"):
    return f"messages:\n  {name}:\n    text: {json.dumps(text, ensure_ascii=False)}\n    to: {to}\n{more}"


def definitions(text, people, variables=(), country="FR", *, numbers=None, normalizes=False, **options):
    """Definitions of one message `hello` without files; `people` are receivers' own values, on lines from 0.

    `numbers` are their numbers with their countries, where these matter.
    """
    root_file = document.parse((root() + message()).encode(), file="smsdeclare.yaml")
    plain = define(Project(folder=Path(), root=root_file, parts=(), found=(), elsewhere=frozenset(), is_complete=True))
    (hello,) = plain.messages
    to = [
        InlineReceiver(number=called, country=home, values=values, span=hello.span._replace(line=line))
        for line, (values, (called, home)) in enumerate(
            zip(people, numbers or [(number(line), country) for line in range(len(people))], strict=True)
        )
    ]
    hello = hello._replace(text=text, template=compile_text(text), to=tuple(to), options=options, normalizes=normalizes)
    return plain._replace(messages=(hello,), variables=dict(variables))


def sends(texts, options=None):
    """Sends of one message: number → text."""
    gathering = Gathering()
    for called, text in texts.items():
        gathering.add(called, "FR", Wording(text, bill(text, {"noStopClause": True} if options is None else options)))
    return gathering.sends()


def command(capfd):
    """Run the command in this process, as a user types it."""

    def call(*arguments):
        before = Path.cwd()
        try:
            code = run([str(argument) for argument in arguments])
        finally:
            os.chdir(before)
        captured = capfd.readouterr()
        return Result(code=code, out=captured.out, err=captured.err)

    return call


def environment(**more):
    """An environment in which nothing of the developer's own counts."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "COVERAGE_PROCESS_START") if name in os.environ}
    return {**kept, **KEYS, **more}


def spawn(*arguments, env=None, **options):
    """Start the command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "smsdeclare", *map(str, arguments)],
        env=env or environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def outbox(folder, stem="smsdeclare"):
    """The SMS of a sandbox."""
    path = folder / f"{stem}.outbox.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
