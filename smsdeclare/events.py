"""Events: what the acting modules tell while they act, each after it is on record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smsdeclare.codes import Code
    from smsdeclare.jobs import Job
    from smsdeclare.records import Claim, Outcome, Posted


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDone:
    """One job has its outcome on record."""

    job: Job
    claim: Claim
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class JobMissed:
    """The time of a job passed before its turn came; its sends are recorded as missed."""

    job: Job
    sends: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A look at the provider is on record."""

    job: Posted
    #: Whose SMS was found.
    taken: int
    #: Who is proved to have none, and is free to be posted again.
    freed: int
    #: Who stays unknown: number → why.
    left: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """What the provider held of one job is taken back, or went out after all."""

    job: Posted
    #: Whose.
    cancelled: frozenset[str]
    #: Went out before it could be taken back.
    slipped: int
    #: Of which neither is certain yet.
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """Receipts of one job are on record."""

    job: Posted
    sends: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something is left to be done, or its fate is open, and the user should know why."""

    code: Code
    reason: str
    #: What to do next; empty where the code's help says it all.
    advice: str = ""
    query_id: str = ""
