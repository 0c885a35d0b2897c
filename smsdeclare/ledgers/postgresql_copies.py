"""Copies of a ledger in PostgreSQL: its rows go into a SQLite file as they are, and come back out of one."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from smsdeclare.ledgers import copies
from smsdeclare.ledgers.postgresql_server import streamed
from smsdeclare.ledgers.sqlite import copied_to, in_this_format
from smsdeclare.ledgers.sqlite_file import attached, check_copy, committed, lay_tables, made_whole, named

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

    from smsdeclare.ledgers.copies import Contents, Pushed
    from smsdeclare.ledgers.postgresql_server import Server
    from smsdeclare.ledgers.upkeep import Run
    from smsdeclare.records import Binding

#: What is written anew; `meta` is changed row by row, since others wait for one of its rows.
_REPLACED = ("sends", "jobs", "completions", "events")
#: So many rows go in one statement.
_AT_ONCE = 500


def pull(server: Server, target: Path) -> Contents:
    """Write what is committed at this moment into a SQLite file of its own."""
    with copied_to(target), made_whole(target) as made:
        lay_tables(made)
        with committed(made), server.snapshot() as run:
            _fill(made, run)
        return copies.look_through(made.execute, "main", target.name)


def push(server: Server, copy: Path, wanted: Binding, at: str, *, lay: Callable[[Run], None] | None) -> Pushed:
    """Put the copy in place of all that is on record, in one transaction; `lay` makes the tables where there are none.

    What may take whose place is decided in a file between the two.
    """
    check_copy(copy)
    with _scratch() as path, in_this_format(copy, path.parent) as current, _made(path) as scratch:
        if lay is not None:
            with named(copy.name), attached(scratch, current), committed(scratch) as inside:
                pushed = copies.push(inside, copy.name, None, wanted, at)
            with server.unlocked() as run:
                lay(run)
                _replace(run, scratch)
            return pushed
        try:
            with server.locked() as run:
                with committed(scratch):
                    _fill(scratch, run)
                with named(copy.name), attached(scratch, current), committed(scratch) as inside:
                    before = copies.look_through(inside, "main", "the state")
                    pushed = copies.push(inside, copy.name, before, wanted, at)
                if not pushed.is_changed:
                    raise _Unchanged
                _replace(run, scratch)
        except _Unchanged:
            pass
        return pushed


class _Unchanged(Exception):
    """There is nothing to write: the transaction is undone."""


@contextmanager
def _scratch() -> Iterator[Path]:
    """A name in a folder that nobody else may enter, gone afterwards with the numbers that are in it."""
    with tempfile.TemporaryDirectory(prefix="smsdeclare-") as folder:
        yield Path(folder) / "scratch.state"


@contextmanager
def _made(path: Path) -> Iterator[sqlite3.Connection]:
    with made_whole(path) as connection:
        lay_tables(connection)
        yield connection


def _fill(made: sqlite3.Connection, run: Run) -> None:
    """All rows that `run` can see."""
    for table, columns in copies.tables(made.execute, "main").items():
        names, places = ", ".join(columns), ", ".join("?" * len(columns))
        rows = streamed(run, f"SELECT {names} FROM {table}", {})
        made.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)


def _replace(run: Run, scratch: sqlite3.Connection) -> None:
    """The rows of the scratch file in place of all others."""
    columns = copies.tables(scratch.execute, "main")
    for table in _REPLACED:
        run(f"DELETE FROM {table}", {})
        # An event's place is given by the server, so that the next one's is free.
        names = [name for name in columns[table] if name != "event"]
        order = "event" if table == "events" else "1, 2, 3"
        cursor = scratch.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY {order}")
        while rows := cursor.fetchmany(_AT_ONCE):
            places = (f"({', '.join(f':{name}{place}' for name in names)})" for place in range(len(rows)))
            values = {
                f"{name}{place}": one for place, row in enumerate(rows) for name, one in zip(names, row, strict=True)
            }
            run(f"INSERT INTO {table} ({', '.join(names)}) VALUES {', '.join(places)}", values)
    meta = dict(scratch.execute("SELECT name, value FROM meta").fetchall())
    for (name,) in run("SELECT name FROM meta", {}).fetchall():
        if name not in meta:
            run("DELETE FROM meta WHERE name = :name", {"name": name})
    for name, value in meta.items():
        run(_SET_META, {"name": name, "value": value})


_SET_META = """
    INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value"""
