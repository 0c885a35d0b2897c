"""Upkeep of a relational ledger: what changes its history on purpose, each in one transaction."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import PlanStale, StateError
from smsdeclare.ledgers import statements
from smsdeclare.ledgers.naming import Naming
from smsdeclare.ledgers.writes import Writing, at_once, may_wait
from smsdeclare.records import ERASED, Lease, Stopped
from smsdeclare.states import ENDED, FREE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from smsdeclare.records import Key


class Cursor(Protocol):
    """What a statement gives back, as far as all engines have it."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""
        ...

    def fetchone(self) -> Any:
        """The next row."""
        ...

    def fetchall(self) -> list[Any]:
        """All rows."""
        ...


#: Runs one statement inside a transaction.
Run = Callable[[str, dict[str, Any]], Cursor]


class Upkeep(Naming, Writing, ABC):
    """What people do to a ledger; whatever changes keys or history raises the epoch, so that no older claim holds."""

    #: Whether several runs may carry out one plan together.
    is_shared = False

    @abstractmethod
    def _transaction(self) -> AbstractContextManager[Run]:
        """Commit durably what runs inside, and raise the serial; undo all of it where something is raised."""

    @abstractmethod
    def _rows(self, statement: str, values: dict[str, Any]) -> Iterator[Any]:
        """The rows of a query, one after another."""

    @property
    def stopped(self) -> Stopped | None:
        """Who stopped it, read anew; None where nobody did."""
        for (value,) in self._rows(statements.READ_STOPPED, {}):
            return read_stopped(value)
        return None

    @at_once
    def stop(self, stopped: Stopped) -> None:
        """Give out no claim until `resume`, durably and at once for every run."""
        value = json.dumps(stopped._asdict() | {"reason": self._said(stopped.reason)})
        with self._transaction() as run:
            run(statements.DELETE_STOPPED, {})
            run(statements.INSERT_META, {"name": "stopped", "value": value})
            run(statements.INSERT_EVENT, {"at": stopped.at, "kind": "stop", "detail": value})

    @at_once
    def resume(self, at: str) -> None:
        """Give out claims again."""
        with self._transaction() as run:
            run(statements.DELETE_STOPPED, {})
            run(statements.INSERT_EVENT, {"at": at, "kind": "resume", "detail": "{}"})

    @property
    def leases(self) -> tuple[Lease, ...]:
        """Who is at work, as far as it is written down; each may have run out."""
        return tuple(lease for (value,) in self._rows(statements.READ_LEASE, {}) for lease in _read_leases(value))

    @at_once
    def hold(self, lease: Lease, is_over: Callable[[Lease], bool]) -> Lease | None:
        """Take a lease, unless another run has one that is not over; that one, or None.

        Where the ledger is shared, runs with the same plan stand beside one another.
        """
        return self._hold(lease, is_over)

    @may_wait
    def renew(self, lease: Lease, is_over: Callable[[Lease], bool]) -> Lease | None:
        """As `hold`, for who has it."""
        return self._hold(lease, is_over)

    def _hold(self, lease: Lease, is_over: Callable[[Lease], bool]) -> Lease | None:
        with self._transaction() as run:
            others = [one for one in _leases(run) if one.holder != lease.holder and not is_over(one)]
            for other in others:
                if not self.is_shared or lease.digest is None or lease.digest != other.digest:
                    return other
            _write_leases(run, [*others, lease])
        return None

    @at_once
    def let_go(self, holder: str | None, at: str) -> tuple[Lease, ...]:
        """Give the lease of `holder` back, or with None whoever has one, which goes on record; what was there."""
        with self._transaction() as run:
            found = _leases(run)
            given = tuple(one for one in found if holder in (None, one.holder))
            if given:
                _write_leases(run, [one for one in found if one not in given])
            if given and holder is None:
                detail = json.dumps([one._asdict() for one in given])
                run(statements.INSERT_EVENT, {"at": at, "kind": "unlock", "detail": detail})
        return given

    @at_once
    def resend(self, keys: Sequence[Key], reason: str, at: str) -> int:
        """Free sends for one more attempt, as one durable transaction that raises the epoch; how many.

        What is free already stays as it is. Raises StateError, and frees none, where one is open or none is left.
        """
        free, reason = statements.resend(tuple(sorted(ENDED))), self._said(reason)
        freed: list[Key] = []
        with self._transaction() as run:
            for key in keys:
                if run(free, {**key._asdict(), "reason": reason, "erased": ERASED}).rowcount:
                    freed.append(key)
                    continue
                found = run(statements.READ_STATE, key._asdict()).fetchone()
                if found is None or found[0] not in FREE:
                    detail = f"{key.address}: a send that is unknown or scheduled, or was erased"
                    raise StateError(Diagnostic(code=codes.NOT_ENDED, detail=detail))
            if not freed:
                raise StateError(Diagnostic(code=codes.NOT_ENDED, detail="all of these are free already"))
            run(statements.RAISE_EPOCH, {})
            detail = json.dumps({"reason": reason, "sends": [list(key) for key in freed]})
            run(statements.INSERT_EVENT, {"at": at, "kind": "resend", "detail": detail})
            (epoch,) = run(statements.READ_EPOCH, {}).fetchone()
        self._meta["epoch"] = epoch
        return len(freed)

    @at_once
    def rename(self, old: str, new: str, at: str) -> None:
        """Give all that is on record of one message, or nothing yet, to another name, as one durable transaction."""
        names = {"old": old, "new": new}
        with self._transaction() as run:
            if not _is_renamed(run, old, new):
                ((doubtful,),) = run(statements.COUNT_IN_DOUBT, {"message": old}).fetchall()
                if doubtful:
                    detail = f"`{old}` has {doubtful} sends whose fate is not known"
                    raise StateError(Diagnostic(code=codes.RENAME_IN_DOUBT, detail=detail))
                run(statements.RENAME_SENDS, names)
                run(statements.RENAME_JOBS, names)
                run(statements.RENAME_COMPLETIONS, names)
                run(statements.RAISE_EPOCH, {})
                run(statements.INSERT_EVENT, {"at": at, "kind": "rename", "detail": json.dumps(names)})
            (epoch,) = run(statements.READ_EPOCH, {}).fetchone()
        # Whoever renames plans anew, so what others changed meanwhile is seen.
        self._meta["epoch"] = epoch

    def renamed_to(self, message: str) -> str | None:
        """Which name a message was given last; None for one that was never renamed, or is called so again."""
        return _last_name(self._rows(statements.RENAMINGS, {}), message)


def held_by(lease: Lease) -> Diagnostic:
    """The diagnostic for a state that another run is at work on."""
    where = f", {lease.ci}" if lease.ci else ""
    return Diagnostic(
        code=codes.STATE_BUSY,
        detail=f"{lease.actor} (process {lease.pid}{where}) since {lease.since}",
    )


def stopped_by(stopped: Stopped) -> Diagnostic:
    """The diagnostic for a ledger that is stopped."""
    return Diagnostic(code=codes.STATE_STOPPED, detail=f"by {stopped.actor} at {stopped.at}: {stopped.reason}")


def _is_renamed(run: Run, old: str, new: str) -> bool:
    """Whether another run did it meanwhile; raises PlanStale where it did something else."""
    has_old, has_new = (
        run(statements.NEXT_REVISION, {"message": name, "after": 0}).fetchone()[0] is not None for name in (old, new)
    )
    if has_old and has_new:
        detail = f"`{old}` and `{new}` both have a history by now"
        raise PlanStale(Diagnostic(code=codes.STATE_MOVED_ON, detail=detail))
    return not has_old and _last_name(run(statements.RENAMINGS, {}).fetchall(), old) == new


def _last_name(renamings: Iterable[Any], message: str) -> str | None:
    found = None
    try:
        for (detail,) in renamings:
            names = json.loads(detail)
            if names["old"] == message:
                found = str(names["new"])
            elif names["new"] == message:
                found = None
    except (ValueError, TypeError, KeyError):
        raise StateError(Diagnostic(code=codes.STATE_CORRUPT, detail="a renaming can't be read")) from None
    return found


def _leases(run: Run) -> list[Lease]:
    row = run(statements.READ_LEASE, {}).fetchone()
    return _read_leases(row[0]) if row else []


def _write_leases(run: Run, leases: Sequence[Lease]) -> None:
    run(statements.DELETE_LEASE, {})
    if leases:
        value = json.dumps([one._asdict() for one in leases])
        run(statements.INSERT_META, {"name": "lease", "value": value})


def _read_leases(value: str) -> list[Lease]:
    """Leases as they stand in `meta`; what can't be read holds nobody up."""
    try:
        found = json.loads(value)
        # Older versions wrote the only one without a list around it.
        return [Lease(**one) for one in (found if isinstance(found, list) else [found])]
    except (ValueError, TypeError):
        return []


def read_stopped(value: str) -> Stopped:
    """A stop as it stands in `meta`."""
    try:
        return Stopped(**json.loads(value))
    except (ValueError, TypeError):
        # Whatever stands there, somebody wanted it to stop.
        return Stopped(reason="unreadable", actor="somebody", at="some time")
