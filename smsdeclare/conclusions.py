"""What answers mean for the rest of a run: how many jobs may be in flight, of which messages, and whether any."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from smsdeclare import codes
from smsdeclare.events import Trouble
from smsdeclare.outcomes import trouble
from smsdeclare.provider import Accepted, InDoubt, Refused, Unreached
from smsdeclare.states import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smsdeclare.codes import Code
    from smsdeclare.jobs import Job
    from smsdeclare.outcomes import Answer
    from smsdeclare.records import Outcome
    from smsdeclare.window import Window

#: After so many answers in doubt in a row a run posts nothing more.
DOUBTS_IN_A_ROW = 3


@dataclass(slots=True, kw_only=True)
class Conclusions:
    """What was concluded so far; it only ever takes away from what may be posted."""

    window: Window
    has_ended: bool = False
    failure: Exception | None = None
    #: Of troubles that end a run: each kind is told once, however many jobs met it.
    told: set[Code] = field(default_factory=set)
    #: Messages and revisions whose request the provider calls bad.
    bad: set[tuple[str, int]] = field(default_factory=set)
    #: Answers in doubt in a row.
    doubts: int = 0

    def allow(self, job: Job) -> bool:
        """Whether nothing is known against posting this one."""
        return not self.has_ended and (job.message, job.revision) not in self.bad

    def fail(self, error: Exception) -> None:
        """Post nothing more; the first error is the run's."""
        self.failure = self.failure or error
        self.has_ended = True

    def draw(self, job: Job, answer: Answer, became: Outcome, seconds: float) -> Iterator[Trouble]:
        """Conclude from the answer to a POST that took so long; what is to be told of it."""
        if isinstance(answer, Accepted) and State.UNKNOWN not in became.states.values():
            self.window.clean(seconds)
        else:
            self.window.close()
        if isinstance(answer, Unreached) or (isinstance(answer, Refused) and answer.ends_run):
            yield from self.end(trouble(answer))
        elif isinstance(answer, Refused) and (job.message, job.revision) not in self.bad:
            # A bad request is its message's own affair: the rest of that message would be refused as well.
            self.bad.add((job.message, job.revision))
            why = trouble(answer)
            yield replace(why, reason=f"message.{job.message}@{job.revision}: {why.reason}")
        self.doubts = self.doubts + 1 if isinstance(answer, InDoubt) else 0
        if self.doubts == DOUBTS_IN_A_ROW:
            reason = (
                f"{DOUBTS_IN_A_ROW} answers in a row left it open whether the SMS were taken, so no more was posted"
            )
            yield from self.end(Trouble(code=codes.OUTCOME_UNKNOWN, reason=reason))

    def end(self, why: Trouble) -> Iterator[Trouble]:
        """Post nothing more, and tell why, once."""
        self.has_ended = True
        if why.code not in self.told:
            self.told.add(why.code)
            yield why
