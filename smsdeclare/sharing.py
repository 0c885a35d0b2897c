"""Which jobs a run takes next where several runs share a plan: each goes its own way, so that they seldom meet."""

from __future__ import annotations

import hashlib
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from smsdeclare.jobs import Job
    from smsdeclare.ledger import Ledger

#: So many jobs are put into an order of one's own at a time.
_BLOCK = 2000
#: For so many at a time the ledger is asked which of them others have taken: that costs less than claims in vain.
_GLANCE = 50


def apart(jobs: Iterable[Job], ledger: Ledger, name: str) -> Iterator[Job]:
    """The jobs, without those of which nothing is free any more, in an order that follows from the run's `name`.

    Only a claim says what is free; this saves claims in vain.
    """
    rest = iter(jobs)
    while block := list(islice(rest, _BLOCK)):
        block.sort(key=lambda job: _place(name, job))
        for start in range(0, len(block), _GLANCE):
            yield from _not_taken(block[start : start + _GLANCE], ledger)


def _place(name: str, job: Job) -> bytes:
    return hashlib.sha256(f"{name} {job.message} {job.revision} {job.numbers[0]}".encode()).digest()


def _not_taken(jobs: Sequence[Job], ledger: Ledger) -> Iterator[Job]:
    wanted: dict[tuple[str, int], list[str]] = {}
    for job in jobs:
        wanted.setdefault((job.message, job.revision), []).extend(job.numbers)
    taken = {(*revision, number) for revision, numbers in wanted.items() for number in ledger.taken(*revision, numbers)}
    for job in jobs:
        if not all((job.message, job.revision, number) in taken for number in job.numbers):
            yield job
