"""Erasing: numbers leave a ledger, in one transaction that raises the epoch; what keeps an SMS from going out stays."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import StateError
from smsdeclare.ledgers import erasing_statements, statements
from smsdeclare.ledgers.moving import Moving, check_not_moved, set_features
from smsdeclare.ledgers.naming import HASHES, erasing_meta, hashing_meta
from smsdeclare.ledgers.writes import at_once
from smsdeclare.records import ERASED, ref
from smsdeclare.redaction import mask_text
from smsdeclare.states import IN_DOUBT, State

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from smsdeclare.ledgers.upkeep import Run
    from smsdeclare.records import Key

#: Whose fate is open, or whom the provider still holds something for.
OPEN = IN_DOUBT | {State.SCHEDULED}
#: So many sends that can't be erased are named.
_NAMED = 20
#: The events whose details name sends, or hold words of people.
_NAMING = frozenset({"resend", "resolve", "stop"})
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")


class Erasing(Moving):
    """Nothing here makes a send free: whoever was sent an SMS stays on record, as a hash."""

    @at_once
    def hash_numbers(self, at: str) -> int:
        """Put hashes in place of all numbers, as one durable transaction that raises the epoch; of how many sends.

        Raises StateError, and changes nothing, where it keeps none already, or where a send is in doubt.
        """
        if self.are_hashed:
            raise StateError(Diagnostic(code=codes.NUMBERS_DIFFER, detail="it holds hashes alone already"))
        with self._erasing() as run:
            ((doubtful,),) = run(erasing_statements.COUNT_ALL_IN_DOUBT, {}).fetchall()
            if doubtful:
                raise StateError(Diagnostic(code=codes.ERASE_OPEN, detail=f"{doubtful:,} sends are unknown"))
            self.check_key()
            to_hash = self._begin_hashing(run, hashing_meta(self._numbers, self._meta["lineage"]))
            sends = run(erasing_statements.NUMBERS, {}).fetchall()
            for message, revision, number in sends:
                key = {"message": message, "revision": revision, "number": number}
                run(erasing_statements.PUT_HASH, {**key, "name": to_hash(number)})
            for (reason,) in run(erasing_statements.ALL_REASONS, {}).fetchall():
                if (said := mask_text(reason)) != reason:
                    run(erasing_statements.SET_REASON, {"reason": reason, "said": said})
            numbers = {number: to_hash(number) for _, _, number in sends}
            self._rewrite_events(run, numbers)
            stopped = run(statements.READ_STOPPED, {}).fetchone()
            if stopped:
                run(statements.DELETE_STOPPED, {})
                run(statements.INSERT_META, {"name": "stopped", "value": _rewritten(stopped[0], {})})
            self._end(run, at, "hash numbers", {"sends": len(sends)})
        return len(sends)

    @at_once
    def erase(self, keys: Collection[Key], at: str, kind: str) -> int:
        """Erase who got these sends, as one durable transaction that raises the epoch; how many.

        What was never sent is never sent then. The event is of this `kind`. Raises StateError, with all that stand in
        the way, and changes nothing, where one is in doubt or held.
        """
        with self._erasing() as run:
            meta = {} if self.has_hashes else erasing_meta(self._numbers, self._meta["lineage"])
            to_hash = self._begin_hashing(run, meta)
            erase, count = erasing_statements.erase(tuple(sorted(OPEN))), 0
            open_ones: dict[Key, str] = {}
            erased: dict[str, str] = {}
            for key in sorted(keys):
                name = to_hash(key.number)
                if run(erase, {**key._asdict(), "name": name, "erased": ERASED}).rowcount:
                    erased[key.number], count = name, count + 1
                    continue
                found = run(statements.READ_STATE, key._asdict()).fetchone()
                if found and found[0] in OPEN:
                    open_ones[key] = found[0]
            if open_ones:
                raise StateError(*self._in_the_way(open_ones))
            run(erasing_statements.ERASE_IDS, {"erased": ERASED})
            self._rewrite_events(run, erased, touching=erased)
            self._end(run, at, kind, {"sends": count})
        return count

    def _begin_hashing(self, run: Run, meta: Mapping[str, str]) -> Callable[[str], str]:
        """Write these rows of `meta`, and that older versions must leave it alone; what hashes a number."""
        set_features(run, add=HASHES)
        for name, value in meta.items():
            run(erasing_statements.DELETE_META, {"name": name})
            run(statements.INSERT_META, {"name": name, "value": value})
        return self._hashing({**self._meta, **meta})

    @staticmethod
    def _rewrite_events(run: Run, names: Mapping[str, str], touching: Collection[str] | None = None) -> None:
        """Put names in place of numbers in events; in all of them, or those that are `touching` some numbers."""
        for event, kind, detail in run(erasing_statements.EVENTS, {}).fetchall():
            if kind in _NAMING and (touching is None or not set(_NUMBER.findall(detail)).isdisjoint(touching)):
                run(erasing_statements.SET_EVENT, {"event": event, "detail": _rewritten(detail, names)})

    def _end(self, run: Run, at: str, kind: str, detail: Mapping[str, Any]) -> None:
        run(statements.RAISE_EPOCH, {})
        run(statements.INSERT_EVENT, {"at": at, "kind": kind, "detail": json.dumps(detail)})

    def _in_the_way(self, open_ones: Mapping[Key, str]) -> Iterator[Diagnostic]:
        secret = bytes.fromhex(self._meta["secret"])
        for key, state in list(open_ones.items())[:_NAMED]:
            word = State.UNKNOWN if state == State.INTENDED else state
            detail = f"{key.address}#{ref(secret, *key)} is {word}"
            yield Diagnostic(code=codes.ERASE_OPEN, detail=detail)
        if len(open_ones) > _NAMED:
            yield Diagnostic(code=codes.ERASE_OPEN, detail=f"and {len(open_ones) - _NAMED:,} more")

    @contextmanager
    def _erasing(self) -> Iterator[Run]:
        """A transaction after which nothing is left of the old rows, as far as the engine can say so."""
        with self._transaction() as run:
            # Somebody may have begun to move it since it was opened: what is erased here would live on there.
            check_not_moved(run(statements.READ_MOVE, {}).fetchall())
            yield run
        self._meta = self._read_meta()


def _rewritten(detail: str, names: Mapping[str, str]) -> str:
    """An event's JSON with names in place of numbers, and numbers masked in what people said."""
    try:
        return json.dumps(_walk(json.loads(detail), names))
    except ValueError:
        return mask_text(detail)


def _walk(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, list):
        return [_walk(one, names) for one in value]
    if isinstance(value, dict):
        return {name: mask_text(str(one)) if name == "reason" else _walk(one, names) for name, one in value.items()}
    return value
