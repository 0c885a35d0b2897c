"""Lines typed into a shell, where somebody sits who agrees to everything."""

import os
import pty
import subprocess
import sys
from contextlib import contextmanager

import worlds


@contextmanager
def somebody_who_says_yes():
    """A standard input that is a terminal; whoever sits there agrees to everything."""
    parent, child = pty.openpty()
    os.write(parent, b"y\n" * 5)
    try:
        yield child
    finally:
        os.close(parent)
        os.close(child)


def type_in(line, folder, **more):
    """Run a line in a shell; its exit code and what it printed."""
    with somebody_who_says_yes() as terminal:
        done = subprocess.run(
            ["sh", "-e", "-c", f'smsdeclare() {{ "$PYTHON" -m smsdeclare "$@"; }}\n{line}'],
            cwd=folder, env=worlds.environment(PYTHON=sys.executable, PYTHONUTF8="1", **more), stdin=terminal,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", check=False,
        )  # fmt: skip
    return done.returncode, done.stdout
