"""What became of the sends of one run: counted, and named only where somebody has to know which."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from smsdeclare.records import Key
from smsdeclare.states import State

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from smsdeclare.events import JobDone

_TAKEN = frozenset({State.ACCEPTED, State.SCHEDULED})


class Counted(NamedTuple):
    """Sends of one run."""

    #: Without those that took the place of another.
    fresh: Counter[State]
    #: Those that did.
    replaced: frozenset[Key]
    rejected: frozenset[Key]


def count(done: Sequence[JobDone], taken_back: Collection[Key], names: Callable[[str], Sequence[str]]) -> Counted:
    """What came of the jobs; what was taken or rejected stays so to the end of a run, so that no key is held for it."""
    fresh = Counter(state for event in done for state in event.outcome.states.values())
    replaced, rejected = set(), set()
    for event in done:
        for number, state in event.outcome.states.items():
            if state is State.REJECTED or (taken_back and state in _TAKEN):
                key = Key(event.claim.message, event.claim.revision, names(number)[0])
                if state is State.REJECTED:
                    rejected.add(key)
                elif key in taken_back:
                    replaced.add(key)
                    fresh[state] -= 1
    return Counted(fresh, frozenset(replaced), frozenset(rejected))
