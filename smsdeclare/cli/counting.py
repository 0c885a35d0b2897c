"""What became of the sends of one run: counted as it comes, and named only where somebody has to know which."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from smsdeclare.records import Key
from smsdeclare.states import State

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from smsdeclare.events import JobDone

_TAKEN = frozenset({State.ACCEPTED, State.SCHEDULED})
#: So many jobs are kept, to show them.
_KEPT = 3


@dataclass(slots=True)
class Count:
    """What came of the jobs so far. None but the first few is held: there may be a million."""

    jobs: int = 0
    first: list[JobDone] = field(default_factory=list)
    #: Where the answers left the sends.
    states: Counter[State] = field(default_factory=Counter)
    #: Sends that took the place of what was taken back before.
    replaced: dict[Key, State] = field(default_factory=dict)
    rejected: set[Key] = field(default_factory=set)
    #: What the provider said that it took, and what the plan had said of the same jobs.
    credits: float = 0.0
    planned: float = 0.0

    def add(self, event: JobDone, taken_back: Collection[Key], names: Callable[[str], Sequence[str]]) -> None:
        """One more job."""
        self.jobs += 1
        if len(self.first) < _KEPT:
            self.first.append(event)
        if event.outcome.credits is not None:
            # Rounded each time: what a million additions get wrong would show.
            self.credits = round(self.credits + event.outcome.credits, 6)
            self.planned = round(self.planned + event.job.credits, 6)
        states = Counter(event.outcome.states.values())
        self.states += states
        if taken_back or State.REJECTED in states:
            self._name(event, taken_back, names)

    def _name(self, event: JobDone, taken_back: Collection[Key], names: Callable[[str], Sequence[str]]) -> None:
        for number, state in event.outcome.states.items():
            key = Key(event.claim.message, event.claim.revision, names(number)[0])
            if state is State.REJECTED:
                self.rejected.add(key)
            elif state in _TAKEN and key in taken_back:
                self.replaced[key] = state

    @property
    def fresh(self) -> Counter[State]:
        """Where those were left that took no other's place."""
        return self.states - Counter(self.replaced.values())
