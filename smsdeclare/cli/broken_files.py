"""Open the state of a folder whose files may be broken."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from smsdeclare import codes, document, files
from smsdeclare.cli import environment, opening
from smsdeclare.definitions import Definitions, Policy, ProviderSettings, SettleSettings, StateSettings
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError, StateError
from smsdeclare.ledgers.naming import AS_KEPT, Numbers
from smsdeclare.project import ROOT_NAME, YAML_LIMIT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smsdeclare.cli.session import Session
    from smsdeclare.ledgers.relational import RelationalLedger


def ledger(session: Session) -> RelationalLedger:
    """The state of a folder whose files may be broken; raises StateError where there is none.

    With sound files it is theirs. Else it is that of the database or the branch that the root file names, or the only
    one that lies in the folder; of several none is guessed at.
    """
    from smsdeclare.ledgers.sqlite import SqliteLedger  # noqa: PLC0415 - sqlite3 is loaded where it is used

    try:
        numbers = Numbers(key=environment.numbers_key())
    except InputError:
        # Who pulls the brake needs no key, and must not be held up by one that is unfit.
        numbers = AS_KEPT
    written: dict[str, Any] = {}
    try:
        sound = opening.definitions(session)
        backend, path = sound.state.backend, opening.state_path(sound)
    except InputError:
        sound, written = None, _written(session)
        backend = _backend(written)
    if backend == "postgresql":
        from smsdeclare.cli import database  # noqa: PLC0415 - most projects have none

        schema = database.schema_of(sound) if sound else database.schema_of_broken_files(written)
        if schema is not None:
            return _kept(database.open_schema(schema, numbers), f"PostgreSQL schema {schema}")
    if backend == "git":
        from smsdeclare.cli import repository  # noqa: PLC0415 - as above

        branch = repository.settings_of(sound) if sound else repository.settings_of_broken_files(written)
        if branch is not None:
            return _kept(repository.open_branch(session.project_folder, branch, numbers), f"branch {branch.branch}")
    if sound is None:
        found = sorted(session.project_folder.glob("*.state"))
        if len(found) != 1:
            names = ", ".join(one.name for one in found) or "no file *.state"
            detail = f"the files are not valid, and in this folder there is {names}"
            raise StateError(Diagnostic(code=codes.STATE_ABSENT, detail=detail)) from None
        path = found[0]
    if not path.exists():
        raise StateError(Diagnostic(code=codes.STATE_ABSENT, detail=path.name))
    return opening.unmoved(SqliteLedger(path, numbers))


def _written(session: Session) -> dict[str, Any]:
    """What the root file says, whatever else is wrong in the project; nothing where it can't be read."""
    folder, name = session.project_folder, PurePath(session.root_file or ROOT_NAME).name
    try:
        text = files.read_bytes(folder / name, root=folder, shown=name, limit=YAML_LIMIT)
        data = document.parse(text, file=name).data
    except InputError:
        return {}
    return data if isinstance(data, dict) else {}


def _backend(written: Mapping[str, Any]) -> Any:
    state = written.get("state")
    return state.get("backend") if isinstance(state, dict) else None


def _kept(found: RelationalLedger, name: str) -> RelationalLedger:
    """The state if it has been written to, and not been moved; raises StateError."""
    if found.binding is None:
        found.close()
        raise StateError(Diagnostic(code=codes.STATE_ABSENT, detail=name))
    return opening.unmoved(found)


def definitions_of_state(session: Session, found: RelationalLedger) -> Definitions:
    """Those of the files or, where these are broken, as much as the state itself knows."""
    try:
        return opening.definitions(session)
    except InputError:
        bound = found.binding
        if bound is None:
            raise
    from smsdeclare.providers import endpoints  # noqa: PLC0415 - only where files are broken

    # A place that only the environment may name is left for it to name.
    named = bound.endpoint in endpoints.NAMED or endpoints.is_loopback(bound.endpoint)
    return Definitions(
        project=bound.project,
        folder=session.project_folder,
        root_file=PurePath(session.root_file or ROOT_NAME).name,
        timezone="UTC",
        provider=ProviderSettings(
            name=bound.provider,
            endpoint=bound.endpoint if named else None,
            service=bound.service,
            receivers_per_job=1,
            requests_per_minute=None,
        ),
        state=StateSettings(backend="file", path=None, schema=None, allow_local_in_ci=True),
        settle=SettleSettings(),
        policy=Policy(),
        variables={},
        receivers={},
        messages=(),
    )
