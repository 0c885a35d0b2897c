"""Moving a ledger: from the first mark on it refuses, so that there are never two that send."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import StateError
from smsdeclare.ledgers import statements
from smsdeclare.ledgers.upkeep import Upkeep
from smsdeclare.ledgers.writes import at_once
from smsdeclare.records import Move

if TYPE_CHECKING:
    from collections.abc import Iterable

    from smsdeclare.ledgers.upkeep import Run

#: In `features`: a version that knows no marks would go on sending from here.
MOVED = "moved"


class Moving(Upkeep):
    """The mark comes before the copy and stays; only what is known not to have arrived takes it off again."""

    @property
    def move(self) -> Move | None:
        """Where it is being moved to, or was; None where nobody moved it."""
        for (value,) in self._rows(statements.READ_MOVE, {}):
            return _read(value)
        return None

    @property
    def lineage(self) -> str | None:
        """What it shares with its copies alone; None before its first write."""
        return self._meta.get("lineage")

    def check_not_moved(self) -> None:
        """Raises StateError, which says where to, for one that was moved or is being moved."""
        check_not_moved(self._rows(statements.READ_MOVE, {}))

    @at_once
    def begin_move(self, move: Move) -> None:
        """Refuse everything from now on, durably and before it is copied; raises the epoch.

        Raises StateError where it was moved before, or is being moved elsewhere.
        """
        with self._transaction() as run:
            found = run(statements.READ_MOVE, {}).fetchone()
            if found and (_read(found[0]).is_done or _read(found[0]).to != move.to):
                raise StateError(Diagnostic(code=codes.MOVE_UNFINISHED, detail=f"to {_read(found[0]).to}"))
            self._mark(run, move._replace(is_done=False))
            run(statements.RAISE_EPOCH, {})
            run(statements.INSERT_EVENT, {"at": move.at, "kind": "move", "detail": json.dumps({"to": move.to})})

    @at_once
    def end_move(self, move: Move) -> None:
        """Note that it has arrived."""
        with self._transaction() as run:
            self._mark(run, move._replace(is_done=True))

    @at_once
    def undo_move(self, at: str) -> None:
        """Take the mark off: for what did not arrive, and for the copy that does."""
        with self._transaction() as run:
            run(statements.DELETE_MOVE, {})
            set_features(run, drop=MOVED)
            run(statements.RAISE_EPOCH, {})
            run(statements.INSERT_EVENT, {"at": at, "kind": "unmark", "detail": "{}"})

    @staticmethod
    def _mark(run: Run, move: Move) -> None:
        run(statements.DELETE_MOVE, {})
        run(statements.INSERT_META, {"name": "moved", "value": json.dumps(move._asdict())})
        set_features(run, add=MOVED)


def check_not_moved(marks: Iterable[Any]) -> None:
    """Raises StateError, which says where to, where there is a mark."""
    for (value,) in marks:
        move = _read(value)
        code = codes.STATE_MOVED if move.is_done else codes.MOVE_UNFINISHED
        raise StateError(Diagnostic(code=code, detail=f"to {move.to}, by {move.actor} at {move.at}"))


def set_features(run: Run, *, add: str = "", drop: str = "") -> None:
    """Say what a version must understand from now on; what others have said since the opening stays."""
    found = {*json.loads(run(statements.READ_FEATURES, {}).fetchone()[0]), add} - {"", drop}
    run(statements.SET_FEATURES, {"features": json.dumps(sorted(found))})


def _read(value: str) -> Move:
    """A mark as it stands in `meta`; what can't be read refuses as well."""
    try:
        return Move(**json.loads(value))
    except (ValueError, TypeError):
        return Move(to="another place", actor="somebody", at="some time", is_done=True)
