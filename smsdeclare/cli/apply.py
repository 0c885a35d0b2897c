"""`smsdeclare apply`."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smsdeclare import codes, planning
from smsdeclare.cli import environment, opening, saved_plan
from smsdeclare.cli.account import Account
from smsdeclare.cli.lease import Holder
from smsdeclare.cli.run import Run
from smsdeclare.cli.session import DURATION, Explained, Session, confirmed, format_option, formatter, shared_options
from smsdeclare.cli.signals import StopRequest
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import Declined, Held, InputError, PlanStale, PolicyRefused, SmsdeclareError, StateError
from smsdeclare.ledgers.meta import foreign
from smsdeclare.ledgers.upkeep import stopped_by
from smsdeclare.plan import with_texts
from smsdeclare.policy import refusals
from smsdeclare.redaction import mask_number
from smsdeclare.window import PARALLEL, PROVEN

#: So many POSTs may be in flight at once where somebody asks for it.
_MOST_PARALLEL = 64

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import timedelta

    from smsdeclare.cli.counting import Count
    from smsdeclare.cli.opening import Opened
    from smsdeclare.definitions import Definitions
    from smsdeclare.plan import Plan
    from smsdeclare.planning import Draft
    from smsdeclare.quotes import Quotes
    from smsdeclare.sends import MessageSends


@dataclass(frozen=True, slots=True, kw_only=True)
class _Approval:
    """What was approved before this run."""

    #: None: nothing yet, so the plan is shown and the user asked.
    digest: str | None
    #: The saved plan, where there is one.
    plan: Plan | None


@dataclass(slots=True, kw_only=True)
class _Drafts:
    """What a run is to do, worked out whenever it is asked for."""

    run: Run
    quotes: Quotes
    account: Account
    approval: _Approval
    given: Mapping[str, str]
    #: With all other variables that come from outside of the files.
    outside: Mapping[str, str]
    targets: Sequence[str]
    #: What the files said when they were read last.
    definitions: Definitions
    _expanded: list[MessageSends] = field(default_factory=list)

    def anew(self, approved: str | None) -> Draft:
        """From the files as they are now."""
        saved = self.outside if self.approval.plan else None
        self.definitions = opening.definitions(self.run.session, self.given, saved=saved, is_judged=True)
        with _as_saved(self.approval):
            self._expanded = planning.expand(self.definitions)
            return self.as_approved(approved)

    def as_approved(self, approved: str | None) -> Draft:
        """From the files as they were read last: who edits them while a run waits has not had that approved."""
        work_out_at = partial(
            planning.work_out,
            self.definitions,
            ledger=self.run.ledger,
            binding=self.run.opened.binding,
            account=self.account.look(self.definitions),
            now=self.run.opened.provider.now(),
            approved=approved,
            margin=opening.margin(self.definitions),
            hold=opening.advertising_hold(self.definitions),
            variables=opening.used_variables(self.definitions, self.outside),
            targets=self.targets,
        )
        return self.quotes.drafted(self._expanded, work_out_at)


@click.command(
    cls=Explained,
    examples="""
        # Plan, ask, send
        smsdeclare apply
        # Carry out a saved plan, which is the approval
        smsdeclare apply plan.json
        # In CI, where the review was elsewhere: wait until nothing is unknown
        smsdeclare apply --auto-approve --wait 45m --json
        # One receiver of one message
        smsdeclare apply --target message.order-shipped@1/+33639980001
    """,
)
@click.argument("planfile", required=False, type=click.Path(path_type=Path))
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.option("--expect-digest", metavar="sha256:…", help="Apply only if the plan has this digest.")
@click.option("--target", "targets", multiple=True, metavar="ADDRESS", help="Apply to this message or send only.")
@click.option("--var", "pairs", multiple=True, metavar="NAME=VALUE", help="Give a variable a value.")
@click.option(
    "--lock-timeout",
    type=DURATION,
    default="0s",
    help="Wait so long for another run on this state, such as 10m [default: 0s].",
)
@click.option("--wait", type=DURATION, default="0s", help="Go on for so long, until nothing is unknown, such as 45m.")
@click.option(
    "--parallelism",
    type=click.IntRange(1, _MOST_PARALLEL),
    metavar="N",
    help=f"At most so many POSTs in flight at once, up to {_MOST_PARALLEL} [default: {PROVEN} one by one, then"
    f" {PARALLEL}; 1 in the sandbox].",
)
@format_option("text", "json")
@shared_options
def command(
    session: Session,
    planfile: Path | None,
    *,
    auto_approve: bool,
    expect_digest: str | None,
    targets: tuple[str, ...],
    pairs: tuple[str, ...],
    lock_timeout: timedelta,
    wait: timedelta,
    parallelism: int | None,
    format_name: str,
) -> int:
    """Send what the plan says, and nothing twice.

    Without a saved plan or a digest it plans first and asks. With one of them, which is the approval, it works the
    plan out anew and carries it out only if it is the approved one.

    Exit codes: 0 done, 1 error, 3 some receivers were refused or too late, 4 some outcomes are not known yet,
    5 the policy refuses the plan, 6 another run holds the state, or it is stopped, 7 the plan is not the approved one,
    8 declined, 130 interrupted.
    """
    approval = _approval(session, planfile, expect_digest)
    given, saved = opening.given_variables(pairs), None
    outside = {**environment.variables(), **given}
    if approval.plan:
        if pairs or targets:
            detail = "a saved plan carries its variables and targets; leave --var and --target out"
            raise InputError(Diagnostic(code=codes.USAGE, detail=detail))
        targets = approval.plan.targets
        outside = saved = dict(approval.plan.variables)
    with _as_saved(approval):
        definitions = opening.definitions(session, given, saved=saved, is_judged=True)
    opened = opening.provider(definitions)
    ledger = opening.ledger(definitions)

    with closing(ledger), opening.quoting(definitions, opened) as quotes:
        if ledger.binding not in (None, opened.binding):
            raise StateError(foreign(ledger.binding, opened.binding))
        _check_place(approval, opened)
        if ledger.stopped:
            raise Held(stopped_by(ledger.stopped))
        with Holder(ledger, opened.clock, lock_timeout, may_join=True) as holder:
            run = Run(
                session=session,
                opened=opened,
                ledger=ledger,
                holder=holder,
                parallelism=parallelism or (PARALLEL if opened.outbox is None else 1),
                proven=1 if parallelism else PROVEN,
            )
            drafts = _Drafts(
                run=run,
                quotes=quotes,
                account=Account(provider=opened.provider),
                approval=approval,
                given=given,
                outside=outside,
                targets=targets,
                definitions=definitions,
            )
            with StopRequest() as stop:
                run.settle(stop)
            draft = _join(holder, drafts.anew(approval.digest), approval, drafts.anew)
            # What a fellow has done is of the plan as well.
            under = draft.plan.digest if holder.fellows else None
            if run.interrupted:
                return _end(run, draft, format_name)
            _check_digest(draft, approval.digest)
            if approval.digest is None and draft.has_work:
                looked_at = with_texts(draft.plan, draft.texts) if session.style.show_numbers else draft.plan
                session.show(formatter("text").plan(looked_at, session.error_style))
                _check_policy(draft)
                if not auto_approve:
                    _ask()
                    # Files, state and account may have moved on while the question stood there.
                    shown = draft.plan.digest
                    with StopRequest() as stop:
                        run.settle(stop)
                    draft = drafts.anew(under)
                    _check_digest(draft, shown)
            elif approval.digest is None and draft.plan.warnings:
                # A filter that lets nobody through, a lowered revision: a run that sends nothing must not hide why.
                session.note(f"Nothing to do, with warnings: `smsdeclare plan{session.place_options}` shows them.")
            _check_policy(draft)
            with StopRequest() as stop:
                run.carry_out(draft, opening.margin(definitions), drafts.anew, stop)
                for _ in run.until_known(wait, stop):
                    _go_on(draft.plan.digest, drafts, stop)
                run.wait_for_fellows(stop)
            return _end(run, draft, format_name)


def _join(holder: Holder, draft: Draft, approval: _Approval, work_out: Callable[[str | None], Draft]) -> Draft:
    """The draft, as part of the plan of runs that are at work on the same one; else wait for them. Raises Held."""
    digests = {one.digest for one in holder.fellows}
    if not digests or digests == {draft.plan.digest}:
        return draft
    if approval.digest is None:
        # What they have done already is missing from our plan; with that it is theirs, or is not.
        for digest in digests - {None}:
            joined = work_out(digest)
            if joined.plan.digest == digest:
                return joined
    holder.wait_until_alone()
    return work_out(approval.digest)


def _go_on(digest: str, drafts: _Drafts, stop: StopRequest) -> None:
    """Post what was freed while the run waited; what fails here must not hide what was done before."""
    if (run := drafts.run).has_ended:
        return
    try:
        draft = drafts.as_approved(digest)
        _check_policy(draft)
    except SmsdeclareError as error:
        run.fail(error)
    else:
        run.carry_out(draft, opening.margin(drafts.definitions), drafts.as_approved, stop)


def _end(run: Run, draft: Draft, format_name: str) -> int:
    applied = run.sum_up(draft.plan.digest, draft.plan.summary.keep, skipped=draft.plan.summary.skip)
    run.report(applied, format_name)
    run.session.report(list(_taken_beyond_plan(run.done)))
    if format_name == "text" and run.opened.outbox is not None:
        _show_outbox(run.session, draft, run.done, run.opened.outbox)
    return run.exit_code(applied)


def _taken_beyond_plan(done: Count) -> Iterator[Diagnostic]:
    """That the provider took more than the plan said, which nobody should learn from the invoice."""
    if done.credits > done.planned:
        detail = f"{done.credits:,.10g} for what the plan put at {done.planned:,.10g}"
        yield Diagnostic(code=codes.CREDITS_BEYOND_PLAN, detail=detail)


def _approval(session: Session, planfile: Path | None, expected: str | None) -> _Approval:
    plan = saved_plan.read(session.folder / planfile) if planfile else None
    if plan and expected is not None and plan.digest != expected:
        detail = f"the saved plan has {plan.digest}, expected was {expected}"
        raise PlanStale(Diagnostic(code=codes.PLAN_STALE, detail=detail))
    # An empty digest, as an unset variable of CI leaves it, approves nothing: no plan has it.
    return _Approval(digest=plan.digest if plan else expected, plan=plan)


@contextmanager
def _as_saved(approval: _Approval) -> Iterator[None]:
    """A saved plan that speaks of what the files no longer have is stale, not mistyped."""
    try:
        yield
    except InputError as error:
        gone = [one for one in error.diagnostics if one.code in (codes.UNKNOWN_VARIABLE, codes.ADDRESS_UNKNOWN)]
        if approval.plan is None or len(gone) < len(error.diagnostics):
            raise
        details = "; ".join(one.detail for one in gone)
        raise PlanStale(Diagnostic(code=codes.PLAN_STALE, detail=f"the files have changed: {details}")) from None


def _check_place(approval: _Approval, opened: Opened) -> None:
    """A saved plan is good for one project, provider, endpoint and service."""
    if approval.plan is None:
        return
    for name in ("project", "provider", "endpoint", "service"):
        approved, found = getattr(approval.plan, name), getattr(opened.binding, name)
        if approved != found:
            detail = f"its {name} is {approved}, here it is {found}"
            raise PlanStale(Diagnostic(code=codes.PLAN_FOREIGN, detail=detail))


def _check_digest(draft: Draft, approved: str | None) -> None:
    if approved is not None and draft.plan.digest != approved:
        detail = f"approved was {approved or 'nothing'}, the files and the state give {draft.plan.digest}"
        raise PlanStale(Diagnostic(code=codes.PLAN_STALE, detail=detail))


def _check_policy(draft: Draft) -> None:
    if draft.plan.violations:
        raise PolicyRefused(*refusals(draft.plan.violations))


def _ask() -> None:
    if not confirmed("Send this?", unasked=Diagnostic(code=codes.NO_APPROVAL, detail="")):
        raise Declined(Diagnostic(code=codes.DECLINED, detail=""))


def _show_outbox(session: Session, draft: Draft, done: Count, outbox: Path) -> None:
    """The first few SMS as the phones would show them; a receiver's own values as in the plan."""
    samples = {change.address: change.sample for change in draft.plan.changes}
    for event in done.first:
        claim = event.claim
        number = claim.numbers[0] if session.style.show_numbers else mask_number(claim.numbers[0])
        text = (
            event.job.text.text if session.style.show_numbers else samples[f"message.{claim.message}@{claim.revision}"]
        )
        others = f" and {len(claim.numbers) - 1} more" if len(claim.numbers) > 1 else ""
        session.note(f"  {number}{others} <- {text}")
    if not done.jobs:
        return
    if done.jobs > len(done.first):
        session.note(f"  and {done.jobs - len(done.first)} more POSTs")
    place = session.named_folder / outbox.name
    session.note(f"SANDBOX: nothing left this machine; no phone rang. The SMS stand in {place}.")
