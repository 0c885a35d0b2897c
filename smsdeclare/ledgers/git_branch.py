"""One file on a branch of its own: fetched with its version, and stored only in the place of the version that is known.

A push with a lease is the compare-and-swap. Each commit names the one that it was made after and what it holds, so that
a file that somebody put back by hand is noticed.
"""

from __future__ import annotations

import re
import secrets
import uuid
from typing import TYPE_CHECKING, NamedTuple

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import StateError

if TYPE_CHECKING:
    from smsdeclare.clock import Clock
    from smsdeclare.ledgers.git_command import Ended, Git

#: The name of the file on the branch.
FILE = "smsdeclare.state"
#: Where the newest version that is known stands in our own repository, and where one is made.
_KNOWN, _DRAFT = "refs/smsdeclare/known", "refs/smsdeclare/draft"
_ABSENT = re.compile(r"couldn't find remote ref|could not find remote ref", re.IGNORECASE)
#: Another push is in the middle of it; rules say that something is locked, or blocked, as well.
_LOCKED = re.compile(r"cannot lock ref|failed to (?:lock|update) ref|\.lock\b", re.IGNORECASE)
#: After a push that did not come through it is tried again, the same one. Seconds.
_PAUSES = (0.0, 1.0, 3.0)
#: The longest before another try because others were faster. Seconds.
_LONGEST_PAUSE = 3.0
_TRAILER = re.compile(r"(Lineage|Serial|After): (\S+)")


class Outrun(Exception):
    """Another run stored a version of its own first; what we wanted to store is not there, and never will be."""


class Label(NamedTuple):
    """What a version holds, as its commit says."""

    lineage: str
    serial: int


class Version(NamedTuple):
    """What stands on the branch."""

    commit: str
    label: Label
    content: bytes


class Branch:
    """The branch of a remote that holds the state, and nothing else."""

    def __init__(self, git: Git, name: str, clock: Clock) -> None:
        self._git = git
        self._ref = f"refs/heads/{name}"
        self._clock = clock
        self.shown = f"branch {name} of {git.shown}"

    def close(self) -> None:
        """Throw away what was fetched."""
        self._git.close()

    def newest(self, known: str | None = None) -> str | None:
        """Look what is there now; None where the branch is missing. Raises StateError.

        Where a commit is `known`, the newest must have gone on from it.
        """
        # What is fetched first has no past: only the latest version matters. What follows must lead back to it.
        depth = ("--depth=1",) if known is None else ()
        ended = self._git.remote(
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", *depth),
            *("--", self._git.url, f"+{self._ref}:{_KNOWN}"),
        )
        if not ended.is_done:
            if not _ABSENT.search(ended.said):
                raise self._git.failed(ended)
            if known is not None:
                raise _rewritten(f"{self.shown} is gone")
            return None
        found = self._git.ref(_KNOWN)
        if known is not None and not self._leads(known, found):
            raise _rewritten(f"{self.shown}: {found[:12]} does not go on from {known[:12]}")
        return found

    def read(self, commit: str) -> Version:
        """A version that was fetched or made here; raises StateError where it is none of ours."""
        wanted = f"{commit}\n{commit}:{FILE}\n".encode()
        about, rest = self._git.local("cat-file", "--batch", given=wanted).split(b"\n", 1)
        length = int(about.split()[-1])
        head, _, message = rest[:length].decode(errors="replace").partition("\n\n")
        said = dict(_TRAILER.findall(message))
        parents = re.findall(r"^parent (\S+)$", head, re.MULTILINE)
        kind, content = rest[length + 1 :].split(b"\n", 1)
        if b" blob " not in kind:
            detail = f"{self.shown}: there is no file {FILE} in it"
            raise StateError(Diagnostic(code=codes.STATE_BRANCH_FOREIGN, detail=detail))
        if said.keys() != {"Lineage", "Serial", "After"} or not said["Serial"].isdecimal():
            raise self._put_back(commit, "was not made by smsdeclare")
        if said["After"] != (parents[0] if len(parents) == 1 else "none" if not parents else ""):
            raise self._put_back(commit, "was made for another place in the history")
        return Version(commit, Label(said["Lineage"], int(said["Serial"])), content[: int(kind.split()[-1])])

    def store(self, content: bytes, label: Label, after: str | None, title: str) -> str:
        """Store a version in the place of the one that is known, None: of nothing; its commit.

        Raises Outrun where another is there, and StateError where it can't be stored; with the code
        STATE_COMMIT_UNKNOWN where it may have been.
        """
        commit = self._commit(content, label, after, title)
        for pause in _PAUSES:
            self._clock.sleep(pause)
            ended = self._push(commit, after)
            if ended.is_done:
                return commit
            try:
                is_there = self._is_there(commit, after)
            except StateError as error:
                if error.diagnostics[0].code is codes.STATE_REWRITTEN:
                    raise
                doubt = f"{error.diagnostics[0].detail}; whether the push before it came through is not known"
                raise StateError(Diagnostic(code=codes.STATE_COMMIT_UNKNOWN, detail=doubt)) from error
            if is_there:
                return commit
            failure = self._git.failed(ended)
            may_pass = failure.diagnostics[0].code is codes.STATE_UNREACHABLE or _LOCKED.search(ended.said)
            if not may_pass:
                break
        if may_pass:
            # It may still be on its way.
            found = Diagnostic(code=codes.STATE_COMMIT_UNKNOWN, detail=failure.diagnostics[0].detail)
            raise StateError(found) from failure
        raise failure

    def probe(self, commit: str) -> None:
        """Raises StateError where this way to the remote stores a version in the place of one that it was not made for.

        `commit` is there: a push that wants nothing to be there has to be refused.
        """
        draft = self._commit(b"", Label("probe", 0), commit, "A push that has to be refused")
        if self._push(draft, None).is_done:
            raise StateError(Diagnostic(code=codes.STATE_UNCOMPARED, detail=self.shown))

    def _is_there(self, commit: str, after: str | None) -> bool:
        """Whether our commit is on the branch; raises Outrun where it is not, and another is."""
        found = self.newest() if after is None else self.newest(after)
        if found is None or found == after:
            return False
        if self._leads(commit, found):
            return True
        raise Outrun

    def _commit(self, content: bytes, label: Label, after: str | None, title: str) -> str:
        """A commit of the one file, in our own repository, unlike any other."""
        seconds = int(self._clock.now().timestamp())
        message = (
            f"{title}\n\n[skip ci]\n\nLineage: {label.lineage}\nSerial: {label.serial}\nAfter: {after or 'none'}\n"
            f"Nonce: {secrets.token_hex(16)}\n"
        ).encode()
        lines = [
            f"reset {_DRAFT}\n\ncommit {_DRAFT}\ncommitter smsdeclare <smsdeclare@localhost> {seconds} +0000\n",
            f"data {len(message)}\n",
        ]
        start = f"from {after}\n" if after else ""
        stream = b"".join(
            (
                *(line.encode() for line in lines),
                message,
                f"{start}deleteall\nM 100644 inline {FILE}\ndata {len(content)}\n".encode(),
                content,
                b"\n",
            )
        )
        self._git.local("fast-import", "--quiet", "--force", given=stream)
        return self._git.ref(_DRAFT)

    def _push(self, commit: str, after: str | None) -> Ended:
        lease = f"--force-with-lease={self._ref}:{after or ''}"
        return self._git.remote("push", "--quiet", "--no-verify", lease, "--", self._git.url, f"{commit}:{self._ref}")

    def _leads(self, old: str, new: str) -> bool:
        return old == new or self._git.asked("merge-base", "--is-ancestor", old, new).is_done

    def _put_back(self, commit: str, why: str) -> StateError:
        detail = f"{self.shown}: commit {commit[:12]} {why}"
        return StateError(Diagnostic(code=codes.STATE_PUT_BACK, detail=detail))


def _rewritten(detail: str) -> StateError:
    return StateError(Diagnostic(code=codes.STATE_REWRITTEN, detail=detail))


def pause(place: int) -> float:
    """Seconds before the next try, another for each run, so that two do not meet again and again."""
    longest = min(_LONGEST_PAUSE, 0.05 * 2.0**place)
    share: int = uuid.uuid4().int % 1000
    return longest * share / 1000
