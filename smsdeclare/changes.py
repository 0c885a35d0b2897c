"""Decisions → what a plan shows: changes, their counts, skipped rows, warnings."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

from smsdeclare import codes
from smsdeclare.agenda import NOTHING
from smsdeclare.decisions import Action
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.plan import Change, SkippedRow, Summary, Warned
from smsdeclare.records import ref
from smsdeclare.redaction import mask_text
from smsdeclare.schedule import is_too_close
from smsdeclare.sends import normalized
from smsdeclare.states import State
from smsdeclare.window import about

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence

    from smsdeclare.agenda import Agenda
    from smsdeclare.compare import Withdrawal
    from smsdeclare.decisions import Decisions, Group
    from smsdeclare.definitions import Message
    from smsdeclare.ledger import Ledger
    from smsdeclare.sends import MessageSends

_COSTS = frozenset({Action.SEND, Action.REPLACE})
#: Why somebody is left out whatever the message.
_BARRED = {
    codes.BLACKLISTED.id: "on the account's blacklist",
    codes.OPTED_OUT.id: "opted out, by `policy.optOut`",
}
_HAD = frozenset({State.ACCEPTED, State.DELIVERED})


def changes_of(
    one: MessageSends,
    decisions: Decisions,
    agenda: Agenda,
    *,
    others: Sequence[Group],
    todo: Sequence[Group],
    late: Sequence[Group],
    posts: int,
) -> Iterator[Change]:
    """One change for each action that some receiver of the message needs.

    `todo` are those that a run would post, `late` those whose time has passed, `posts` how many POSTs it would take;
    `others` are all that are not free.
    """

    def change(action: Action, groups: Sequence[Group], reason: str, posts: int = 0, edited: int = 0) -> Change:
        return _change(one, decisions, agenda, action, groups, posts, reason, edited)

    if late:
        why = " since quiet hours last beyond `expiresAt`" if agenda.delays(late) else ""
        yield change(Action.KEEP, late, f"too late for {_total(late):,}{why}; an apply records them as missed")
    fresh = [group for group in todo if group.verdict.action is Action.SEND]
    replaced = [group for group in todo if group.verdict.action is Action.REPLACE]
    unknown = [group for group in others if group.verdict.is_doubtful]
    busy = {group.cell for group in (*todo, *late) if group.verdict.held_until}
    done = [group for group in others if not group.verdict.is_doubtful and group.cell not in busy]
    if fresh:
        freed = _total(group for group in fresh if group.verdict.resends > 0)
        again = f"{freed:,} of {_total(fresh):,} freed by `resend`, to get it once more"
        reason = again if freed else f"{_receivers(_total(fresh))} not had it"
        yield change(Action.SEND, fresh, reason, 0 if replaced else posts)
    if replaced:
        reason = f"what is scheduled for {_total(replaced):,} was edited; it is taken back, seen gone, and sent anew"
        yield change(Action.REPLACE, replaced, reason, posts)
    if unknown:
        reason = f"it is not known whether {_total(unknown):,} went out; an apply asks the provider first"
        yield change(Action.SETTLE, unknown, reason)
    if done:
        edited = _total(group for group in done if group.verdict.edited)
        reason = _kept(done)
        if edited:
            reason += f", {edited:,} with an earlier text; raise `revision` to send it again"
        yield change(Action.KEEP, done, reason, edited=edited)


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
    message: Message, decisions: Decisions, barred: Sequence[Group], ledger: Ledger
) -> Iterator[SkippedRow]:
    """Who is left out whatever the message; a ref names them once there is a state."""
    # What the provider holds is counted by a warning.
    left = [group for group in barred if group.verdict.state is not State.SCHEDULED]
    for name, verdict in decisions.named(left, ledger):
        if code := verdict.left_out:
            yield SkippedRow(
                address=message.address,
                ref=ref(ledger.secret, message.name, message.revision, name) if ledger.secret else None,
                file=None,
                line=None,
                code=code.id,
                reason=_BARRED[code.id],
            )


def warnings_of(message: Message, others: Sequence[Group], now: datetime) -> Iterator[Diagnostic]:
    """What a reader should know of sends that are kept."""
    found = {
        codes.OPTED_OUT_HELD: [one for one in others if one.verdict.left_out and one.verdict.state is State.SCHEDULED],
        codes.REVISION_LOWERED: [one for one in others if one.verdict.superseded],
        codes.TAKEN_BACK: [one for one in others if one.verdict.is_barred],
        codes.TOO_CLOSE: [one for one in others if _is_going(one.verdict.held_until, now)],
    }
    for code, groups in found.items():
        if groups:
            yield Diagnostic(code=code, detail=f"{message.address}: for {_total(groups):,}", span=message.span)


def _is_going(held_until: str | None, now: datetime) -> bool:
    """Whether what is held is too close to its time, which has not come yet."""
    return held_until is not None and is_too_close(held_until, now) and datetime.fromisoformat(held_until) > now


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


def summarize(
    changes: Sequence[Change],
    skipped: int,
    missed: int,
    credits_left: float | None,
    pace: int | None = None,
    *,
    at_once: bool = False,
) -> Summary:
    """The counts of a plan, in sends; `pace`: how many requests at most are made a minute; `at_once`: none waits."""
    counts = Counter[Action]()
    for change in changes:
        counts[change.action] += change.receivers
    taken = round(sum(change.credits for change in changes), 6)
    posts = sum(change.posts for change in changes)
    return Summary(
        send=counts[Action.SEND],
        cancel=counts[Action.CANCEL],
        replace=counts[Action.REPLACE],
        keep=counts[Action.KEEP] - missed,
        missed=missed,
        skip=skipped,
        unknown=counts[Action.SETTLE],
        posts=posts,
        seconds_at_least=round((posts - 1) * 60 / pace, 1) if posts and pace and not at_once else None,
        seconds_about=about(posts) if posts and not pace and not at_once else None,
        credits=taken,
        credits_left=credits_left,
        credits_after=None if credits_left is None else round(credits_left - taken, 6),
        credits_exact=all(change.credits_exact for change in changes),
    )


def _change(
    one: MessageSends,
    decisions: Decisions,
    agenda: Agenda,
    action: Action,
    groups: Sequence[Group],
    posts: int,
    reason: str,
    edited: int,
) -> Change:
    encodings = Counter[str]()
    for group in groups:
        encodings[group.price.bill.encoding] += group.size
    parts = [group.price.bill.parts for group in groups]
    costs = action in _COSTS
    outlook = agenda.outlook(groups) if costs else NOTHING
    return Change(
        address=one.message.address,
        action=action,
        receivers=_total(groups),
        send_at=outlook.first,
        delayed=outlook.delayed,
        delayed_until=outlook.delayed_until,
        held_until=outlook.held_until,
        posts=posts,
        encoding="mixed" if len(encodings) > 1 else next(iter(encodings)),
        encodings={"gsm7": encodings["gsm7"], "unicode": encodings["unicode"]},
        parts={"min": min(parts), "max": max(parts)},
        credits=round(sum(group.credits for group in groups), 6) if costs else 0.0,
        credits_exact=all(group.price.exact for group in groups) if costs else True,
        sample=mask_text(one.sample),
        edited_since_sent=edited,
        reason=reason,
        normalized=normalized(decisions.swapped(groups)) if costs else None,
    )


def _kept(done: Sequence[Group]) -> str:
    """Who had it, and where the others stand: on record, or held at a lower revision."""
    others = Counter[str]()
    for group in done:
        if not (group.verdict.superseded or group.verdict.state in _HAD):
            others[(group.verdict.state or State.SCHEDULED).value] += group.size
    had = _total(done) - others.total()
    told = [f"{_receivers(had)} had it"] if had else []
    return ", ".join([*told, *(f"{count:,} {status}" for status, count in sorted(others.items()))])


def _total(groups: Iterable[Group]) -> int:
    return sum(group.size for group in groups)


def _receivers(count: int) -> str:
    return "1 receiver has" if count == 1 else f"{count:,} receivers have"
