"""Copies of a ledger: what one holds, and when it may take the ledger's place without forgetting a send."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import StateError
from smsdeclare.ledgers import statements
from smsdeclare.ledgers.evidence import damaged
from smsdeclare.ledgers.meta import BINDING, checked, foreign
from smsdeclare.ledgers.naming import are_hashed
from smsdeclare.ledgers.sqlite_file import APPLICATION_ID, blaming_the_copy, named
from smsdeclare.records import Binding
from smsdeclare.states import BARRED, IN_DOUBT, State, later

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from smsdeclare.codes import Code
    from smsdeclare.ledgers.upkeep import Run

#: What stays of `meta`: a stop, that absence proves nothing, and who is at work here.
_STAYS = ("stopped", "absence", "lease")
#: More claims or resends than so many lead nowhere that these do not lead.
_STEPS = 3
#: What a row is known by.
_KEYS = {
    "sends": ("message", "revision", "number"),
    "jobs": ("message", "revision", "ordinal"),
    "completions": ("message", "revision"),
}
#: What a job is; all of it was written down before its POST, so it never changes.
_JOB = (
    *("tag", "provider", "endpoint", "service", "receivers", "text_digest", "template_digest", "options"),
    *("body_digest", "plan_digest", "claimed_at", "not_after", "estimate", "send_at", "times"),
)

_TABLES = """
    SELECT t.name, c.name FROM {schema}.sqlite_master t, pragma_table_info(t.name, '{schema}') c
    WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' ORDER BY t.name, c.name"""
_STATES = "SELECT state, COUNT(*) FROM {schema}.sends GROUP BY state"
_LATEST_POST = "SELECT MAX(claimed_at) FROM {schema}.jobs WHERE body_digest <> ''"
_WITHOUT_JOB = """
    SELECT COUNT(*) FROM {schema}.sends s WHERE NOT EXISTS (
        SELECT 1 FROM {schema}.jobs j
        WHERE j.message = s.message AND j.revision = s.revision AND j.ordinal = s.ordinal)"""
_RENAMES = "SELECT at, detail FROM {schema}.events WHERE kind = 'rename' ORDER BY event"
_EVENTS_LEFT = """
    SELECT at, kind, detail FROM main.events EXCEPT SELECT at, kind, detail FROM copy.events ORDER BY at"""
_BESIDE = """
    FROM main.{table} s LEFT JOIN copy.{table} c ON {keys}"""
_PLACE = "CASE WHEN {side}.state = 'cancelled' AND {side}.taken_back = 'stop' THEN :barred ELSE {side}.state END"
#: How each send got from the ledger to the copy, counted by the way it went. That it was once given back for want of a
#: trace is forgotten only where absence counts no more.
_WAYS = f"""
    SELECT {_PLACE.format(side="s")}, {_PLACE.format(side="c")}, c.attempts - s.attempts, c.resends - s.resends,
        (c.ordinal > s.ordinal) - (c.ordinal < s.ordinal),
        COALESCE(c.released_from, 0) >= COALESCE(s.released_from, 0) OR :distrusted,
        COUNT(*), MIN(s.message || '@' || s.revision)"""
_BY_WAY = " GROUP BY 1, 2, 3, 4, 5, 6"
_LEFT = "SELECT COUNT(*), MIN(s.message || '@' || s.revision)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a ledger holds, on the whole."""

    #: Holds the secret of the refs.
    meta: Mapping[str, str] = field(repr=False)
    sends: int
    #: How many of the sends are in doubt.
    in_doubt: int
    #: When its latest POST was claimed; RFC 3339 in UTC, or None.
    latest: str | None

    @property
    def serial(self) -> int:
        """How many writes made it."""
        return int(self.meta["serial"])

    @property
    def keeps_hashes_alone(self) -> bool:
        """Whether no number is in it."""
        return are_hashed(self.meta)

    @property
    def binding(self) -> Binding:
        """What it belongs to."""
        return Binding(**{name: self.meta[name] for name in BINDING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What a push did."""

    #: What was there before; None where nothing was.
    before: Contents | None
    copy: Contents
    #: False where the ledger was the copy already, so that nothing was written.
    is_changed: bool


def look_through(run: Run, schema: str, name: str) -> Contents:
    """What the database `schema` holds; raises StateError, with the file's `name`, where it is not sound."""
    with named(name):
        ((application,),) = run(f"PRAGMA {schema}.application_id", {}).fetchall()
        if application != APPLICATION_ID:
            raise damaged(f"{name} is not a state of smsdeclare")
        ((verdict,),) = run(f"PRAGMA {schema}.integrity_check(1)", {}).fetchall()
        if verdict != "ok":
            raise damaged(f"{name}: its pages do not fit together")
        meta = checked(dict(run(f"SELECT name, value FROM {schema}.meta", {}).fetchall()), name)
        ((without,),) = run(_WITHOUT_JOB.format(schema=schema), {}).fetchall()
        if without:
            raise damaged(f"{name}: {without:,} sends lack their job")
        counts = dict(run(_STATES.format(schema=schema), {}).fetchall())
        odd = [word for word in counts if word not in set(State)]
        if odd:
            raise damaged(f"{name}: {odd[0]!r} is no state of a send")
        ((latest,),) = run(_LATEST_POST.format(schema=schema), {}).fetchall()
    return Contents(
        meta=meta,
        sends=sum(counts.values()),
        in_doubt=sum(counts.get(state, 0) for state in IN_DOUBT),
        latest=latest,
    )


def push(run: Run, name: str, before: Contents | None, wanted: Binding, at: str) -> Pushed:
    """Make `main`, which holds `before`, what the attached `copy` is, inside a transaction of the caller's.

    Raises StateError, with the copy's file `name`, where something would be forgotten by it, is in doubt, or belongs
    elsewhere. An empty service of `wanted` is any.
    """
    here = tables(run, "main")
    with blaming_the_copy():
        if tables(run, "copy") not in ({}, here):
            raise damaged(f"{name}: its tables are not those of a state")
        copy = look_through(run, "copy", name)
    wanted = wanted if wanted.service else wanted._replace(service=copy.binding.service)
    for where, contents in ((name, copy), ("the state", before)):
        if contents and contents.binding != wanted:
            raise _refused(codes.STATE_FOREIGN, f"{where}: {foreign(contents.binding, wanted).detail}")
    if before and not _leads_on(run, before, copy):
        return Pushed(before=before, copy=copy, is_changed=False)
    _take_over(run, here, before, copy, at)
    return Pushed(before=before, copy=copy, is_changed=True)


def tables(run: Run, schema: str) -> dict[str, list[str]]:
    """The columns of each table."""
    found: dict[str, list[str]] = {}
    for table, column in run(_TABLES.format(schema=schema), {}).fetchall():
        found.setdefault(table, []).append(column)
    return found


def _leads_on(run: Run, before: Contents, copy: Contents) -> bool:
    """Whether the copy has all that is on record, and more; False where it has the same.

    Raises StateError where it lacks something, or where somebody has to find out first what became of a send.
    """
    if copy.meta["lineage"] != before.meta["lineage"]:
        raise _refused(codes.COPY_UNRELATED, "their lineages differ")
    if copy.serial < before.serial:
        raise _refused(codes.COPY_OLDER, f"the copy's serial is {copy.serial}, the state's is {before.serial}")
    if copy.serial == before.serial:
        if any(_differs(run, table) for table in _KEYS):
            raise _refused(codes.COPY_FORKED, f"both have the serial {copy.serial}, yet they differ")
        return False
    doubts = [
        f"{where} has {contents.in_doubt:,}"
        for where, contents in (("the state", before), ("the copy", copy))
        if contents.in_doubt
    ]
    if doubts:
        raise _refused(codes.PUSH_IN_DOUBT, ", ".join(doubts))
    _follow_renames(run)
    lost = {
        "sends": _sends_left(run, is_distrusted="absence" in copy.meta),
        "jobs": _left(run, "jobs", _JOB),
        "completed revisions": _left(run, "completions", ()),
    }
    told = [f"{count:,} {what}, the first of message.{first}" for what, (count, first) in lost.items() if count]
    if told:
        raise _refused(codes.COPY_FORKED, f"the copy lacks or contradicts {'; '.join(told)}")
    return True


def _differs(run: Run, table: str) -> bool:
    """Whether the copy has not the very same rows."""
    here, there = (run(f"SELECT COUNT(*) FROM {schema}.{table}", {}).fetchall() for schema in ("main", "copy"))
    return here != there or _left(run, table, tables(run, "main")[table])[0] > 0


def _left(run: Run, table: str, columns: Sequence[str]) -> tuple[int, str | None]:
    """How many rows the copy lacks, or has with another value in one of the columns; and the message of one of them."""
    odd = "".join(f" OR c.{column} IS NOT s.{column}" for column in columns)
    ((count, first),) = run(f"{_LEFT}{_beside(table)} WHERE c.message IS NULL{odd}", {}).fetchall()
    return count, first


def _beside(table: str) -> str:
    """Each row of the ledger beside the copy's of the same key; one look into an index for each."""
    return _BESIDE.format(table=table, keys=" AND ".join(f"c.{key} = s.{key}" for key in _KEYS[table]))


def _sends_left(run: Run, *, is_distrusted: bool) -> tuple[int, str | None]:
    """How many sends the copy lacks, or has where no legal moves lead to; and the message of one of them."""
    count, first = 0, None
    values = {"barred": BARRED, "distrusted": is_distrusted}
    for before, after, *way, sends, place in run(f"{_WAYS}{_beside('sends')}{_BY_WAY}", values).fetchall():
        if after is None or not _is_later(before, after, *way):
            count, first = count + sends, first or place
    return count, first


def _is_later(before: str, after: str, claims: int, resends: int, ordinals: int, keeps_release: int) -> bool:
    """Whether a send got there by legal moves, with so many more claims and resends.

    `ordinals` is 1, 0 or -1: its job is a later one, the same or an earlier one. A claim, and nothing else, gives it a
    later one.
    """
    if min(claims, resends) < 0 or ordinals != (claims > 0) or not keeps_release:
        return False
    return after in later(before, min(claims, _STEPS), min(resends, _STEPS))


def _follow_renames(run: Run) -> None:
    """Give messages the names that they were given in the copy since; what is refused later undoes it."""
    done, known = (run(_RENAMES.format(schema=schema), {}).fetchall() for schema in ("main", "copy"))
    if known[: len(done)] != done:
        raise _refused(codes.COPY_FORKED, "a message was renamed here, and in the copy it was not")
    try:
        for _, detail in known[len(done) :]:
            names = json.loads(detail)
            for statement in (statements.RENAME_SENDS, statements.RENAME_JOBS, statements.RENAME_COMPLETIONS):
                run(statement, {"old": names["old"], "new": names["new"]})
    except (ValueError, KeyError, TypeError):
        raise damaged("a renaming in the copy can't be read") from None
    except sqlite3.IntegrityError:
        raise _refused(codes.COPY_FORKED, "a message was renamed in the copy to what is another one here") from None


def _take_over(run: Run, here: Mapping[str, list[str]], before: Contents | None, copy: Contents, at: str) -> None:
    """Put the copy's rows in place of all others; what must not be lost of these stays."""
    log = run(_EVENTS_LEFT, {}).fetchall()
    for table, columns in here.items():
        names = ", ".join(columns)
        run(f"DELETE FROM main.{table}", {})
        if table != "meta":
            run(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM copy.{table}", {})
    # Whoever holds the lease of the copy is not at work here.
    meta = {name: value for name, value in copy.meta.items() if name != "lease"}
    epochs = [int(meta["epoch"])]
    if before:
        meta |= {name: before.meta[name] for name in _STAYS if name in before.meta}
        epochs.append(int(before.meta["epoch"]))
    meta["epoch"] = str(max(epochs) + 1)
    for name, value in meta.items():
        run(statements.INSERT_META, {"name": name, "value": value})
    serials = {"from": before.serial if before else None, "to": copy.serial}
    for row in (*log, (at, "push", json.dumps(serials))):
        run(statements.INSERT_EVENT, dict(zip(("at", "kind", "detail"), row, strict=True)))


def _refused(code: Code, detail: str) -> StateError:
    return StateError(Diagnostic(code=code, detail=detail))
