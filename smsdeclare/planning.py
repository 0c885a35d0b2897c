"""Definitions + ledger → a plan, and the sends that carrying it out would post."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from smsdeclare import codes, plan, policy, sends
from smsdeclare.clock import timestamp
from smsdeclare.compare import Action, Decision, compare
from smsdeclare.diagnostics import Diagnostic, by_place
from smsdeclare.errors import InputError
from smsdeclare.jobs import Job, group
from smsdeclare.plan import Change, Plan, SkippedRow, Summary, Violation, Warned
from smsdeclare.redaction import mask_text
from smsdeclare.schedule import Fate, fate
from smsdeclare.targets import select

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from smsdeclare.definitions import Definitions, Message
    from smsdeclare.ledger import Ledger
    from smsdeclare.records import Binding, Record
    from smsdeclare.sends import MessageSends, Send


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """Sends of one message whose time has passed."""

    message: Message
    sends: tuple[Send, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A plan worked out, and what is left to post of it."""

    plan: Plan
    #: In the order in which they are posted.
    jobs: tuple[Job, ...]
    #: Old and new names of messages whose history an apply takes along.
    renames: tuple[tuple[str, str], ...]
    #: What is too late; an apply records it.
    missed: tuple[Missed, ...]
    #: Every send whose fate is open.
    in_doubt: tuple[Record, ...]
    #: The messages and revisions of the plan.
    revisions: tuple[tuple[str, int], ...]
    #: How many sends were left out because they are done already.
    kept: int


def expand(definitions: Definitions) -> list[MessageSends]:
    """Every message for each of its receivers; raises InputError with the problems of all messages at once."""
    expanded = []
    problems: list[Diagnostic] = []
    for message in definitions.messages:
        try:
            expanded.append(sends.expand(definitions, message))
        except InputError as error:
            problems.extend(error.diagnostics)
    if problems:
        raise InputError(*by_place(problems))
    return expanded


def work_out(
    definitions: Definitions,
    expanded: Iterable[MessageSends],
    ledger: Ledger,
    binding: Binding,
    *,
    now: datetime,
    credits_left: float | None = None,
    approved: str | None = None,
    margin: timedelta = timedelta(),
    variables: Mapping[str, str] | None = None,
    targets: Sequence[str] = (),
    shown_targets: Sequence[str] | None = None,
) -> Draft:
    """Compare with the ledger and say what would be done.

    `approved` is the digest of an approved plan whose own sends count as not yet done; see `compare`. `margin` is how
    long a signed request may travel; see `schedule.fate`. `targets` are addresses to which the plan is limited, and
    `shown_targets` how the plan itself names them.
    """
    changes: list[Change] = []
    skipped: list[SkippedRow] = []
    found: list[Diagnostic] = list(definitions.warnings)
    jobs: list[Job] = []
    lines: list[bytes] = []
    settling: set[tuple[str, str]] = set()
    intended: list[Send] = []
    violations: list[Violation] = []
    missed: list[Missed] = []
    expanded = select(list(expanded), targets, ledger.secret)
    renamed = _renames(definitions, [one.message for one in expanded], ledger)
    found += [Diagnostic(code=codes.RENAME_PENDING, detail=f"of `{old}` by `{new}`") for new, old in renamed.items()]
    for one in expanded:
        message = one.message
        on_record = renamed.get(message.name, message.name)
        decisions = list(compare(one, ledger, approved, on_record))
        lines += [plan.line(message, decision) for decision in decisions if decision.action is Action.SEND]
        fates = _fates(one, decisions, ledger, on_record, now, margin)
        todo = fates[Fate.POST]
        # What is too late or closed takes nothing; what is done under the approved plan has its share in it.
        done = [one.send for one in decisions if one.action is Action.SEND and not one.is_free]
        counted = [*todo, *done]
        intended += counted
        before = ledger.credits_taken(on_record, message.revision, but=approved)
        is_done = bool(decisions) and not counted
        violations += policy.judge_message(
            definitions, message, one.findings, counted, is_done=is_done, taken_before=before
        )
        missed += [Missed(message=message, sends=tuple(fates[Fate.MISSED]))] if fates[Fate.MISSED] else []
        skipped += [_closed(message)] * len(fates[Fate.CLOSED])
        posts = list(group(message, todo, definitions.provider.receivers_per_job))
        jobs += posts
        changes += _changes(one, decisions, fates, len(posts))
        settling.update((on_record, decision.send.number) for decision in decisions if decision.is_doubtful)
        found += one.findings.warnings
        superseded = sum(decision.superseded for decision in decisions)
        if superseded:
            found.append(_lowered(message, superseded))
        held = sum(decision.held for decision in decisions)
        if held:
            detail = f"{message.address}: for {held:,}"
            found.append(Diagnostic(code=codes.STILL_HELD, detail=detail, span=message.span))
        skipped += [
            SkippedRow(
                address=message.address,
                ref=None,
                file=row.span.file,
                line=row.span.line,
                code=row.code.id,
                reason=row.reason,
            )
            for row in one.findings.skipped
        ]
    in_doubt = tuple(ledger.in_doubt())
    left = Counter(record.address for record in in_doubt if (record.message, record.number) not in settling)
    changes += [_left_files(address, count) for address, count in sorted(left.items())]
    worked_out = Plan(
        project=binding.project,
        provider=binding.provider,
        endpoint=binding.endpoint,
        service=binding.service,
        digest=plan.digest(lines),
        created_at=timestamp(now),
        changes=tuple(changes),
        skipped=tuple(skipped),
        warnings=tuple(_warned(finding) for finding in by_place(found)),
        violations=(*policy.judge_plan(definitions, intended), *violations),
        summary=_summary(changes, len(skipped), sum(len(one.sends) for one in missed), credits_left),
        variables=dict(variables or {}),
        targets=tuple(targets if shown_targets is None else shown_targets),
    )
    return Draft(
        plan=worked_out,
        jobs=tuple(jobs),
        renames=tuple((old, new) for new, old in renamed.items()),
        missed=tuple(missed),
        revisions=tuple((one.message.name, one.message.revision) for one in expanded),
        in_doubt=in_doubt,
        kept=worked_out.summary.keep,
    )


def _renames(definitions: Definitions, messages: Sequence[Message], ledger: Ledger) -> dict[str, str]:
    """New name → the name its history still has in the ledger.

    Raises InputError for a name that is new to the ledger and has the text of one that has left the files, since it
    would go to everybody again, and for names among which it is not clear whose history is whose.
    """
    found: dict[str, str] = {}
    problems: list[Diagnostic] = []
    left = ledger.left_texts(definitions.names)
    for message in messages:
        old, has_history = message.renamed_from, bool(ledger.revisions(message.name))
        if old is None and not has_history and message.template_digest in left:
            detail = f"`{message.name}` has the text of `{left[message.template_digest]}`, which has left the files"
            problems.append(Diagnostic(code=codes.RENAMED, detail=detail, span=message.span))
        if old is None or old == "none":
            continue
        why = ""
        if old in definitions.names:
            why = f"`{old}` is still in the files"
        elif old in found.values():
            why = f"`{old}` is taken by another message"
        elif has_history and ledger.revisions(old):
            why = f"`{message.name}` and `{old}` both have a history"
        if why:
            problems.append(Diagnostic(code=codes.RENAME_UNCLEAR, detail=why, span=message.span))
        elif not has_history and ledger.revisions(old):
            found[message.name] = old
    if problems:
        raise InputError(*problems)
    return found


def _fates(
    one: MessageSends, decisions: list[Decision], ledger: Ledger, on_record: str, now: datetime, margin: timedelta
) -> dict[Fate, list[Send]]:
    """What becomes of each send that is free, by the clock."""
    message = one.message
    first = ledger.first_sent(on_record, message.revision)
    first_at = datetime.fromisoformat(first) if first else None
    # Who is not on record although no run ever came to the end did not join late: the run did not come so far.
    is_complete = ledger.is_complete(on_record, message.revision)
    found: dict[Fate, list[Send]] = {one: [] for one in Fate}
    for decision in decisions:
        if decision.is_free:
            is_known = decision.state is not None or not is_complete
            found[fate(message.times, now, margin, first_at=first_at, is_known=is_known)].append(decision.send)
    return found


def _closed(message: Message) -> SkippedRow:
    return SkippedRow(
        address=message.address,
        ref=None,
        file=None,
        line=None,
        code=codes.REVISION_CLOSED.id,
        reason="joined after the revision was closed",
    )


def _changes(
    one: MessageSends, decisions: list[Decision], fates: dict[Fate, list[Send]], posts: int
) -> Iterator[Change]:
    """One change for each action that some receiver of the message needs."""
    todo, late = fates[Fate.POST], fates[Fate.MISSED]
    if late:
        yield _change(one, Action.KEEP, late, 0, f"too late for {len(late):,}; an apply records them as missed")
    unknown = [decision.send for decision in decisions if decision.is_doubtful]
    done = [decision for decision in decisions if not decision.is_free and not decision.is_doubtful]
    if todo:
        yield _change(one, Action.SEND, todo, posts, f"{_receivers(len(todo))} not had it")
    if unknown:
        yield _change(one, Action.SETTLE, unknown, 0, f"it is not known whether {len(unknown):,} went out")
    if done:
        edited = sum(decision.edited for decision in done)
        reason = f"{_receivers(len(done))} had it"
        if edited:
            reason += f", {edited:,} with an earlier text; raise `revision` to send it again"
        yield _change(one, Action.KEEP, [decision.send for decision in done], 0, reason, edited)


def _change(one: MessageSends, action: Action, chosen: list[Send], posts: int, reason: str, edited: int = 0) -> Change:
    encodings = Counter(send.text.bill.encoding for send in chosen)
    parts = [send.text.bill.parts for send in chosen]
    costs = action is Action.SEND
    return Change(
        address=one.message.address,
        action=action,
        receivers=len(chosen),
        send_at=_written(one.message.times.send_at) if action is Action.SEND else None,
        posts=posts,
        encoding="mixed" if len(encodings) > 1 else next(iter(encodings)),
        encodings={"gsm7": encodings["gsm7"], "unicode": encodings["unicode"]},
        parts={"min": min(parts), "max": max(parts)},
        credits=round(sum(send.credits for send in chosen), 6) if costs else 0.0,
        credits_exact=all(send.credits_exact for send in chosen) if costs else True,
        sample=one.sample,
        edited_since_sent=edited,
        reason=reason,
    )


def _left_files(address: str, count: int) -> Change:
    """Sends in doubt that today's files do not ask for."""
    return Change(
        address=address,
        action=Action.SETTLE,
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
        reason=f"it is not known whether {count:,} went out; nothing of them is planned now",
    )


def _receivers(count: int) -> str:
    return "1 receiver has" if count == 1 else f"{count:,} receivers have"


def _lowered(message: Message, count: int) -> Diagnostic:
    detail = f"{message.address}: {_receivers(count)} had a higher one"
    return Diagnostic(code=codes.REVISION_LOWERED, detail=detail, span=message.span)


def _warned(finding: Diagnostic) -> Warned:
    span = finding.span
    return Warned(
        code=finding.code.id,
        message=mask_text(finding.message),
        file=span.file if span else None,
        line=span.line if span else None,
        column=span.column if span else None,
    )


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None


def _summary(changes: list[Change], skipped: int, missed: int, credits_left: float | None) -> Summary:
    counts = Counter[Action]()
    for change in changes:
        counts[change.action] += change.receivers
    taken = round(sum(change.credits for change in changes), 6)
    return Summary(
        send=counts[Action.SEND],
        keep=counts[Action.KEEP] - missed,
        missed=missed,
        skip=skipped,
        unknown=counts[Action.SETTLE],
        posts=sum(change.posts for change in changes),
        credits=taken,
        credits_left=credits_left,
        credits_after=None if credits_left is None else round(credits_left - taken, 6),
    )
