"""`smsdeclare doctor`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from smsdeclare.cli import checks_here, environment, opening
from smsdeclare.cli.finding import Finding, ok, told
from smsdeclare.cli.session import Explained, Session, format_option, shared_options
from smsdeclare.errors import InputError
from smsdeclare.formats.phrases import Color, count, line, paint
from smsdeclare.formats.wrapping import fit

if TYPE_CHECKING:
    from smsdeclare.definitions import Definitions
    from smsdeclare.format import Style
    from smsdeclare.providers.endpoints import Endpoint

#: Columns: of what stands before a message, where there are more than so many; of what is no terminal; at most.
_INDENT, _ROOMY, _PAGE, _MOST = 22, 50, 100, 120
_COLORS = {"ok": Color.GOOD, "warning": Color.CARE, "error": Color.WRONG}


@click.command(
    cls=Explained,
    examples="""
        smsdeclare doctor
        # For a script: the exit code is 1 where something is wrong
        smsdeclare doctor --json
    """,
)
@click.option("--offline", is_flag=True, help="Ask nobody: only what this machine knows.")
@format_option("text", "json")
@shared_options
def command(session: Session, *, offline: bool, format_name: str) -> int:
    """Look at everything that a run needs, and say what to do about what is wrong.

    Versions, files, credentials, network, clock, rights, account, credits, senders, state. Writes nothing, sends
    nothing, and works without a project as far as that goes.

    Exit codes: 0 nothing is wrong (there may be warnings), 1 something is.
    """
    found = examine(session, offline=offline)
    healthy = all(one.status != "error" for one in found)
    session.out(
        _document(found, session.style, healthy=healthy) if format_name == "json" else _text(found, session.style)
    )
    return 0 if healthy else 1


def examine(session: Session, *, offline: bool) -> list[Finding]:
    """All that is found, in the order in which a run would stumble over it."""
    found = list(checks_here.versions())
    definitions, of_files = checks_here.files(session)
    found += of_files
    service = definitions.provider.service if definitions is not None else None
    if definitions is None or definitions.provider.name != "sandbox":
        place, of_place = _place(definitions)
        found += of_place
        keys = None
        if place is not None:
            keys, of_keys = checks_here.credentials(place.name)
            found += of_keys
        if place is not None and not offline:
            from smsdeclare.cli import checks_there  # noqa: PLC0415 - requests is heavy

            service, of_remote = checks_there.remote(definitions, place, keys)
            found += of_remote
    else:
        found.append(ok("credentials", "the sandbox needs none, and no network"))
        service = service or opening.SANDBOX_SERVICE
    if definitions is not None and offline and definitions.state.backend != "file":
        found.append(ok("state", f"{definitions.state.backend}: it is elsewhere, and was not asked"))
    elif definitions is not None:
        found += checks_here.state(definitions, service)
    return found


def _place(definitions: Definitions | None) -> tuple[Endpoint | None, list[Finding]]:
    """The endpoint of the project; without one, that of the credentials."""
    from smsdeclare.providers import endpoints  # noqa: PLC0415 - as in opening

    try:
        if definitions is not None:
            return opening.place(definitions), []
        return endpoints.resolve(None, *environment.endpoint(environment.conf())), []
    except InputError as error:
        return None, [told("credentials", one) for one in error.diagnostics]


def _text(found: list[Finding], style: Style) -> str:
    columns = min(style.columns or _PAGE, _MOST)
    page, indent = style._replace(columns=columns), _INDENT if columns > _ROOMY else 2
    lines = []
    for one in found:
        code = f" ({one.code})" if one.code else ""
        head = f"{paint(f'{one.status:<9}', _COLORS[one.status], style)}{one.check:<13}"
        lines.append(fit(f"{head}{line(style.masked(one.message))}{code}", page, indent))
        if one.fix:
            lines.append(fit(f"{'':{indent}}-> {line(style.masked(one.fix))}", page, indent + 3))
    errors, warnings = (sum(one.status == status for one in found) for status in ("error", "warning"))
    verdict = "Something is wrong." if errors else "Nothing is wrong."
    counts = f" {count(errors, 'error')}, {count(warnings, 'warning')}." if errors or warnings else ""
    return "\n".join([*lines, f"{verdict}{counts}"]) + "\n"


def _document(found: list[Finding], style: Style, *, healthy: bool) -> str:
    rows = [
        {
            "check": one.check,
            "status": one.status,
            "code": one.code,
            "message": line(style.masked(one.message)),
            "fix": line(style.masked(one.fix)) or None,
        }
        for one in found
    ]
    return json.dumps({"formatVersion": "1.0", "healthy": healthy, "findings": rows}, ensure_ascii=False) + "\n"
