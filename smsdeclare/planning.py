"""Definitions + ledger → a plan, and the sends that carrying it out would post."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from smsdeclare import codes, plan, policy, sends
from smsdeclare.account import Facts, sender_problems
from smsdeclare.agenda import Agenda, quiet_of
from smsdeclare.changes import (
    barred_rows,
    changes_of,
    changes_without_text,
    closed_row,
    skipped_rows,
    summarize,
    warned,
    warnings_of,
)
from smsdeclare.clock import timestamp
from smsdeclare.compare import Action, Decision, Withdrawal, compare, held_jobs, withdrawals
from smsdeclare.costs import cost_warnings, credit_warnings, rows_last
from smsdeclare.diagnostics import Diagnostic, by_place
from smsdeclare.errors import InputError
from smsdeclare.jobs import Jobs, posts_of
from smsdeclare.plan import Change, Plan, SkippedRow, Violation
from smsdeclare.receivers import opted_out
from smsdeclare.renaming import Renames, renames
from smsdeclare.schedule import Fate, fate, is_too_close
from smsdeclare.states import State
from smsdeclare.targets import names_only_sends_of, select

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from smsdeclare.codes import Code
    from smsdeclare.definitions import Definitions, Message, QuietHours
    from smsdeclare.ledger import Ledger
    from smsdeclare.records import Binding, Posted
    from smsdeclare.schedule import Slot
    from smsdeclare.sends import MessageSends, Send, Text


_NOTHING_KNOWN = Facts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """Sends of one message whose time has passed."""

    message: Message
    sends: tuple[Send, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A plan worked out, and what is left to do of it."""

    plan: Plan
    #: Address → the text of one of its receivers, own values and all; see `plan.with_texts`.
    texts: Mapping[str, str]
    #: What may be posted now, in the order in which it is; what must be taken back first is not among it.
    jobs: Jobs
    #: Old and new names of messages whose history an apply takes along.
    renames: tuple[tuple[str, str], ...]
    #: What is too late; an apply records it.
    missed: tuple[Missed, ...]
    #: What the provider holds and must be taken back, before anything is posted.
    take_backs: tuple[Posted, ...]
    #: The messages and revisions of the plan.
    revisions: tuple[tuple[str, int], ...]
    #: Texts to be posted of whose parts the rules leave doubt, each with its options.
    doubtful: tuple[tuple[Text, Mapping[str, Any]], ...]

    @property
    def has_work(self) -> bool:
        """Whether carrying it out would write or send anything."""
        return bool(self.jobs or self.missed or self.take_backs or self.renames)


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """What every part of a plan is worked out from."""

    definitions: Definitions
    ledger: Ledger
    now: datetime
    approved: str | None
    margin: timedelta
    #: What of the files' renamings is not in the ledger yet.
    renamed: Renames
    #: Number → why nothing is posted there, whatever the message.
    barred: Mapping[str, Code]
    #: When the provider itself holds advertising; None where it does not, as far as is known.
    hold: QuietHours | None

    def on_record(self, message: Message) -> str:
        """The name that its history has in the ledger."""
        return self.renamed.histories.get(message.name, message.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What a plan says of one message."""

    message: Message
    #: Ordered by number, as all sends.
    decisions: list[Decision]
    #: Sends that count for the rules.
    counted: list[Send]
    #: Those of them that may be posted now.
    free: list[Send]
    posts: int
    late: tuple[Send, ...]
    changes: list[Change]
    skipped: list[SkippedRow]
    found: list[Diagnostic]
    violations: list[Violation]
    #: Name on record and number of everybody in doubt.
    doubtful: set[tuple[str, str]]
    #: Keys of what is taken back so as to be sent anew.
    replaced: set[tuple[str, int, str]]

    @property
    def revision(self) -> tuple[str, int]:
        """The message's name and revision."""
        return self.message.name, self.message.revision

    @property
    def lines(self) -> Iterator[tuple[str, bytes]]:
        """Number and canonical line of each send that is approved."""
        return plan.lines_of(self.message, (each for each in self.decisions if each.is_wanted))


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
    account: Facts = _NOTHING_KNOWN,
    approved: str | None = None,
    margin: timedelta = timedelta(),
    hold: QuietHours | None = None,
    variables: Mapping[str, str] | None = None,
    targets: Sequence[str] = (),
    shown_targets: Sequence[str] | None = None,
) -> Draft:
    """Compare with the ledger and say what would be done.

    `approved` is the digest of an approved plan whose own sends count as not yet done; see `compare`. `margin` is how
    long a signed request may travel; see `schedule.fate`. `hold` is when the provider itself holds advertising.
    `targets` are addresses to which the plan is limited, and `shown_targets` how the plan itself names them.
    """
    chosen = select(list(expanded), targets, ledger)
    view = _View(
        definitions=definitions,
        ledger=ledger,
        now=now,
        approved=approved,
        margin=margin,
        renamed=renames(definitions, [one.message for one in chosen], ledger),
        barred=dict.fromkeys(account.blacklist, codes.BLACKLISTED)
        | dict.fromkeys(opted_out(definitions), codes.OPTED_OUT),
        hold=hold,
    )
    withdrawn = list(_withdrawals(view, chosen, targets))
    parts = [_part(view, one, withdrawn) for one in chosen]
    violations = list(policy.judge_plan(definitions, [send for part in parts for send in part.counted]))
    violations += [one for part in parts for one in part.violations]
    problems = list(sender_problems([part.message for part in parts if part.posts], account.senders))
    if problems and not violations:  # a plan that is refused is shown, and posts nothing either
        raise InputError(*by_place(problems))
    held = [each for each in withdrawn if each.is_held and not is_too_close(each.known.send_at, now)]
    changes = [change for part in parts for change in part.changes]
    changes += changes_without_text(ledger, held, set().union(*(part.doubtful for part in parts)))
    skipped = tuple(row for part in parts for row in part.skipped)
    found = [*definitions.warnings, *problems, *account.warnings(binding.provider, binding.service)]
    found += [one for part in parts for one in part.found]
    found += [
        Diagnostic(code=codes.RENAME_PENDING, detail=f"of `{old}` by `{new}`")
        for new, old in view.renamed.histories.items()
    ]
    summary = summarize(changes, len(skipped), sum(len(part.late) for part in parts), account.credits_left)
    found += credit_warnings(summary)
    worked_out = Plan(
        project=binding.project,
        provider=binding.provider,
        endpoint=binding.endpoint,
        service=binding.service,
        digest=plan.digest(plan.lines({part.revision: part.lines for part in parts}, withdrawn)),
        created_at=timestamp(now),
        changes=tuple(changes),
        skipped=skipped,
        warnings=tuple(warned(finding) for finding in rows_last(by_place(found))),
        violations=tuple(violations),
        summary=summary,
        variables=dict(variables or {}),
        targets=tuple(targets if shown_targets is None else shown_targets),
    )
    keys = {(each.message, each.revision, each.known.number) for each in held}.union(*(one.replaced for one in parts))
    return Draft(
        plan=worked_out,
        texts={
            one.message.address: (part.free or one.sends)[0].text.text
            for one, part in zip(chosen, parts, strict=True)
            if one.sends
        },
        jobs=Jobs(
            [(part.message, part.free) for part in parts],
            definitions.provider.receivers_per_job,
            partial(quiet_of, definitions),
        ),
        renames=view.renamed.due({part.message.name for part in parts if part.free}),
        missed=tuple(Missed(message=part.message, sends=part.late) for part in parts if part.late),
        take_backs=tuple(held_jobs(ledger, keys)),
        revisions=tuple(part.revision for part in parts),
        doubtful=tuple(
            (text, part.message.options)
            for part in parts
            for text in dict.fromkeys(send.text for send in part.counted if not send.text.bill.exact)
        ),
    )


def _part(view: _View, one: MessageSends, withdrawn: Sequence[Withdrawal]) -> _Part:
    message, name = one.message, view.on_record(one.message)
    decisions = list(compare(one, view.ledger, view.now, view.approved, name))
    free: list[Decision] = []
    others: list[Decision] = []
    for each in decisions:
        (free if each.is_free else others).append(each)
    freed = [each for each in others if each.can_be_freed(view.now)]
    barred = [each for each in (*free, *freed) if each.send.number in view.barred] if view.barred else []
    if barred:
        free, freed = ([each for each in some if each.send.number not in view.barred] for some in (free, freed))
    quiet_for = partial(quiet_of, view.definitions)
    agenda = Agenda(message, view.now, view.definitions.timezone, quiet_for, view.hold)
    at_once, later = _fates(view, agenda, free), _fates(view, agenda, freed)
    todo, late, closed = ([*at_once[one], *later[one]] for one in (Fate.POST, Fate.MISSED, Fate.CLOSED))
    to_post = [each.send for each in todo]
    # What is too late or closed takes nothing; what is done under the approved plan has its share in it.
    counted = [*to_post, *(each.send for each in others if each.is_wanted and not each.held_until)]
    posts = posts_of(to_post, view.definitions.provider.receivers_per_job, quiet_for)
    left = [each for each in withdrawn if (each.message, each.revision) == (message.name, message.revision)]
    scheduled = len(left) + sum(each.state is State.SCHEDULED for each in others)
    return _Part(
        message=message,
        decisions=decisions,
        counted=counted,
        free=[each.send for each in at_once[Fate.POST]],
        posts=posts,
        late=tuple(each.send for each in at_once[Fate.MISSED]),
        changes=list(changes_of(one, others, agenda, todo=todo, late=late, posts=posts)),
        skipped=[
            *([closed_row(message)] * len(closed)),
            *barred_rows(message, barred, view.barred, view.ledger.secret),
            *skipped_rows(one),
        ],
        found=[
            *one.findings.warnings,
            *warnings_of(message, others, view.now, view.barred),
            *agenda.warnings(to_post),
            *cost_warnings(one, to_post),
        ],
        violations=[
            *policy.judge_message(
                view.definitions,
                message,
                one.findings,
                counted,
                is_done=bool(decisions) and not counted,
                taken_before=view.ledger.credits_taken(name, message.revision, but=view.approved),
            ),
            *policy.judge_left(view.definitions, message, len(left), scheduled),
            *policy.judge_times(view.definitions, message, [agenda.slot(send) for send in to_post]),
        ],
        doubtful={(name, each.name) for each in others if each.is_doubtful},
        replaced={
            (name, message.revision, each.name)
            for each in freed
            if each.state is State.SCHEDULED and each.action is Action.REPLACE
        },
    )


def _withdrawals(view: _View, chosen: Sequence[MessageSends], targets: Sequence[str]) -> Iterator[Withdrawal]:
    """What the files no longer ask for: receivers that left, lower revisions, messages that left.

    A plan for some messages takes back of these alone, and one for single sends of these.
    """
    by_name = {view.on_record(one.message): one for one in chosen}
    for message, revision in view.ledger.held_revisions():
        one = by_name.get(message)
        if one is None:
            if not targets and message not in view.definitions.enabled:
                yield from withdrawals(view.ledger, message, revision, frozenset(), view.approved)
            continue
        # Approved is what the files say, so it goes by the name that stands there.
        name = one.message.name
        wanted = frozenset(named for send in one.sends for named in view.ledger.names(send.number))
        is_partial = names_only_sends_of(one.message, targets)
        if revision == one.message.revision and not is_partial:
            mine = withdrawals(view.ledger, message, revision, wanted, view.approved)
            yield from (each._replace(message=name) for each in mine)
        if revision < one.message.revision:
            lower = withdrawals(view.ledger, message, revision, frozenset(), view.approved)
            meant = (each for each in lower if not is_partial or each.known.number in wanted)
            yield from (each._replace(message=name) for each in meant)


def _fates(view: _View, agenda: Agenda, candidates: Iterable[Decision]) -> dict[Fate, list[Decision]]:
    """What becomes of each send that is or will be free, by the clock."""
    message = agenda.message
    name = view.on_record(message)
    first = view.ledger.first_sent(name, message.revision)
    first_at = datetime.fromisoformat(first) if first else None
    # Who is not on record although no run ever came to the end did not join late: the run did not come so far.
    is_complete = view.ledger.is_complete(name, message.revision)
    found: dict[Fate, list[Decision]] = {one: [] for one in Fate}
    # Many sends have few slots.
    fates: dict[tuple[Slot, bool], Fate] = {}
    for decision in candidates:
        at, is_known = agenda.slot(decision.send), decision.state is not None or not is_complete
        what = fates.get((at, is_known))
        if what is None:
            what = fate(message.times, view.now, view.margin, first_at=first_at, is_known=is_known, at=at)
            fates[at, is_known] = what
        found[what].append(decision)
    return found
