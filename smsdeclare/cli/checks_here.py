"""What `smsdeclare doctor` looks at on this machine: versions, files, credentials, the state."""

from __future__ import annotations

import os
import platform
import stat
from contextlib import closing
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from smsdeclare import __version__, codes
from smsdeclare.cli import environment, git_ignores, opening
from smsdeclare.cli.finding import Finding, ok, told, trouble
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError, SmsdeclareError
from smsdeclare.formats.phrases import count
from smsdeclare.providers.credentials import ApplicationKeys, read_conf
from smsdeclare.states import IN_DOUBT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smsdeclare.cli.session import Session
    from smsdeclare.definitions import Definitions
    from smsdeclare.ledgers.relational import RelationalLedger
    from smsdeclare.providers.credentials import Credentials

#: So many mistakes of the files are named.
_NAMED = 3
_LIBRARIES = ("requests", "urllib3", "PyYAML", "minijinja", "phonenumberslite")


def versions() -> Iterator[Finding]:
    """What a report of a fault needs, and what makes the tool slow."""
    import ssl  # noqa: PLC0415 - only here

    import yaml  # noqa: PLC0415 - only here

    found = ", ".join(f"{name} {_version(name)}" for name in _LIBRARIES)
    yield ok(
        "versions", f"smsdeclare {__version__}, Python {platform.python_version()}, {ssl.OPENSSL_VERSION}, {found}"
    )
    if not yaml.__with_libyaml__:
        fix = "Install a PyYAML that was built with libyaml."
        yield trouble("versions", "warning", "PyYAML has no libyaml: large files are read slowly", fix)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "unknown"


def files(session: Session) -> tuple[Definitions | None, list[Finding]]:
    """The project, where its files are sound, and what is to be said of them."""
    definitions, found = opening.judged(session)
    if found and found[0].code is codes.NO_PROJECT:
        return None, [told("files", found[0], "warning")]
    errors = [one for one in found if one.is_error]
    told_of = [told("files", one) for one in (errors or found)[:_NAMED]]
    if more := len(errors or found) - len(told_of):
        told_of.append(trouble("files", told_of[-1].status, f"and {more:,} more", "`smsdeclare validate` shows all."))
    if definitions is None or errors:
        return definitions, told_of
    enabled = f"{count(len(definitions.messages), 'message')} enabled"
    return definitions, [ok("files", f"{definitions.root_file}, project {definitions.project}: {enabled}"), *told_of]


def credentials(endpoint: str) -> tuple[Credentials | None, list[Finding]]:
    """Those that the other commands would use, and where they come from."""
    check = "credentials"
    try:
        found = environment.find_credentials(environment.conf(), endpoint)
        sources = _sources(found, endpoint)
    except InputError as error:
        return None, [told(check, one) for one in error.diagnostics]
    kind = "three keys" if isinstance(found, ApplicationKeys) else "an OAuth2 client"
    findings = [ok(check, f"{kind} for {endpoint}, from {' and '.join(sources)}")]
    for source in sources:
        if source != "the environment":
            findings += _caution(Path(source))
    return found, findings


def _sources(found: Credentials, endpoint: str) -> list[str]:
    """The environment, and the strongest file of each value that it does not have."""
    names = ["application_key", "application_secret", "consumer_key"]
    names = names if isinstance(found, ApplicationKeys) else ["client_id", "client_secret"]
    filed = [(path, read_conf([(path, text)])) for path, text in reversed(environment.conf_files())]

    def source(name: str) -> str:
        if os.environ.get(f"OVH_{name.upper()}", "").strip():
            return "the environment"
        return next(path for path, conf in filed if conf.get(endpoint, name, fallback="").strip())

    return list(dict.fromkeys(map(source, names)))


def _caution(path: Path) -> Iterator[Finding]:
    """A file of secrets that others may read, or that Git would take along."""
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield trouble("credentials", "warning", f"{path} can be read by others", f"chmod 600 {path}")
    if git_ignores.would_commit(path):
        yield told("credentials", Diagnostic(code=codes.CONF_NOT_IGNORED, detail=str(path)))


def state(definitions: Definitions, service: str | None) -> Iterator[Finding]:
    """Whether the state can be opened and written, whose it is, who is at work, and what is unknown. Writes nothing."""
    if definitions.state.backend == "file":
        path = opening.state_path(definitions)
        problems, may_be_opened = _file(path)
        yield from problems
        if not may_be_opened:
            return
    try:
        with closing(opening.ledger(definitions)) as ledger:
            yield from _kept(definitions, ledger, service)
    except SmsdeclareError as error:
        yield from (told("state", one) for one in error.diagnostics)


def _file(path: Path) -> tuple[list[Finding], bool]:
    """What is to be said of a state's file before it is opened, and whether that would leave it as it is."""
    from smsdeclare.ledgers.meta import FORMAT  # noqa: PLC0415 - sqlite3 is loaded where it is used
    from smsdeclare.ledgers.sqlite_file import read_format  # noqa: PLC0415 - as above

    if not os.access(path.parent, os.W_OK):
        fix = "The state is a file there: get the right to write."
        return [trouble("state", "error", f"{path.parent} can't be written", fix)], False
    if not os.path.lexists(path):
        return [], True
    if not os.access(path, os.R_OK | os.W_OK):
        fix = "Its owner has to hand it over."
        return [trouble("state", "error", f"{path.name} can't be read and written", fix)], False
    found = []
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        found.append(trouble("state", "warning", f"{path.name} can be read by others", f"chmod 600 {path.name}"))
    if git_ignores.would_commit(path):
        found.append(told("state", Diagnostic(code=codes.CONF_NOT_IGNORED, detail=f"{path.name} holds phone numbers")))
    if path.with_name(f"{path.name}-journal").exists():
        fix = "The next command that opens the state mends it."
        return [*found, trouble("state", "warning", "a write was broken off, or is under way", fix)], False
    if read_format(path) < FORMAT:
        fix = "The next command that opens it brings it up to date."
        return [*found, trouble("state", "warning", "it is of an older version", fix)], False
    return found, True


def _kept(definitions: Definitions, ledger: RelationalLedger, service: str | None) -> Iterator[Finding]:
    from smsdeclare.ledgers.meta import foreign  # noqa: PLC0415 - as above
    from smsdeclare.ledgers.upkeep import held_by, stopped_by  # noqa: PLC0415 - as above

    ledger.check_key()
    kind = definitions.state.backend
    bound = ledger.binding
    if bound is None:
        yield ok("state", f"{kind}: none yet; the first apply makes it")
        return
    wanted = opening.offline_binding(definitions, bound)
    if service is not None:
        wanted = opening.binding(definitions, wanted.endpoint, service)
    if bound != wanted:
        yield told("state", foreign(bound, wanted))
        return
    tallies = ledger.tallies()
    total = sum(one.sends for one in tallies)
    yield ok("state", f"{kind}: {count(total, 'send')} on record, of {bound.project}")
    if unknown := sum(one.sends for one in tallies if one.state in IN_DOUBT):
        fix = "`smsdeclare settle` asks the provider; `smsdeclare resolve` takes your word."
        yield trouble("state", "warning", f"{unknown:,} unknown", fix)
    yield from (told("state", held_by(lease), "warning") for lease in ledger.leases)
    if ledger.stopped is not None:
        yield told("state", stopped_by(ledger.stopped), "warning")
