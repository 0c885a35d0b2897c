"""Kinds of states that the real command is killed on: what the project says of them, and how they fail themselves."""

import base64
import os
import random
import shutil
import subprocess
from contextlib import ExitStack

import postgresql_server

#: A `git` in front of the real one: of one push in ten the answer is lost, and one in ten does not arrive.
_LOSING = """#!/bin/sh
case " $* " in *" push "*)
  chance=$(od -An -N1 -tu1 /dev/urandom)
  if [ "$chance" -lt 50 ]; then
    [ "$chance" -lt 25 ] && GIT "$@" > /dev/null 2>&1
    echo "fatal: the remote end hung up unexpectedly" >&2; exit 128
  fi;;
esac
exec GIT "$@"
"""
_KEYS = {
    "SMSDECLARE_NUMBERS_KEY": base64.b64encode(b"k" * 32).decode(),
    "SMSDECLARE_STATE_KEY": base64.b64encode(b"s" * 32).decode(),
}


class InFile:
    """A file in the project's folder; who restores the folder restores it."""

    def __init__(self, folder, more=""):
        self.folder = folder
        self._more = more
        #: For so long a claimed job may be signed. Seconds.
        self.window = 0.0
        #: What runs that are killed have in their environment; and those that find out what is wrong.
        self.environment, self.honest = dict(_KEYS), dict(_KEYS)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    @property
    def words(self):
        """What the project says of it."""
        return f"state: {{{self._more}}}\n" if self._more else ""

    def begin(self):
        """Nothing is there."""

    def keep(self):
        """Remember it as it is."""

    def restore(self):
        """Make it again what was kept."""

    @property
    def is_there(self):
        return (self.folder / "project" / "smsdeclare.state").exists()


class InGit(InFile):
    """A branch of a bare repository; pushes get lost."""

    def __init__(self, folder, more):
        super().__init__(folder, more)
        self.window = 300.0
        self._remote, self._kept = folder / "remote.git", folder / "kept.git"
        tools = folder / "tools"
        tools.mkdir()
        (tools / "git").write_text(_LOSING.replace("GIT", shutil.which("git")))
        (tools / "git").chmod(0o755)
        self.environment["PATH"] = f"{tools}:{os.environ['PATH']}"

    @property
    def words(self):
        return f"state: {{backend: git, remote: ../remote.git, {self._more}}}\n"

    def begin(self):
        for path in (self._remote, self._kept):
            shutil.rmtree(path, ignore_errors=True)
        subprocess.run(("git", "init", "--quiet", "--bare", self._remote), check=True)

    def keep(self):
        shutil.copytree(self._remote, self._kept)

    def restore(self):
        shutil.rmtree(self._remote)
        shutil.copytree(self._kept, self._remote)

    is_there = True


class _Losing:
    """How a line is cut: of ten commits one does not arrive, and of one the answer is lost."""

    def __bool__(self):
        return random.random() < 0.2

    def pop(self, _):
        return random.choice(("before", "after"))


class InPostgresql(InFile):
    """A database of a server of its own; commits get lost."""

    def __init__(self, folder, more):
        super().__init__(folder, more)
        self._stack = ExitStack()

    def __enter__(self):
        self._cluster = self._stack.enter_context(postgresql_server.running())
        proxy = postgresql_server.Proxy(self._cluster)
        self._stack.callback(proxy.close)
        proxy.cuts = _Losing()
        self.environment["SMSDECLARE_POSTGRESQL_URL"] = proxy.url.replace("/postgres?", "/scene?")
        self.honest["SMSDECLARE_POSTGRESQL_URL"] = self._cluster.url("scene")
        return self

    def __exit__(self, *error):
        self._stack.close()

    @property
    def words(self):
        return f"state: {{backend: postgresql, schema: killed{self._more and f', {self._more}'}}}\n"

    def begin(self):
        self._make("scene", "template1")

    def keep(self):
        self._make("kept", "scene")

    def restore(self):
        self._make("scene", "kept")

    def _make(self, name, like):
        self._cluster.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self._cluster.run(f"CREATE DATABASE {name} TEMPLATE {like}")

    is_there = True


#: Name → kind, and what else the project says of it.
KINDS = {
    "file": (InFile, ""),
    "file-hashed": (InFile, "numbers: hashed"),
    "postgresql": (InPostgresql, ""),
    "postgresql-hashed": (InPostgresql, "numbers: hashed"),
    "git": (InGit, "encryption: none"),
    "git-hashed": (InGit, "numbers: hashed"),
}


def state(name, folder):
    """A state of a kind; `git-hashed` is encrypted as well."""
    kind, more = KINDS[name]
    return kind(folder, more)
