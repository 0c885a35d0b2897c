"""`smsdeclare plan`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smsdeclare import codes, planning
from smsdeclare.account import Facts
from smsdeclare.cli import environment, opening
from smsdeclare.cli.session import Explained, Session, format_option, formatter, shared_options
from smsdeclare.clock import SystemClock
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError, PolicyRefused, StateError
from smsdeclare.ledgers.meta import foreign
from smsdeclare.plan import with_texts
from smsdeclare.sends import priced
from smsdeclare.targets import check_savable, without_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smsdeclare.plan import Plan
    from smsdeclare.records import Stopped


@click.command(
    cls=Explained,
    examples="""
        # Look
        smsdeclare plan
        # Save it, have it reviewed, then: smsdeclare apply plan.json
        smsdeclare plan --out plan.json
        # In CI: exit code 0 where there is nothing to do, 2 where there is something
        smsdeclare plan --detailed-exitcode --format markdown
        # One message, with another value for a variable
        smsdeclare plan --target message.order-shipped --var shop=Bakery
    """,
)
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Save the plan, to approve and apply it.")
@format_option("text", "json", "markdown", "github")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where there is something to do, else with 0.")
@click.option("--target", "targets", multiple=True, metavar="ADDRESS", help="Plan for this message or send only.")
@click.option("--var", "pairs", multiple=True, metavar="NAME=VALUE", help="Give a variable a value.")
@click.option("--offline", is_flag=True, help="Use no network at all; such a plan can't be saved.")
@shared_options
def command(
    session: Session,
    *,
    out: Path | None,
    format_name: str,
    detailed_exitcode: bool,
    targets: tuple[str, ...],
    pairs: tuple[str, ...],
    offline: bool,
) -> int:
    """Show the intended sends and what they cost. Writes nothing and sends nothing."""
    if out and offline:
        raise InputError(Diagnostic(code=codes.CANT_SAVE, detail="it was made offline"))
    given = opening.given_variables(pairs)
    outside = {**environment.variables(), **given}
    definitions = opening.definitions(session, given, is_judged=True)
    expanded = planning.expand(definitions)
    ledger = opening.ledger_offline(definitions) if offline else opening.ledger(definitions)
    if offline and definitions.state.backend != "file":
        session.report([Diagnostic(code=codes.STATE_NOT_READ, detail="this plan is as if nobody had had anything")])
    try:
        if offline:
            binding, account = opening.offline_binding(definitions, ledger.binding), Facts()
        else:
            from smsdeclare.cli.account import Account  # noqa: PLC0415 - only where the provider is asked

            opened = opening.provider(definitions)
            binding, account = opened.binding, Account(provider=opened.provider).look(definitions)
        if ledger.binding not in (None, binding):
            raise StateError(foreign(ledger.binding, binding))
        if out:
            check_savable(targets, ledger.secret)
        stopped = ledger.stopped
        work_out = partial(
            planning.work_out,
            definitions,
            ledger=ledger,
            binding=binding,
            now=SystemClock().now() if offline else opened.provider.now(),
            account=account,
            margin=opening.margin(definitions),
            hold=opening.advertising_hold(definitions),
            variables=opening.used_variables(definitions, outside),
            targets=targets,
            shown_targets=without_numbers(targets, ledger),
        )
        if offline:
            rates = opening.known_rates(definitions)
            draft = work_out([priced(one, rates, {}) for one in expanded])
        else:
            draft = opening.quotes(definitions, opened).drafted(expanded, work_out)
    finally:
        ledger.close()
    if out:
        from smsdeclare.cli import saved_plan  # noqa: PLC0415 - most plans are only looked at

        saved_plan.write(session.folder / out, draft.plan)
    shown = with_texts(draft.plan, draft.texts) if session.style.show_numbers else draft.plan
    session.out(formatter(format_name).plan(shown, session.style))
    if format_name == "text":
        given_again = {} if out else {"--target": targets, "--var": pairs}
        _say_what_next(session, draft.plan, stopped, out, [name for name, values in given_again.items() if values])
    if draft.plan.violations:
        return PolicyRefused.exit_code
    return 2 if detailed_exitcode and draft.plan.has_work else 0


def _say_what_next(
    session: Session, plan: Plan, stopped: Stopped | None, out: Path | None, given_again: Sequence[str]
) -> None:
    """What there is to do with a plan; `given_again` are the options without which it would be another one."""
    if stopped:
        why = session.style.masked(stopped.reason)
        session.note(f"Sending is stopped by {stopped.actor}: {why}. `smsdeclare resume` ends that.")
    if plan.violations:
        session.note("The policy refuses this plan; nothing can be applied.")
    elif not plan.has_work:
        session.note("Nothing to do.")
    elif not stopped:
        same = f" with the same {' and '.join(given_again)}" if given_again else ""
        session.note(f"Apply it{same}: smsdeclare apply{session.place_options}{f' {out}' if out else ''}")
