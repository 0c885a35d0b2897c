"""The ledger on a branch of a Git repository: a database in memory, stored whole by compare-and-swap."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import Held, SmsdeclareError, StateError
from smsdeclare.ledgers import copies, statements
from smsdeclare.ledgers.git_branch import Label, Outrun, Version, pause
from smsdeclare.ledgers.meta import FIRST_EPOCH, checked, fresh_meta
from smsdeclare.ledgers.naming import AS_KEPT
from smsdeclare.ledgers.relational import RelationalLedger
from smsdeclare.ledgers.sqlite import copied_to, in_this_format
from smsdeclare.ledgers.sqlite_file import (
    WORDS,
    attached,
    check_copy,
    committed,
    empty,
    from_bytes,
    made_whole,
    named,
)
from smsdeclare.ledgers.writes import at_once

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

    from smsdeclare.clock import Clock
    from smsdeclare.ledgers.copies import Contents, Pushed
    from smsdeclare.ledgers.git_branch import Branch
    from smsdeclare.ledgers.naming import Numbers
    from smsdeclare.ledgers.upkeep import Run
    from smsdeclare.records import Binding, Lease, Posted, Stopped

    #: Bytes that are stored → the database's, and back; both know lineage and serial.
    Seal = Callable[[bytes, Label], bytes]

_R = TypeVar("_R")
#: So often a write is done anew because others were faster.
_TRIES = 12
#: What may wait does not wait for longer than this, and what was looked at so long ago is looked at again. Seconds.
_PATIENCE, _FRESH = 90.0, 10.0


class GitLedger(RelationalLedger):
    """A ledger that is fetched, changed here, and stored whole; before its first write the branch does not exist.

    A write is done on the version that is known. Where another run has stored one meanwhile, it is done again on that.
    """

    words = WORDS
    signs_within = timedelta(minutes=5)

    def __init__(self, branch: Branch, clock: Clock, seal: Seal, unseal: Seal, numbers: Numbers = AS_KEPT) -> None:
        self._numbers = numbers
        self._branch = branch
        self._clock = clock
        self._seal, self._unseal = seal, unseal
        self._connection = empty()
        self._is_open = False
        #: The version that is known; None where there is none yet.
        self._known: str | None = None
        self._lineage: str | None = None
        self._serial = 0
        #: Whether the database here has what is not stored.
        self._is_ahead = False
        #: What was written and is not stored, in this order; and since when.
        self._waiting: list[Callable[[], object]] = []
        #: Why the newest version took some of that no more.
        self._refused: list[SmsdeclareError] = []
        self._waits_since = 0.0
        self._gathering = 0
        #: Whether a write is under way, so that one inside it is a part of it.
        self._is_writing = False
        self._meta = {}
        self._looked_at = clock.monotonic()
        try:
            found = branch.newest()
            if found is not None:
                self._adopt(found)
            self._check_numbers()
        except BaseException:
            self.close()
            raise
        self._is_open = True

    def close(self) -> None:
        """Throw away what was fetched."""
        self._connection.close()
        self._branch.close()

    # — compare and swap —

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Inside, writes that may wait are stored with the next that may not, or at the end.

        What the newest version refuses of them is raised at the end, when the others are stored.
        """
        self._gathering += 1
        try:
            yield
        finally:
            self._gathering -= 1
            if not self._gathering:
                self._end_gathering()

    def _end_gathering(self) -> None:
        try:
            if self._waiting:
                self._stored(lambda: None)
            if self._refused:
                raise self._refused[0]
        except SmsdeclareError:
            self._waiting.clear()
            self._go_back(self._known)
            raise
        finally:
            self._refused.clear()

    def _write(self, work: Callable[[], _R], *, may_wait: bool) -> _R:
        if self._is_writing:
            return work()
        if not (may_wait and self._gathering):
            return self._stored(work)
        result = self._done(work)
        if not self._waiting:
            self._waits_since = self._clock.monotonic()
        self._waiting.append(work)
        if self._clock.monotonic() - self._waits_since > _PATIENCE:
            self._stored(lambda: None)
        return result

    def _done(self, work: Callable[[], _R]) -> _R:
        self._is_writing = True
        try:
            return work()
        finally:
            self._is_writing = False

    def _stored(self, work: Callable[[], _R]) -> _R:
        """Do a write, and store it with what waits; nothing is stored where nothing changes."""
        for place in range(_TRIES):
            result = self._done(work)
            try:
                if self._is_ahead:
                    self._store()
            except Outrun:
                self._clock.sleep(pause(place))
                self._go_back(self._newest())
            else:
                self._waiting.clear()
                return result
        self._go_back(self._known)
        raise Held(Diagnostic(code=codes.STATE_CROWDED, detail=self._branch.shown))

    def _store(self) -> None:
        """Store the database as it is now; where that fails it is again what was stored, with what waits."""
        meta = dict(self._connection.execute(statements.READ_META).fetchall())
        label = Label(meta["lineage"], int(meta["serial"]))
        title = f"State of {meta['project']}, serial {label.serial}"
        is_first = self._known is None
        try:
            content = self._seal(self._connection.serialize(), label)
            self._known = self._branch.store(content, label, self._known, title)
            if is_first:
                self._branch.probe(self._known)
        except StateError:
            self._go_back(self._known)
            raise
        self._lineage, self._serial, self._is_ahead = label.lineage, label.serial, False

    def _newest(self) -> str | None:
        """The newest version there is; where that can't be told, the database is what is known to be stored."""
        self._looked_at = self._clock.monotonic()
        try:
            return self._branch.newest(self._known)
        except StateError:
            self._go_back(self._known)
            raise

    def _go_back(self, to: str | None) -> None:
        """Make the database what a version holds, with what waits; what cannot be taken over never counts as known."""
        try:
            if to is None:
                self._replace(empty())
                self._meta = {}
            else:
                self._adopt(to)
        except SmsdeclareError:
            if to != self._known:
                self._go_back(self._known)
            raise
        for work in [*self._waiting]:
            try:
                self._done(work)
            except SmsdeclareError as error:
                self._waiting.remove(work)
                self._refused.append(error)

    def _adopt(self, commit: str) -> None:
        """Make the database what a version holds; raises StateError where it does not lead on from what was known."""
        version = self._branch.read(commit)
        content = self._unseal(version.content, version.label)
        connection = from_bytes(content, self._branch.shown)
        try:
            with named(self._branch.shown):
                meta = checked(dict(connection.execute(statements.READ_META).fetchall()), self._branch.shown)
            self._compare(meta, version)
        except BaseException:
            connection.close()
            raise
        self._replace(connection)
        self._known, self._lineage, self._serial = commit, meta["lineage"], int(meta["serial"])
        before = self._meta.get("epoch", FIRST_EPOCH)
        self._meta = meta
        self._upgrade()
        if self._is_open:
            # As of its opening, as in every ledger: whatever is read since, what was planned then is as old as it was.
            self._meta["epoch"] = before

    def _compare(self, meta: dict[str, str], version: Version) -> None:
        """Raises StateError where the file is not what its commit says, or is older or another than what was known."""
        if Label(meta["lineage"], int(meta["serial"])) != version.label:
            detail = f"{self._branch.shown}: the file of commit {version.commit[:12]} is not the one it was made with"
            raise StateError(Diagnostic(code=codes.STATE_PUT_BACK, detail=detail))
        if self._lineage not in (None, meta["lineage"]) or int(meta["serial"]) < self._serial:
            detail = f"{self._branch.shown}: serial {meta['serial']}, known was {self._serial}"
            raise StateError(Diagnostic(code=codes.STATE_REWRITTEN, detail=detail))

    def _replace(self, connection: sqlite3.Connection) -> None:
        self._connection.close()
        self._connection, self._is_ahead = connection, False

    # — what others may have written —

    @property
    def stopped(self) -> Stopped | None:
        """Who stopped it, read anew; None where nobody did."""
        self._look()
        return super().stopped

    @property
    def leases(self) -> tuple[Lease, ...]:
        """Who is at work, as far as it is written down; each may have run out."""
        self._look()
        return super().leases

    def posted_in_doubt(self) -> list[Posted]:
        """Every job with sends in doubt, with these: where settling begins, by what is there now."""
        if self._clock.monotonic() - self._looked_at > _FRESH:
            self._look()
        return super().posted_in_doubt()

    def hold(self, lease: Lease, is_over: Callable[[Lease], bool]) -> Lease | None:
        """Take the lease, unless another run has one that is not over; that one, or None."""
        other = super().hold(lease, is_over)
        if other is not None:
            self._look()
            other = super().hold(lease, is_over)
        return other

    def has_given_out(self, tag: str) -> bool:
        """Whether a job on record has this mark, read anew."""
        if not self._has_job(tag):
            self._look()
        return self._has_job(tag)

    def _look(self) -> None:
        if not self._is_writing and (found := self._newest()) != self._known:
            self._go_back(found)

    # — copies —

    def pull(self, target: Path) -> Contents:
        """Write a copy under a name that is free: what is stored at this moment, looked through, and durable."""
        if self._known is None:
            raise StateError(Diagnostic(code=codes.STATE_ABSENT, detail=self._branch.shown))
        with copied_to(target), made_whole(target) as made:
            self._connection.backup(made)
            return copies.look_through(made.execute, "main", self._branch.shown)

    @at_once
    def push(self, copy: Path, wanted: Binding, at: str) -> Pushed:
        """Put the copy in place of all that is on record, in one store that raises the epoch."""
        check_copy(copy)
        is_new = not self._meta
        with (
            named(self._branch.shown),
            in_this_format(copy, Path(tempfile.gettempdir())) as current,
            attached(self._connection, current),
            committed(self._connection) as run,
        ):
            before = None if is_new else copies.look_through(run, "main", self._branch.shown)
            pushed = copies.push(run, copy.name, before, wanted, at)
        self._is_ahead |= pushed.is_changed
        self._meta = self._read_meta()
        return pushed

    # — the database —

    def _create(self, binding: Binding) -> None:
        with named(self._branch.shown), committed(self._connection) as run:
            for name, value in fresh_meta(binding, self._numbers).items():
                run(statements.INSERT_META, {"name": name, "value": value})
        self._meta, self._is_ahead = self._read_meta(), True

    def _read_meta(self) -> dict[str, str]:
        with named(self._branch.shown):
            meta = dict(self._connection.execute(statements.READ_META).fetchall())
        return checked(meta, self._branch.shown) if meta else meta

    @contextmanager
    def _transaction(self) -> Iterator[Run]:
        with named(self._branch.shown), committed(self._connection) as run:
            before = self._connection.total_changes
            yield run
            if self._connection.total_changes != before:
                run(statements.RAISE_SERIAL, {})
                self._is_ahead = True

    @contextmanager
    def _erasing(self) -> Iterator[Run]:
        self._connection.execute("PRAGMA secure_delete = ON")
        with super()._erasing() as run:
            yield run
        self._connection.execute("VACUUM")

    def _rows(self, statement: str, values: dict[str, Any]) -> Iterator[Any]:
        with named(self._branch.shown):
            # As one list where it is short, so that no cursor is open when the database is replaced.
            if statement not in statements.LONG:
                yield from self._connection.execute(statement, values).fetchall()
                return
            for row in self._connection.execute(statement, values):  # noqa: UP028 - the cursor may outlive its reader
                yield row


def in_clear(content: bytes, _label: Label) -> bytes:
    """What stores a state as it is, and reads it so."""
    return content
