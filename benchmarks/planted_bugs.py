"""Plant known bugs, one at a time, in a copy of the program: of the tests named beside each, every one must turn red.

    python benchmarks/planted_bugs.py                   all of them
    python benchmarks/planted_bugs.py --list            what they are
    python benchmarks/planted_bugs.py --only "follow 307"
    python benchmarks/planted_bugs.py --look tests/crash/test_kill.py    which of them other tests notice

First the same tests run on a copy without a bug, and must be green. Ends with 1 where anything is otherwise.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from multiprocessing.pool import ThreadPool
from pathlib import Path

from bugs import BUGS, Bug, Change

__all__ = ["BUGS", "Bug", "Change", "broken", "table", "text_with", "verdict"]

ROOT = Path(__file__).parents[1]
#: What the tests need of the project.
_COPIED = ("smsdeclare", "tests", "benchmarks", "schemas", "examples", "docs", "pyproject.toml", "README.md")
_PYTEST = ("-q", "--tb=no", "-rfE", "-p", "no:cacheprovider", "-p", "no:randomly", "--hypothesis-profile=unshrunk")
#: Of the environment, what could change how tests run.
_FOREIGN = ("SMSDECLARE_", "OVH_", "PYTEST_", "COV_", "COVERAGE_")
#: A bug may make a test wait for ever. Seconds.
_PATIENCE = 600


def text_with(bug, root=ROOT):
    """File → its text with the bug; ValueError where what it takes the place of does not stand there exactly once."""
    texts = {}
    for file, before, after in bug.changes:
        text = texts.get(file) or (root / file).read_text(encoding="utf-8")
        if text.count(before) != 1:
            raise ValueError(f"{bug.name}: {file} has this {text.count(before)} times, not once:\n{before}")
        texts[file] = text.replace(before, after)
        compile(texts[file], file, "exec")
    return texts


@contextmanager
def planted(bug):
    """A copy of the project with a bug in it, or with none."""
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        here = Path(folder)
        for name in _COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, here / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
            else:
                shutil.copy(ROOT / name, here / name)
        for file, text in text_with(bug, here).items() if bug else ():
            (here / file).write_text(text, encoding="utf-8")
        yield here


def broken(bug, tests):
    """The ids of those tests that fail with a bug; RuntimeError where they could not be run to their end."""
    with planted(bug) as here:
        # `python -m` looks into the folder it is started in first, and so does all that the tests start.
        known = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *_PYTEST, *tests],
            cwd=here,
            env={**known, "CI": "1", "COLUMNS": "1000", "PYTHONPATH": str(here)},
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    lines = done.stdout.splitlines()
    failed = [line.removeprefix("FAILED ").partition(" - ")[0] for line in lines if line.startswith("FAILED ")]
    if done.returncode != bool(failed):
        raise RuntimeError(
            f"{bug.name if bug else 'no bug'}: pytest ended with {done.returncode}\n{done.stdout[-2000:]}"
        )
    return failed


def verdict(bug):
    """Of the gates of a bug: those that are red, and those that are not."""
    failed = broken(bug, bug.gates)
    red = [gate for gate in bug.gates if any(_is_of(one, gate) for one in failed)]
    return red, [gate for gate in bug.gates if gate not in red]


def _is_of(test, gate):
    """Whether a test is the gate, or one of its cases, or stands in it."""
    return test == gate or test.startswith((f"{gate}[", f"{gate}::"))


def table():
    """The rows of the page about them."""
    yield "| | Bug | What is planted | Tests that turn red |"
    yield "|---|---|---|---|"
    for place, bug in enumerate(BUGS, 1):
        tests = "<br>".join(f"`{gate.removeprefix('tests/')}`" for gate in bug.gates)
        yield f"| {place} | {bug.name} | {bug.planted} | {tests} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", metavar="NAME", help="this bug; may stand more than once")
    parser.add_argument("--list", action="store_true", help="name them, and plant none")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--look", nargs="+", metavar="TEST", help="run these tests in place of the gates, and tell")
    options = parser.parse_args()
    unknown = set(options.only or ()) - {bug.name for bug in BUGS}
    if unknown:
        parser.error(f"there is no bug {', '.join(sorted(unknown))}; --list names them")
    bugs = [bug for bug in BUGS if not options.only or bug.name in options.only]
    if options.list:
        for bug in bugs:
            print(f"{bug.name:36}{bug.planted}")
        return
    sys.exit(_look(bugs, options) if options.look else _judge(bugs, options))


def _judge(bugs, options):
    begun = time.perf_counter()
    gates = sorted({gate for bug in bugs for gate in bug.gates})
    print(f"{len(gates)} gates without a bug: {'RED' if broken(None, gates) else 'green'}", flush=True)
    missed = []
    with ThreadPool(options.processes) as pool:
        for bug, (red, others) in zip(bugs, pool.imap(verdict, bugs), strict=True):
            print(f"{'GREEN' if others else 'red':8}{bug.name}", flush=True)
            for gate in red:
                print(f"        {gate}")
            for gate in others:
                print(f"        NOT RED: {gate}")
            missed += [bug] if others else []
    seconds = time.perf_counter() - begun
    print(f"{len(bugs) - len(missed)} of {len(bugs)} bugs turn all of their gates red, {seconds:.0f} s")
    return bool(missed)


def _look(bugs, options):
    print(f"without a bug: {broken(None, options.look) or 'green'}", flush=True)
    with ThreadPool(options.processes) as pool:
        for bug, failed in zip(bugs, pool.imap(lambda bug: broken(bug, options.look), bugs), strict=True):
            print(f"{len(failed):4} red  {bug.name}", *failed, sep="\n        ", flush=True)
    return 0


if __name__ == "__main__":
    main()
