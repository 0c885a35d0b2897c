"""What a plan says of one message."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from smsdeclare import plan, policy
from smsdeclare.agenda import Agenda, quiet_of
from smsdeclare.changes import barred_rows, changes_of, closed_row, skipped_rows, warnings_of
from smsdeclare.compare import compare
from smsdeclare.costs import cost_warnings
from smsdeclare.decisions import Action
from smsdeclare.jobs import posts_of
from smsdeclare.schedule import Fate, fate
from smsdeclare.states import State

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import timedelta

    from smsdeclare.codes import Code
    from smsdeclare.columns import Sends
    from smsdeclare.compare import Withdrawal
    from smsdeclare.decisions import Decisions, Group
    from smsdeclare.definitions import Definitions, Message, QuietHours
    from smsdeclare.diagnostics import Diagnostic
    from smsdeclare.ledger import Ledger
    from smsdeclare.plan import Change, SkippedRow, Violation
    from smsdeclare.renaming import Renames
    from smsdeclare.sends import MessageSends


class View(NamedTuple):
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


class Part(NamedTuple):
    """What a plan says of one message."""

    message: Message
    decisions: Decisions
    #: Sends that count for the rules.
    counted: list[Group]
    #: Those of them that may be posted now.
    free: Sends
    posts: int
    #: Those whose time has passed.
    late: Sends
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
    def lines(self) -> Iterator[bytes]:
        """The canonical line of each send that is approved."""
        return plan.lines_of(self.message, self.decisions)


def part_of(view: View, one: MessageSends, withdrawn: Sequence[Withdrawal]) -> Part:
    """Compare a message with the ledger and say what would be done."""
    message, name = one.message, view.on_record(one.message)
    decisions = compare(one, view.ledger, view.now, view.approved, name, view.barred)
    others = [group for group in decisions.groups if not group.verdict.is_free]
    reachable = [group for group in decisions.groups if not group.verdict.left_out]
    barred = [group for group in decisions.groups if group.verdict.left_out]
    free = [group for group in reachable if group.verdict.is_free]
    freed = [group for group in reachable if group.verdict.can_be_freed(view.now)]
    quiet_for = partial(quiet_of, view.definitions)
    agenda = Agenda(message, view.now, view.definitions.timezone, quiet_for, view.hold)
    at_once, later = _fates(view, agenda, free), _fates(view, agenda, freed)
    todo, late, closed = ([*at_once[one], *later[one]] for one in (Fate.POST, Fate.MISSED, Fate.CLOSED))
    # What is too late or closed takes nothing; what is done under the approved plan has its share in it.
    counted = [*todo, *(group for group in others if group.verdict.is_wanted and not group.verdict.held_until)]
    posts = posts_of(decisions.of(todo), view.definitions.provider.receivers_per_job, quiet_for)
    left = [each for each in withdrawn if each.message == message.name and each.revision >= message.revision]
    scheduled = len(left) + sum(group.size for group in others if group.verdict.state is State.SCHEDULED)
    if left:
        scheduled += _kept_above(view.ledger, name, message.revision, left)
    return Part(
        message=message,
        decisions=decisions,
        counted=counted,
        free=decisions.of(at_once[Fate.POST]),
        posts=posts,
        late=decisions.of(at_once[Fate.MISSED]),
        changes=list(changes_of(one, decisions, agenda, others=others, todo=todo, late=late, posts=posts)),
        skipped=[
            *([closed_row(message)] * sum(group.size for group in closed)),
            *barred_rows(message, decisions, [group for group in barred if group.verdict.is_free], view.ledger),
            *barred_rows(
                message, decisions, [group for group in barred if group.verdict.can_be_freed(view.now)], view.ledger
            ),
            *skipped_rows(one),
        ],
        found=[
            *one.findings.warnings,
            *warnings_of(message, others, view.now),
            *agenda.warnings(todo),
            *cost_warnings(one, decisions, todo),
        ],
        violations=[
            *policy.judge_message(
                view.definitions,
                message,
                one.findings,
                decisions,
                counted,
                is_done=bool(decisions.groups) and not counted,
                taken_before=view.ledger.credits_taken(name, message.revision, but=view.approved),
            ),
            *policy.judge_left(view.definitions, message, len(left), scheduled),
            *policy.judge_times(view.definitions, message, agenda.slots(todo)),
        ],
        doubtful={
            (name, one)
            for one, _ in decisions.named([group for group in others if group.verdict.is_doubtful], view.ledger)
        },
        replaced={
            (name, message.revision, one)
            for one, _ in decisions.named(
                [
                    group
                    for group in freed
                    if group.verdict.state is State.SCHEDULED and group.verdict.action is Action.REPLACE
                ],
                view.ledger,
            )
        },
    )


def _kept_above(ledger: Ledger, name: str, revision: int, left: Collection[Withdrawal]) -> int:
    """How many scheduled sends of higher revisions stay, since their receivers are still on the list."""
    gone = {(each.revision, each.known.number) for each in left}
    return sum(
        known.state is State.SCHEDULED and (above, known.number) not in gone
        for message, above in ledger.held_revisions()
        if message == name and above > revision
        for known in ledger.known(name, above)
    )


def _fates(view: View, agenda: Agenda, candidates: Iterable[Group]) -> dict[Fate, list[Group]]:
    """What becomes of each send that is or will be free, by the clock."""
    message = agenda.message
    name = view.on_record(message)
    first = view.ledger.first_sent(name, message.revision)
    first_at = datetime.fromisoformat(first) if first else None
    # Who is not on record although no run ever came to the end did not join late: the run did not come so far.
    is_complete = view.ledger.is_complete(name, message.revision)
    found: dict[Fate, list[Group]] = {one: [] for one in Fate}
    for group in candidates:
        at, is_known = agenda.slot(group.price.place), group.verdict.state is not None or not is_complete
        what = fate(message.times, view.now, view.margin, first_at=first_at, is_known=is_known, at=at)
        found[what].append(group)
    return found
