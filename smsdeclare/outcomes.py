"""Answers to a POST → what became of each send."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from smsdeclare import codes
from smsdeclare.clock import timestamp
from smsdeclare.errors import ProviderError
from smsdeclare.events import Trouble
from smsdeclare.provider import Accepted, InDoubt, Refused, Unreached
from smsdeclare.records import Outcome
from smsdeclare.states import State

if TYPE_CHECKING:
    from smsdeclare.provider import Provider
    from smsdeclare.records import Claim

Answer = Accepted | Refused | Unreached | InDoubt


def outcome(claim: Claim, answer: Answer, at: str) -> Outcome:
    """What the answer means for each receiver of the claim."""
    match answer:
        case Accepted():
            return Outcome(
                states=_sort_out(claim, answer, State.SCHEDULED if claim.send_at else State.ACCEPTED),
                at=at,
                reasons={
                    State.REJECTED: "the provider does not take this receiver",
                    State.UNKNOWN: "the provider's report does not say",
                },
                credits=answer.credits,
                ids=answer.ids,
                query_id=answer.query_id,
            )
        case Refused():
            states = dict.fromkeys(claim.numbers, State.NOT_SENT)
            return Outcome(states=states, at=at, reasons={State.NOT_SENT: _reason(answer)}, query_id=answer.query_id)
        case Unreached():
            states = dict.fromkeys(claim.numbers, State.NOT_SENT)
            return Outcome(states=states, at=at, reasons={State.NOT_SENT: answer.reason})
        case InDoubt():
            states = dict.fromkeys(claim.numbers, State.UNKNOWN)
            return Outcome(states=states, at=at, reasons={State.UNKNOWN: answer.reason}, query_id=answer.query_id)


def looked_for(
    claim: Claim, answer: Refused, provider: Provider, *, has_waited: bool, may_be_held: bool = False
) -> Outcome:
    """What became of a job that was answered 429, after the pause that the provider wanted.

    That it limits before it processes is not proved. A look that fails leaves it open, and so does one for what the
    provider would hold: that stands in another list, which knows no tags. What it may
    hold unasked is looked for there, and first, since it moves from there to what was sent.
    """
    states = dict.fromkeys(claim.numbers, State.UNKNOWN)
    with suppress(ProviderError):
        has_waited &= not (may_be_held and _holds_any(claim, provider))
        seen = {one.receiver for one in provider.sent(claim.tag)}
        if claim.send_at is None and has_waited:
            states = {number: State.ACCEPTED if number in seen else State.NOT_SENT for number in claim.numbers}
    return Outcome(
        states=states,
        at=timestamp(provider.now()),
        reasons={
            State.NOT_SENT: _reason(answer),
            State.UNKNOWN: f"{_reason(answer)}; it could not be seen whether it was taken",
        },
        query_id=answer.query_id,
    )


def _holds_any(claim: Claim, provider: Provider) -> bool:
    """Whether something is held for one of the receivers, or for whom can't be read."""
    return any(one.receiver in claim.numbers or not one.receiver.startswith("+") for one in provider.held())


def trouble(answer: Refused | Unreached) -> Trouble:
    """What to tell of an answer that leaves the job to be posted."""
    if isinstance(answer, Unreached):
        return Trouble(code=codes.PROVIDER_UNREACHABLE, reason=answer.reason)
    return Trouble(code=answer.code, reason=answer.message, advice=answer.advice, query_id=answer.query_id)


def _reason(answer: Refused) -> str:
    return f"{answer.status} {answer.message}".strip()


def _sort_out(claim: Claim, report: Accepted, taken: State) -> dict[str, State]:
    """Each receiver stands in exactly one list of the report, or nobody knows; a stranger spoils the report."""
    valid, invalid = set(report.valid), set(report.invalid)
    if not (valid | invalid) <= set(claim.numbers):
        return dict.fromkeys(claim.numbers, State.UNKNOWN)
    return {
        number: State.UNKNOWN
        if (number in valid) == (number in invalid)
        else taken
        if number in valid
        else State.REJECTED
        for number in claim.numbers
    }
