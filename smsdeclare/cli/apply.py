"""`smsdeclare apply`."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smsdeclare import apply as acting
from smsdeclare import codes, planning
from smsdeclare.cli import environment, opening, saved_plan
from smsdeclare.cli.progress import Progress
from smsdeclare.cli.rows import row_of
from smsdeclare.cli.session import Session, format_option, formatter, is_terminal, shared_options
from smsdeclare.cli.signals import StopRequest
from smsdeclare.clock import SystemClock, timestamp
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import (
    Declined,
    Held,
    InputError,
    Interrupted,
    PlanStale,
    PolicyRefused,
    SmsdeclareError,
    StateError,
)
from smsdeclare.format import Applied
from smsdeclare.ledgers.relational import foreign
from smsdeclare.ledgers.upkeep import stopped_by
from smsdeclare.redaction import mask_number, visible
from smsdeclare.states import State

#: So many SMS of the sandbox are shown after a run.
_SHOWN_SMS = 3

if TYPE_CHECKING:
    from datetime import timedelta

    from smsdeclare.cli.opening import Opened
    from smsdeclare.ledgers.sqlite import SqliteLedger
    from smsdeclare.plan import Plan
    from smsdeclare.planning import Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class _Approval:
    """What was approved before this run."""

    #: None: nothing yet, so the plan is shown and the user asked.
    digest: str | None
    #: The saved plan, where there is one.
    plan: Plan | None


@click.command()
@click.argument("planfile", required=False, type=click.Path(path_type=Path))
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.option("--expect-digest", metavar="sha256:…", help="Apply only if the plan has this digest.")
@click.option("--target", "targets", multiple=True, metavar="ADDRESS", help="Apply to this message or send only.")
@click.option("--var", "pairs", multiple=True, metavar="NAME=VALUE", help="Give a variable a value.")
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
    format_name: str,
) -> int:
    """Send what the plan says, and nothing twice.

    Without a saved plan or a digest it plans first and asks. With one of them, which is the approval, it works the
    plan out anew and carries it out only if it is the approved one.

    \b
      smsdeclare apply                         plan, ask, send
      smsdeclare apply plan.json               carry out a saved plan
      smsdeclare apply --auto-approve          in CI, after a review

    Exit codes: 0 done, 1 error, 3 some receivers were refused, 4 some outcomes are not known yet, 5 the policy
    refuses the plan, 6 another run holds the state, 7 the plan is not the approved one, 8 declined, 130 interrupted.
    """  # noqa: D301 - \b is click's mark for text to be left as it is
    approval = _approval(session, planfile, expect_digest)
    given, saved = opening.given_variables(pairs), None
    outside = {**environment.variables(), **given}
    if approval.plan:
        if pairs or targets:
            detail = "a saved plan carries its variables and targets; leave --var and --target out"
            raise InputError(Diagnostic(code=codes.USAGE, detail=detail))
        targets = approval.plan.targets
        outside = saved = dict(approval.plan.variables)
    definitions = opening.definitions(session, given, saved=saved)
    opened = opening.provider(definitions)
    ledger = opening.ledger(definitions)
    try:
        if ledger.binding not in (None, opened.binding):
            raise StateError(foreign(ledger.binding, opened.binding))
        _check_place(approval, opened)
        if ledger.stopped:
            raise Held(stopped_by(ledger.stopped))

        def work_out(approved: str | None) -> Draft:
            again = opening.definitions(session, given, saved=saved)
            return planning.work_out(
                again,
                planning.expand(again),
                ledger,
                opened.binding,
                credits_left=opened.provider.credits_left(),
                now=opened.provider.now(),
                approved=approved,
                margin=opening.margin(again),
                variables=opening.used_variables(again, outside),
                targets=targets,
            )

        draft = work_out(approval.digest)
        if approval.digest is not None:
            _check_digest(draft, approval.digest)
        if approval.digest is None and (draft.jobs or draft.missed):
            text = formatter("text").plan(draft.plan, session.style)
            session.show(text)
            _check_policy(draft)
            if not auto_approve:
                _ask()
                # Files, state and account may have moved on while the question stood there.
                shown = draft.plan.digest
                draft = work_out(None)
                _check_digest(draft, shown)
        _check_policy(draft)
        return _carry_out(session, draft, opened, ledger, format_name, opening.margin(definitions))
    finally:
        ledger.close()


def _approval(session: Session, planfile: Path | None, expected: str | None) -> _Approval:
    plan = saved_plan.read(session.folder / planfile) if planfile else None
    if plan and expected is not None and plan.digest != expected:
        detail = f"the saved plan has {plan.digest}, expected was {expected}"
        raise PlanStale(Diagnostic(code=codes.PLAN_STALE, detail=detail))
    # An empty digest, as an unset variable of CI leaves it, approves nothing: no plan has it.
    return _Approval(digest=plan.digest if plan else expected, plan=plan)


def _check_place(approval: _Approval, opened: Opened) -> None:
    """A saved plan is good for one project, provider, endpoint and service."""
    if approval.plan is None:
        return
    for name in ("project", "provider", "endpoint", "service"):
        approved, found = getattr(approval.plan, name), getattr(opened.binding, name)
        if approved != found:
            detail = f"its {name} is {approved}, here it is {found}"
            raise PlanStale(Diagnostic(code=codes.PLAN_FOREIGN, detail=detail))


def _check_digest(draft: Draft, approved: str) -> None:
    if draft.plan.digest != approved:
        detail = f"approved was {approved or 'nothing'}, the files and the state give {draft.plan.digest}"
        raise PlanStale(Diagnostic(code=codes.PLAN_STALE, detail=detail))


def _check_policy(draft: Draft) -> None:
    if draft.plan.violations:
        broken = [
            Diagnostic(
                code=codes.POLICY_BROKEN,
                detail=f"{one.rule}{f' of {one.address}' if one.address else ''}: {one.actual} is beyond {one.limit}"
                f"{f' ({one.file}:{one.line})' if one.file else ''}",
            )
            for one in draft.plan.violations
        ]
        raise PolicyRefused(*broken)


def _ask() -> None:
    if not is_terminal(sys.stdin):
        raise InputError(Diagnostic(code=codes.NO_APPROVAL, detail=""))
    if not click.confirm("Send this?", default=False, err=True):
        raise Declined(Diagnostic(code=codes.DECLINED, detail=""))


@dataclass(slots=True, kw_only=True)
class _Run:
    """What a run has done so far."""

    done: list[acting.JobDone] = field(default_factory=list)
    errors: list[Diagnostic] = field(default_factory=list)
    #: What ended or marred it; None where nothing did.
    failure: SmsdeclareError | None = None
    interrupted: bool = False
    #: How many sends were too late.
    missed: int = 0

    def take(self, event: acting.JobDone | acting.JobMissed | acting.Trouble) -> None:
        """Note an event."""
        if isinstance(event, acting.JobMissed):
            self.missed += event.sends
            return
        if isinstance(event, acting.JobDone):
            self.done.append(event)
            return
        found = Diagnostic(code=event.code, detail=event.reason, suggestion=event.advice, query_id=event.query_id)
        self.errors.append(found)
        # Doubts have an exit code of their own.
        if event.code is not codes.OUTCOME_UNKNOWN and self.failure is None:
            self.failure = SmsdeclareError(found)

    def exit_code(self, applied: Applied) -> int:
        """Of several: 130, 4, 1, 3."""
        if self.interrupted:
            return Interrupted.exit_code
        if applied.unknown:
            return 4
        if self.failure is not None:
            return self.failure.exit_code
        return 3 if applied.rejected or self.missed else 0


def _carry_out(
    session: Session, draft: Draft, opened: Opened, ledger: SqliteLedger, format_name: str, margin: timedelta
) -> int:
    run = _Run()
    with StopRequest() as stop, Progress(session, draft) as progress:
        try:
            if draft.jobs or draft.missed:
                ledger.bind(opened.binding)
            acting.rename(draft.renames, ledger, SystemClock())
            run.missed = acting.record_missed(draft.missed, ledger, SystemClock(), plan_digest=draft.plan.digest)
            for event in acting.apply(
                draft.jobs,
                ledger,
                opened.provider,
                SystemClock(),
                plan_digest=draft.plan.digest,
                margin=margin,
                stop=stop,
            ):
                run.take(event)
                progress.show(event)
            if not stop() and not run.errors and not draft.plan.targets and ledger.binding is not None:
                ledger.complete(draft.revisions, timestamp(opened.provider.now()))
        except SmsdeclareError as error:
            run.failure = error
            run.errors.extend(error.diagnostics)
        run.interrupted = stop()
    applied = _sum_up(session, draft, run, ledger)
    with suppress(OSError):  # a full disk or a closed pipe must not hide what became of the sends
        session.out(formatter(format_name).applied(applied, session.style))
    if format_name == "text":
        session.report(run.errors)
        if opened.outbox is not None:
            _show_outbox(session, draft, run.done, opened.outbox)
    return run.exit_code(applied)


def _show_outbox(session: Session, draft: Draft, done: list[acting.JobDone], outbox: Path) -> None:
    """The first few SMS as the phones would show them; a receiver's own values as in the plan."""
    samples = {change.address: change.sample for change in draft.plan.changes}
    for event in done[:_SHOWN_SMS]:
        claim = event.claim
        number = claim.numbers[0] if session.style.show_numbers else mask_number(claim.numbers[0])
        text = (
            event.job.text.text if session.style.show_numbers else samples[f"message.{claim.message}@{claim.revision}"]
        )
        others = f" and {len(claim.numbers) - 1} more" if len(claim.numbers) > 1 else ""
        session.note(f"  {number}{others} <- {visible(text)}")
    if not done:
        return
    if len(done) > _SHOWN_SMS:
        session.note(f"  and {len(done) - _SHOWN_SMS} more POSTs")
    session.note(f"SANDBOX: nothing left this machine; no phone rang. The SMS stand in {outbox.name}.")


def _sum_up(session: Session, draft: Draft, run: _Run, ledger: SqliteLedger) -> Applied:
    """What this run did, and everything that is unknown now, whichever run left it so."""
    states = [state for event in run.done for state in event.outcome.states.values()]
    secret = ledger.secret or b""
    show_numbers = session.style.show_numbers
    rejected = {
        (event.claim.message, event.claim.revision, number)
        for event in run.done
        for number, state in event.outcome.states.items()
        if state is State.REJECTED
    }
    places = sorted({(message, revision) for message, revision, _ in rejected})
    refused = [
        row_of(record, secret, show_numbers=show_numbers)
        for message, revision in places
        for record in ledger.records(message, revision)
        if (message, revision, record.number) in rejected
    ]
    unknown = [row_of(record, secret, show_numbers=show_numbers) for record in ledger.in_doubt()]
    return Applied(
        digest=draft.plan.digest,
        summary={
            "sent": states.count(State.ACCEPTED),
            "scheduled": states.count(State.SCHEDULED),
            "rejected": len(refused),
            "missed": run.missed,
            "cancelled": 0,
            "replaced": 0,
            "settled": 0,
            "unknown": len(unknown),
            "kept": draft.kept,
            "credits": round(sum(event.outcome.credits or 0.0 for event in run.done), 6),
        },
        rejected=tuple(refused),
        unknown=tuple(unknown),
        errors=tuple(run.errors),
    )
