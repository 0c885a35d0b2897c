"""Open what a command works with: definitions, the state, the provider."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from smsdeclare import codes
from smsdeclare.cli import environment, rate_notes
from smsdeclare.clock import SystemClock
from smsdeclare.define import define
from smsdeclare.definitions import (
    SOONEST,
    Definitions,
    QuietHours,
)
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError, StateError
from smsdeclare.ledgers.naming import Numbers
from smsdeclare.project import read, read_policy
from smsdeclare.rates import Rates
from smsdeclare.records import Binding
from smsdeclare.schedule import STRICTEST_HOLD

#: OVHcloud refuses a signature that is older; a clock 8 minutes off was refused, the exact figure is not known.
SIGNATURE_WINDOW = timedelta(minutes=10)
#: The account's name in the sandbox, where the project names none.
SANDBOX_SERVICE = "sms-sandbox-1"

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from smsdeclare.cli.session import Session
    from smsdeclare.clock import Clock
    from smsdeclare.ledgers.relational import RelationalLedger
    from smsdeclare.provider import Provider
    from smsdeclare.providers.endpoints import Endpoint
    from smsdeclare.quotes import Quotes
    from smsdeclare.settle import Rules


class Opened(NamedTuple):
    """A provider, and what a state used with it must be bound to."""

    provider: Provider
    binding: Binding
    #: What a run waits and dates by.
    clock: Clock
    #: Where the sandbox keeps its SMS; None for a real provider.
    outbox: Path | None
    #: When what this provider does not list counts as not sent.
    rules: Rules


def definitions(
    session: Session,
    given: Mapping[str, str] | None = None,
    *,
    saved: Mapping[str, str] | None = None,
    is_judged: bool = False,
) -> Definitions:
    """The project of this folder.

    Its variables are overridden by the environment and these by `given`; or by those of a saved plan and nothing else.
    `is_judged` is for plans, which the policy of SMSDECLARE_POLICY is about: other commands must not fail for its sake.
    """
    project = read(session.folder, session.root_file)
    path = environment.policy_file() if is_judged else None
    outside = read_policy(path) if path else None
    if saved is not None:
        return define(project, saved, outside)
    declared = (project.root.data.get("variables") if project.root else None) or {}
    # The environment may hold variables of another project.
    around = {name: value for name, value in environment.variables().items() if name in declared}
    return define(project, {**around, **(given or {})}, outside)


def judged(session: Session) -> tuple[Definitions | None, list[Diagnostic]]:
    """The project as far as it is sound, and all that is to be said of its files, receivers and texts."""
    from smsdeclare import planning  # noqa: PLC0415 - most commands open a project and expand none of it

    found: list[Diagnostic] = []
    wanted = None
    try:
        wanted = definitions(session, is_judged=True)
        found += wanted.warnings
        for one in planning.expand(wanted):
            found += one.findings.warnings
            found += (skipped.as_warning() for skipped in one.findings.skipped)
    except InputError as error:
        found += error.diagnostics
    return wanted, found


def given_variables(pairs: Sequence[str]) -> dict[str, str]:
    """`--var NAME=VALUE` as a mapping; raises InputError where the form is another."""
    for pair in pairs:
        if "=" not in pair:
            hint = f"Write --var {pair}=…, with the value behind the sign."
            raise InputError(Diagnostic(code=codes.USAGE, detail=f"--var {pair} is not NAME=VALUE", suggestion=hint))
    return dict(pair.split("=", 1) for pair in pairs)


def used_variables(wanted: Definitions, outside: Mapping[str, str]) -> dict[str, str]:
    """Those of the variables given from outside that the project knows; they go with a saved plan."""
    return {name: wanted.variables[name] for name in outside if name in wanted.variables}


def state_path(wanted: Definitions) -> Path:
    """The state's file; the sandbox always has one of its own, so that trying never mixes with sending."""
    stem = PurePath(wanted.root_file).stem
    path = wanted.folder / (wanted.state.path or f"{stem}.state")
    if wanted.provider.name == "sandbox":
        path = path.with_name(f"{path.stem}.sandbox{path.suffix}")
    return path


def ledger(wanted: Definitions) -> RelationalLedger:
    """The state of a project; raises StateError where it would be lost, can't be trusted, or was moved."""
    return unmoved(ledger_as(wanted, Numbers(are_hashed=wanted.state.hashes_numbers, key=environment.numbers_key())))


def ledger_as(wanted: Definitions, numbers: Numbers) -> RelationalLedger:
    """The same, moved or not, whose numbers are to be kept in one way or another."""
    if wanted.state.backend == "postgresql":
        from smsdeclare.cli import database  # noqa: PLC0415 - most projects have none

        return database.open_schema(database.schema_of(wanted), numbers)
    if wanted.state.backend == "git":
        from smsdeclare.cli import repository  # noqa: PLC0415 - as above

        return repository.open_branch(wanted.folder, repository.settings_of(wanted), numbers)
    from smsdeclare.ledgers.sqlite import SqliteLedger  # noqa: PLC0415 - sqlite3 is loaded where it is used

    if environment.is_ci() and not wanted.state.allow_local_in_ci and not _stays_here(wanted):
        raise StateError(Diagnostic(code=codes.STATE_LOCAL_IN_CI, detail=state_path(wanted).name))
    return SqliteLedger(state_path(wanted), numbers)


def state_place(wanted: Definitions) -> str:
    """Where the state of a project is, as people call it."""
    if wanted.state.backend == "postgresql":
        from smsdeclare.cli import database  # noqa: PLC0415 - most projects have none

        return f"PostgreSQL schema {database.schema_of(wanted)}"
    if wanted.state.backend == "file":
        return f"file {state_path(wanted).name}"
    from smsdeclare.cli import repository  # noqa: PLC0415 - as above

    return f"Git branch {repository.settings_of(wanted).branch}"


def unmoved(found: RelationalLedger) -> RelationalLedger:
    """The state if nobody has moved it; raises StateError, which says where to."""
    try:
        found.check_not_moved()
    except BaseException:
        found.close()
        raise
    return found


def ledger_offline(wanted: Definitions) -> RelationalLedger:
    """The state of a project where it is here; one that is elsewhere reads as empty."""
    from smsdeclare.ledgers.sqlite import nothing_on_record  # noqa: PLC0415 - as above

    return ledger(wanted) if wanted.state.backend == "file" else nothing_on_record()


def bound_ledger(wanted: Definitions, opened: Opened) -> RelationalLedger:
    """The state of a project, for a command that asks its provider; raises StateError where it belongs elsewhere."""
    from smsdeclare.ledgers.meta import foreign  # noqa: PLC0415 - as above

    found = ledger(wanted)
    if found.binding not in (None, opened.binding):
        found.close()
        raise StateError(foreign(found.binding, opened.binding))
    return found


def _stays_here(wanted: Definitions) -> bool:
    return wanted.provider.name == "sandbox" or place(wanted).is_loopback


def provider(wanted: Definitions) -> Opened:
    """The provider of a project, with its service found; raises InputError or ProviderError."""
    opened, clock, rules = real_or_sandbox(wanted), SystemClock(), _rules(wanted)
    if wanted.provider.name == "sandbox":
        bound = binding(wanted, "sandbox", opened.service())
        return Opened(provider=opened, binding=bound, clock=clock, outbox=_outbox(wanted), rules=rules)
    found = place(wanted)
    bound = binding(wanted, found.name, opened.service())
    return Opened(provider=opened, binding=bound, clock=clock, outbox=None, rules=rules)


def real_or_sandbox(wanted: Definitions) -> Provider:
    """The provider of a project, before anything is asked of it."""
    clock = SystemClock()
    if wanted.provider.name == "sandbox":
        from smsdeclare.providers import sandbox  # noqa: PLC0415 - requests is heavy

        return sandbox.open_provider(_outbox(wanted), wanted.provider.service or SANDBOX_SERVICE, clock)
    from smsdeclare.providers.ovh import OvhProvider  # noqa: PLC0415 - as above

    found = place(wanted)
    return OvhProvider(
        url=found.url,
        credentials=environment.find_credentials(environment.conf(), found.name),
        service=wanted.provider.service,
        clock=clock,
        requests_per_minute=wanted.provider.requests_per_minute,
        holds_advertising=not found.is_loopback,
    )


def quotes(wanted: Definitions, opened: Opened) -> Quotes:
    """What the provider is to be asked of costs; where it does not answer, what it said last counts."""
    from smsdeclare.quotes import Quotes  # noqa: PLC0415 - only where the provider is asked

    billed_in = wanted.provider.billing_country
    return Quotes(opened.provider, billed_in, rate_notes.read(opened.binding.endpoint, billed_in))


def known_rates(wanted: Definitions) -> Rates:
    """The rates of destinations as far as they are known without asking."""
    billed_in = wanted.provider.billing_country
    if wanted.provider.name == "sandbox":
        return Rates()
    return Rates(rate_notes.read(place(wanted).name, billed_in))


@contextmanager
def quoting(wanted: Definitions, opened: Opened) -> Iterator[Quotes]:
    """The same for a run, which keeps what was said for plans that can't ask; not of this machine."""
    asked = quotes(wanted, opened)
    yield asked
    if not _stays_here(wanted):
        rate_notes.keep(opened.binding.endpoint, wanted.provider.billing_country, asked.answered)


def _rules(wanted: Definitions) -> Rules:
    """When absence counts; raises InputError for what would be a guess."""
    from smsdeclare.settle import MOVING, Rules  # noqa: PLC0415 - as above

    stays, settings = _stays_here(wanted), wanted.settle
    if not stays and settings.after < SOONEST:
        raise InputError(Diagnostic(code=codes.SETTLE_TOO_SOON, detail="", span=settings.span))
    signs = wanted.provider.name == "sandbox" or environment.signs(environment.conf(), place(wanted).name)
    if settings.absence == "notSent" and not signs:
        raise InputError(Diagnostic(code=codes.ABSENCE_UNPROVED, detail="", span=settings.span))
    trusts = signs if settings.absence is None else settings.absence == "notSent"
    return Rules(after=settings.after, trusts_absence=trusts, moving=timedelta() if stays else MOVING)


def _outbox(wanted: Definitions) -> Path:
    return wanted.folder / f"{PurePath(wanted.root_file).stem}.outbox.jsonl"


def place(wanted: Definitions) -> Endpoint:
    """The endpoint of a project, from its files and from where the credentials come."""
    from smsdeclare.providers import endpoints  # noqa: PLC0415 - not where the sandbox sends

    named, source = environment.endpoint(environment.conf())
    return endpoints.resolve(wanted.provider.endpoint, named, source)


def advertising_hold(wanted: Definitions) -> QuietHours | None:
    """When the provider holds advertising: what the project says, else the strictest of OVHcloud's pages; None: never.

    A simulator holds none unless it is told to, so there the project has to say so.
    """
    if wanted.provider.advertising_hold or wanted.provider.never_holds or _stays_here(wanted):
        return wanted.provider.advertising_hold
    return STRICTEST_HOLD


def margin(wanted: Definitions) -> timedelta:
    """How long before its end a send is no longer signed; a machine of one's own needs no such care."""
    return timedelta() if _stays_here(wanted) else SIGNATURE_WINDOW


def offline_binding(wanted: Definitions, found: Binding | None) -> Binding:
    """What can be said of the binding without asking anybody; an unknown service is empty."""
    if wanted.provider.name == "sandbox":
        return binding(wanted, "sandbox", wanted.provider.service or SANDBOX_SERVICE)
    return binding(wanted, place(wanted).name, wanted.provider.service or (found.service if found else ""))


def binding(wanted: Definitions, endpoint: str, service: str) -> Binding:
    """What a state of this project must be bound to."""
    return Binding(project=wanted.project, provider=wanted.provider.name, endpoint=endpoint, service=service)
