"""Decisions → what a plan shows: changes, their counts, skipped rows, warnings."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

from smsdeclare import codes
from smsdeclare.agenda import NOTHING
from smsdeclare.compare import Action
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.plan import Change, SkippedRow, Summary, Warned
from smsdeclare.records import ref
from smsdeclare.redaction import mask_text
from smsdeclare.schedule import is_too_close
from smsdeclare.sends import normalized
from smsdeclare.states import State

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from smsdeclare.agenda import Agenda
    from smsdeclare.codes import Code
    from smsdeclare.compare import Decision, Withdrawal
    from smsdeclare.definitions import Message
    from smsdeclare.ledger import Ledger
    from smsdeclare.sends import MessageSends, Send

_COSTS = frozenset({Action.SEND, Action.REPLACE})
#: Why somebody is left out whatever the message.
_BARRED = {
    codes.BLACKLISTED.id: "on the account's blacklist",
    codes.OPTED_OUT.id: "opted out, by `policy.optOut`",
}
_HAD = frozenset({State.ACCEPTED, State.DELIVERED})


def changes_of(
    one: MessageSends,
    decisions: Sequence[Decision],
    agenda: Agenda,
    *,
    todo: Sequence[Decision],
    late: Sequence[Decision],
    posts: int,
) -> Iterator[Change]:
    """One change for each action that some receiver of the message needs.

    `todo` are those that a run would post, `late` those whose time has passed, `posts` how many POSTs it would take;
    `decisions` are all that are not free.
    """
    if late:
        why = " since quiet hours last beyond `expiresAt`" if agenda.delays(decision.send for decision in late) else ""
        reason = f"too late for {len(late):,}{why}; an apply records them as missed"
        yield _change(one, agenda, Action.KEEP, [decision.send for decision in late], 0, reason)
    fresh = [decision.send for decision in todo if decision.action is Action.SEND]
    replaced = [decision.send for decision in todo if decision.action is Action.REPLACE]
    unknown = [decision.send for decision in decisions if decision.is_doubtful]
    busy = {id(decision) for decision in (*todo, *late) if decision.held_until}
    done = [one for one in decisions if not one.is_doubtful and id(one) not in busy]
    if fresh:
        freed = sum(decision.resends > 0 for decision in todo if decision.action is Action.SEND)
        again = f"{freed:,} of {len(fresh):,} freed by `resend`, to get it once more"
        reason = again if freed else f"{_receivers(len(fresh))} not had it"
        yield _change(one, agenda, Action.SEND, fresh, 0 if replaced else posts, reason)
    if replaced:
        reason = f"what is scheduled for {len(replaced):,} was edited; it is taken back, seen gone, and sent anew"
        yield _change(one, agenda, Action.REPLACE, replaced, posts, reason)
    if unknown:
        reason = f"it is not known whether {len(unknown):,} went out; an apply asks the provider first"
        yield _change(one, agenda, Action.SETTLE, unknown, 0, reason)
    if done:
        edited = sum(decision.edited for decision in done)
        reason = _kept(done)
        if edited:
            reason += f", {edited:,} with an earlier text; raise `revision` to send it again"
        yield _change(one, agenda, Action.KEEP, [decision.send for decision in done], 0, reason, edited)


def changes_without_text(
    ledger: Ledger, held: Iterable[Withdrawal], planned: Container[tuple[str, str]]
) -> Iterator[Change]:
    """Changes for what today's files do not ask for; `planned` are names and numbers of doubts that they do ask for."""
    counts = Counter(f"message.{each.message}@{each.revision}" for each in held)
    for address, count in sorted(counts.items()):
        reason = f"the files no longer ask for {count:,} that the provider holds"
        yield _change_without_text(address, Action.CANCEL, count, reason)
    left = Counter(record.address for record in ledger.in_doubt() if (record.message, record.number) not in planned)
    for address, count in sorted(left.items()):
        reason = f"it is not known whether {count:,} went out; the files no longer ask for them"
        yield _change_without_text(address, Action.SETTLE, count, reason)


def _change_without_text(address: str, action: Action, count: int, reason: str) -> Change:
    """A change for sends that today's files do not ask for."""
    return Change(
        address=address,
        action=action,
        receivers=count,
        send_at=None,
        posts=0,
        encoding="gsm7",
        encodings={"gsm7": 0, "unicode": 0},
        parts={"min": 0, "max": 0},
        credits=0.0,
        credits_exact=True,
        sample="",
        edited_since_sent=0,
        reason=reason,
    )


def skipped_rows(one: MessageSends) -> Iterator[SkippedRow]:
    """The rows of a message that nobody is written to for."""
    for row in one.findings.skipped:
        yield SkippedRow(
            address=one.message.address,
            ref=None,
            file=row.span.file,
            line=row.span.line,
            code=row.code.id,
            reason=row.reason,
        )


def closed_row(message: Message) -> SkippedRow:
    """A receiver who joined too late; which one, stays untold."""
    return SkippedRow(
        address=message.address,
        ref=None,
        file=None,
        line=None,
        code=codes.REVISION_CLOSED.id,
        reason="joined after the revision was closed",
    )


def barred_rows(
    message: Message, barred: Iterable[Decision], why: Mapping[str, Code], secret: bytes | None
) -> Iterator[SkippedRow]:
    """Who is left out whatever the message; a ref names them once there is a state."""
    for decision in barred:
        if decision.state is State.SCHEDULED:
            # The provider holds it; a warning counts these.
            continue
        code = why[decision.send.number]
        yield SkippedRow(
            address=message.address,
            ref=ref(secret, message.name, message.revision, decision.name) if secret else None,
            file=None,
            line=None,
            code=code.id,
            reason=_BARRED[code.id],
        )


def warnings_of(
    message: Message, decisions: Sequence[Decision], now: datetime, barred: Container[str]
) -> Iterator[Diagnostic]:
    """What a reader should know of sends that are kept."""
    found = (
        (
            codes.OPTED_OUT_HELD,
            sum(one.state is State.SCHEDULED and one.send.number in barred for one in decisions),
        ),
        (codes.REVISION_LOWERED, sum(one.superseded for one in decisions)),
        (codes.TAKEN_BACK, sum(one.is_barred for one in decisions)),
        (
            codes.TOO_CLOSE,
            sum(
                one.held_until is not None
                and is_too_close(one.held_until, now)
                and datetime.fromisoformat(one.held_until) > now
                for one in decisions
            ),
        ),
    )
    for code, count in found:
        if count:
            yield Diagnostic(code=code, detail=f"{message.address}: for {count:,}", span=message.span)


def warned(finding: Diagnostic) -> Warned:
    """A finding as plans carry it."""
    span = finding.span
    return Warned(
        code=finding.code.id,
        message=mask_text(finding.message),
        file=span.file if span else None,
        line=span.line if span else None,
        column=span.column if span else None,
    )


def summarize(changes: Sequence[Change], skipped: int, missed: int, credits_left: float | None) -> Summary:
    """The counts of a plan, in sends."""
    counts = Counter[Action]()
    for change in changes:
        counts[change.action] += change.receivers
    taken = round(sum(change.credits for change in changes), 6)
    return Summary(
        send=counts[Action.SEND],
        cancel=counts[Action.CANCEL],
        replace=counts[Action.REPLACE],
        keep=counts[Action.KEEP] - missed,
        missed=missed,
        skip=skipped,
        unknown=counts[Action.SETTLE],
        posts=sum(change.posts for change in changes),
        credits=taken,
        credits_left=credits_left,
        credits_after=None if credits_left is None else round(credits_left - taken, 6),
        credits_exact=all(change.credits_exact for change in changes),
    )


def _change(
    one: MessageSends, agenda: Agenda, action: Action, chosen: Sequence[Send], posts: int, reason: str, edited: int = 0
) -> Change:
    encodings = Counter(send.text.bill.encoding for send in chosen)
    parts = [send.text.bill.parts for send in chosen]
    costs = action in _COSTS
    outlook = agenda.outlook(chosen) if costs else NOTHING
    return Change(
        address=one.message.address,
        action=action,
        receivers=len(chosen),
        send_at=outlook.first,
        delayed=outlook.delayed,
        delayed_until=outlook.delayed_until,
        held_until=outlook.held_until,
        posts=posts,
        encoding="mixed" if len(encodings) > 1 else next(iter(encodings)),
        encodings={"gsm7": encodings["gsm7"], "unicode": encodings["unicode"]},
        parts={"min": min(parts), "max": max(parts)},
        credits=round(sum(send.credits for send in chosen), 6) if costs else 0.0,
        credits_exact=all(send.credits_exact for send in chosen) if costs else True,
        sample=mask_text(one.sample),
        edited_since_sent=edited,
        reason=reason,
        normalized=normalized(Counter(send.text for send in chosen if send.text.swaps)) if costs else None,
    )


def _kept(done: Sequence[Decision]) -> str:
    """Who had it, and where the others stand: on record, or held at a lower revision."""
    others = Counter(
        each.state.value if each.state else State.SCHEDULED.value
        for each in done
        if not (each.superseded or each.state in _HAD)
    )
    had = len(done) - others.total()
    told = [f"{_receivers(had)} had it"] if had else []
    return ", ".join([*told, *(f"{count:,} {status}" for status, count in sorted(others.items()))])


def _receivers(count: int) -> str:
    return "1 receiver has" if count == 1 else f"{count:,} receivers have"
