"""The ledger in one SQLite file: mode 0600, rollback journal, every commit durable against power loss."""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import Held, InputError, StateError
from smsdeclare.ledgers import statements
from smsdeclare.ledgers.evidence import damaged
from smsdeclare.ledgers.meta import FORMAT, checked, fresh_meta
from smsdeclare.ledgers.naming import AS_KEPT
from smsdeclare.ledgers.relational import RelationalLedger
from smsdeclare.ledgers.sqlite_file import (
    WORDS,
    attached,
    blaming_the_copy,
    check_copy,
    committed,
    copy_bytes,
    empty,
    lay_tables,
    made_whole,
    named,
    open_kept,
    read_format,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smsdeclare.ledgers.copies import Contents, Pushed
    from smsdeclare.ledgers.naming import Numbers
    from smsdeclare.ledgers.upkeep import Run
    from smsdeclare.records import Binding


class SqliteLedger(RelationalLedger):
    """A ledger in a file; before its first write it reads as empty and no file exists."""

    words = WORDS

    def __init__(self, path: Path, numbers: Numbers = AS_KEPT) -> None:
        self._path = path
        self._numbers = numbers
        self._is_kept = os.path.lexists(path)
        self._connection = open_kept(path) if self._is_kept else empty()
        try:
            self._meta = self._read_meta()
            self._upgrade()
            self._check_numbers()
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    # — copies —

    def pull(self, target: Path) -> Contents:
        """Write a copy under a name that is free: what is committed at this moment, looked through, and durable.

        Runs go on, but for a wait while it is written. Raises InputError where it can't be, StateError where it would
        be damaged.
        """
        from smsdeclare.ledgers import copies  # noqa: PLC0415 - only where there is one

        if not self._is_kept:
            raise StateError(Diagnostic(code=codes.STATE_ABSENT, detail=self._path.name))
        with copied_to(target), made_whole(target) as connection:
            with named(self._path.name):
                # A writer is waited for here, and not by the backup, which would wait for ever.
                self._connection.execute("BEGIN")
                self._read_meta()
            try:
                self._connection.backup(connection)
            finally:
                self._connection.execute("ROLLBACK")
            return copies.look_through(connection.execute, "main", self._path.name)

    def push(self, copy: Path, wanted: Binding, at: str) -> Pushed:
        """Put the copy in place of all that is on record, as one durable transaction that raises the epoch.

        It goes row by row into the file that is there: a run that has it open goes on with it, and finds the new epoch
        at its next claim. An empty service of `wanted` is any. Raises StateError where the copy is damaged, belongs
        elsewhere or lacks something that is on record, or where something is in doubt; InputError where it can't be
        read.
        """
        from smsdeclare.ledgers import copies  # noqa: PLC0415 - as above

        check_copy(copy)
        if self._is_kept and copy.samefile(self._path):
            raise InputError(Diagnostic(code=codes.USAGE, detail=f"{copy} is the state itself, not a copy"))
        # Beside the state, since it may be large, and holds numbers.
        with named(self._path.name), in_this_format(copy, self._path.parent) as current:
            if self._is_kept:
                with attached(self._connection, current), committed(self._connection) as run:
                    before = copies.look_through(run, "main", self._path.name)
                    pushed = copies.push(run, copy.name, before, wanted, at)
                self._meta = self._read_meta()
                return pushed
            try:
                with made_whole(self._path) as made, attached(made, current), committed(made) as run:
                    lay_tables(made)
                    pushed = copies.push(run, copy.name, None, wanted, at)
            except FileExistsError:
                found = Diagnostic(code=codes.STATE_MOVED_ON, detail="another run made it", suggestion="Push again.")
                raise StateError(found) from None
        self._reopen()
        return pushed

    # — the file —

    def _create(self, binding: Binding) -> None:
        path = self._path
        # Where another run was faster, its file is the state.
        with named(path.name), suppress(FileExistsError), made_whole(path) as made, committed(made) as run:
            lay_tables(made)
            for name, value in fresh_meta(binding, self._numbers).items():
                run(statements.INSERT_META, {"name": name, "value": value})
        self._reopen()

    def _reopen(self) -> None:
        self._connection.close()
        self._connection, self._is_kept = open_kept(self._path), True
        self._meta = self._read_meta()

    def _read_meta(self) -> dict[str, str]:
        with named(self._path.name):
            meta = dict(self._connection.execute(statements.READ_META).fetchall())
        return checked(meta, self._path.name) if meta or self._is_kept else meta

    @contextmanager
    def _transaction(self) -> Iterator[Run]:
        with named(self._path.name), committed(self._connection) as run:
            yield run
            run(statements.RAISE_SERIAL, {})

    @contextmanager
    def _erasing(self) -> Iterator[Run]:
        with named(self._path.name):
            self._connection.execute("PRAGMA secure_delete = ON")
        with super()._erasing() as run:
            yield run
        # The freed pages are zeros by now; what SQLite left beside moved rows goes with the old pages.
        with suppress(StateError, Held), named(self._path.name):
            self._connection.execute("VACUUM")

    def _rows(self, statement: str, values: dict[str, Any]) -> Iterator[Any]:
        with named(self._path.name):
            # Not `yield from`, which would close the cursor of a state that was closed before it was read to the end.
            for row in self._connection.execute(statement, values):  # noqa: UP028
                yield row


def nothing_on_record() -> SqliteLedger:
    """A ledger that reads as empty, for who must not look at the real one."""
    return SqliteLedger(Path(os.devnull, "nothing"))


@contextmanager
def in_this_format(copy: Path, beside: Path) -> Iterator[Path]:
    """A checked copy or, where an older version made it, what it would be today: the copy itself is left as it is."""
    if read_format(copy) >= FORMAT:
        yield copy
        return
    import tempfile  # noqa: PLC0415 - 5 ms with what it imports, and hardly any copy is that old

    with tempfile.TemporaryDirectory(prefix=".smsdeclare-", dir=beside) as folder:
        current = Path(folder) / copy.name
        copy_bytes(copy, current)
        with blaming_the_copy():
            SqliteLedger(current).close()
        yield current


@contextmanager
def copied_to(target: Path) -> Iterator[None]:
    """Say that a copy can't be written where that is so, and that its source is damaged where that is."""
    try:
        yield
    except FileExistsError:
        advice = "Choose another name; a copy never replaces a file."
        raise InputError(Diagnostic(code=codes.WOULD_OVERWRITE, detail=target.name, suggestion=advice)) from None
    except (OSError, sqlite3.OperationalError) as error:
        detail = f"{target.name}: {getattr(error, 'strerror', None) or error}"
        raise InputError(Diagnostic(code=codes.CANT_WRITE, detail=detail)) from error
    except sqlite3.DatabaseError as error:
        raise damaged(str(error)) from error
