"""The guard: notice, before anything is posted, that the state is old, copied, or not the only one.

A job's tag follows from its ordinal alone. So an SMS at the provider under a tag that this state has not given out yet
was sent by a state that knows more. Blind for what is not listed yet, and for what the provider still holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import StateError
from smsdeclare.events import Trouble
from smsdeclare.provider import Forbidden

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smsdeclare.jobs import Job
    from smsdeclare.ledger import Claims
    from smsdeclare.provider import Provider

#: So many tags ahead are looked for: more than jobs may be missing in a row without one that was taken.
_DEPTH = 3


@dataclass(slots=True)
class Guard:
    """The guard of one run: it looks once for each revision, and not at all once the credentials may not look."""

    ledger: Claims
    provider: Provider
    _passed: set[tuple[str, int]] = field(default_factory=set)
    _may_look: bool = True

    def must_look(self, job: Job) -> bool:
        """Whether it has to look before this job is claimed, which takes a while."""
        return self._may_look and (job.message, job.revision) not in self._passed

    def check(self, job: Job) -> Iterator[Trouble]:
        """Raises StateError where the provider has SMS under tags to come, and ProviderError where it can't say."""
        if not self.must_look(job):
            return
        try:
            for tag in self.ledger.next_tags(job.message, job.revision, _DEPTH):
                # Another run on this state may have given it out since.
                if self.provider.sent(tag) and not self.ledger.has_given_out(tag):
                    raise StateError(Diagnostic(code=codes.STATE_OLD, detail=f"message.{job.message}@{job.revision}"))
            self._passed.add((job.message, job.revision))
        except Forbidden as error:
            self._may_look = False
            yield Trouble(code=codes.CANT_LOOK, reason=error.diagnostics[0].detail)
