"""Definitions + ledger → a plan, and the sends that carrying it out would post."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from smsdeclare import codes, plan, policy, sends
from smsdeclare.account import Facts, sender_problems
from smsdeclare.agenda import quiet_of
from smsdeclare.changes import (
    changes_without_text,
    summarize,
    warned,
)
from smsdeclare.clock import timestamp
from smsdeclare.compare import Withdrawal, held_jobs, withdrawals
from smsdeclare.costs import credit_warnings, rows_last
from smsdeclare.diagnostics import Diagnostic, by_place
from smsdeclare.errors import InputError
from smsdeclare.jobs import Jobs
from smsdeclare.message_part import View, part_of
from smsdeclare.plan import Plan
from smsdeclare.receivers import opted_out
from smsdeclare.renaming import renames
from smsdeclare.schedule import is_too_close
from smsdeclare.targets import names_only_sends_of, select

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from smsdeclare.columns import Send, Sends
    from smsdeclare.definitions import Definitions, Message, QuietHours
    from smsdeclare.ledger import Ledger
    from smsdeclare.records import Binding, Posted
    from smsdeclare.sends import MessageSends


_NOTHING_KNOWN = Facts()


class Missed(NamedTuple):
    """Sends of one message whose time has passed."""

    message: Message
    sends: Sequence[Send]


class Draft(NamedTuple):
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
    #: Of each message what is to be posted and of whose parts the rules leave doubt, with its options.
    doubtful: tuple[tuple[Sends, Mapping[str, Any]], ...]

    @property
    def has_work(self) -> bool:
        """Whether carrying it out would write or send anything."""
        return bool(self.jobs or self.missed or self.take_backs or self.renames)


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
    view = View(
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
    parts = [part_of(view, one, withdrawn) for one in chosen]
    violations = list(policy.judge_plan(definitions, (group for part in parts for group in part.counted)))
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
    missed = sum(len(part.late) for part in parts)
    pace, at_once = definitions.provider.requests_per_minute, binding.provider == "sandbox"
    summary = summarize(changes, len(skipped), missed, account.credits_left, pace, at_once=at_once)
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
            (part.decisions.of(group for group in part.counted if not group.price.bill.exact), part.message.options)
            for part in parts
        ),
    )


def _withdrawals(view: View, chosen: Sequence[MessageSends], targets: Sequence[str]) -> Iterator[Withdrawal]:
    """What the files no longer ask for: receivers that left, lower revisions, messages that left.

    Of a revision above that of the files only who left: the others had it, and get no lower one. A plan for some
    messages takes back of these alone, and one for single sends of these.
    """
    by_name = {view.on_record(one.message): one for one in chosen}
    for message, held in groupby(sorted(view.ledger.held_revisions()), itemgetter(0)):
        revisions = [revision for _, revision in held]
        one = by_name.get(message)
        if one is None:
            if not targets and message not in view.definitions.enabled:
                for revision in revisions:
                    yield from withdrawals(view.ledger, message, revision, frozenset(), view.approved)
            continue
        # Approved is what the files say, so it goes by the name that stands there.
        name = one.message.name
        is_partial = names_only_sends_of(one.message, targets)
        # Where all of a message is chosen and only lower revisions are held, nobody's name is asked for.
        numbers = one.sends.numbers if is_partial or revisions[-1] >= one.message.revision else ()
        wanted = frozenset(named for number in numbers for named in view.ledger.names(number))
        for revision in revisions:
            if revision >= one.message.revision and not is_partial:
                mine = withdrawals(view.ledger, message, revision, wanted, view.approved)
                yield from (each._replace(message=name) for each in mine)
            if revision < one.message.revision:
                lower = withdrawals(view.ledger, message, revision, frozenset(), view.approved)
                meant = (each for each in lower if not is_partial or each.known.number in wanted)
                yield from (each._replace(message=name) for each in meant)
