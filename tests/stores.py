"""A store that keeps one file in this process, for histories by the thousand; it breaks off, and loses answers."""

import os
import secrets
from unittest.mock import patch

from smsdeclare import codes
from smsdeclare.cli import repository
from smsdeclare.clock import SystemClock
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import StateError
from smsdeclare.ledgers.git import GitLedger, in_clear
from smsdeclare.ledgers.git_branch import Outrun, Version
from smsdeclare.ledgers.naming import AS_KEPT


class Shelf:
    """What all runs see: versions, each made after another, and which is the newest."""

    def __init__(self, seal=in_clear, unseal=in_clear):
        self.versions = {}
        self.newest = None
        #: What another run does that is faster.
        self.other = lambda: None
        self._seal, self._unseal = seal, unseal

    def ledger(self, numbers=AS_KEPT, *, cross=lambda _: None, script="", clock=None):
        """The ledger on it, as one run sees it.

        `cross` is called at each boundary. The letters of `script` are for one store each: `a` goes well, of `l` the
        answer is lost and found out, of `u` it stays lost, `n` never arrives, before `o` another run
        does its work.
        """
        clock = clock or SystemClock()
        return GitLedger(_View(self, cross, script), clock, self._seal, self._unseal, numbers)

    def put(self, version, after):
        assert self.newest == after
        commit = secrets.token_hex(20)
        self.versions[commit] = (version, after)
        self.newest = commit
        return commit

    def leads(self, old, new):
        while new not in (None, old):
            new = self.versions[new][1]
        return new == old


def sealed():
    """A shelf on which the file is encrypted, as the command does it."""
    with patch.dict(os.environ, SMSDECLARE_STATE_KEY="11" * 32):
        return Shelf(*repository.sealing_by_environment("the shelf"))


class _View:
    """A `Branch` on the shelf."""

    shown = "the shelf"

    def __init__(self, shelf, cross, script):
        self.shelf = shelf
        self.cross = cross
        self.script = list(script)

    def newest(self, known=None):
        self.cross("fetch")
        if known is not None and not self.shelf.leads(known, self.shelf.newest):
            raise StateError(Diagnostic(code=codes.STATE_REWRITTEN, detail="the shelf"))
        return self.shelf.newest

    def read(self, commit):
        (label, content), _ = self.shelf.versions[commit]
        return Version(commit, label, content)

    def store(self, content, label, after, title):
        letter = self.script.pop(0) if self.script else "a"
        self.cross("before store")
        if letter == "o":
            self.shelf.other()
        if letter == "n":
            raise StateError(Diagnostic(code=codes.STATE_UNREACHABLE, detail="the shelf"))
        if self.shelf.newest != after:
            raise Outrun
        commit = self.shelf.put((label, content), after)
        self.cross("after store")
        if letter == "u":
            raise StateError(Diagnostic(code=codes.STATE_COMMIT_UNKNOWN, detail="the shelf"))
        return commit

    def probe(self, commit):
        pass

    def close(self):
        pass
