"""`smsdeclare init`."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smsdeclare import codes
from smsdeclare.cli import scaffold, surroundings, whole_file
from smsdeclare.cli.session import Explained, Session, is_terminal, shared_options
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError
from smsdeclare.redaction import visible
from smsdeclare.schedule import zone_named

if TYPE_CHECKING:
    from collections.abc import Callable

_NAME = re.compile(r"[a-z][A-Za-z0-9_-]{0,62}")
_SERVICE = re.compile(r"[A-Za-z0-9_.-]{1,60}")
_PROVIDERS = ("sandbox", "ovh")
_BACKENDS = ("file", "git", "postgresql")
_CIS = ("github", "gitlab", "none")


def _checked(test: Callable[[str], bool], why: str) -> Callable[[click.Context | None, object, str | None], str | None]:
    """A callback that takes what passes the test, and says why another is none."""

    def check(_: click.Context | None, __: object, value: str | None) -> str | None:
        if value is not None and not test(value):
            raise click.BadParameter(why)
        return value

    return check


_name = _checked(lambda value: _NAME.fullmatch(value) is not None, "a name begins with a-z and holds A-Z a-z 0-9 _ -")
_zone = _checked(lambda value: zone_named(value) is not None, "no time zone such as Europe/Paris")
_service = _checked(lambda value: not value or bool(_SERVICE.fullmatch(value)), "no name such as sms-ab12345-1")
_country = _checked(lambda value: re.fullmatch("[A-Z]{2}|none|", value) is not None, "two capital letters, or none")


@click.command(
    cls=Explained,
    examples="""
        # A folder of its own, and what it would send
        smsdeclare init parcels
        smsdeclare plan -C parcels
        # With a workflow for GitHub, and nothing asked
        smsdeclare init offers --ci github --defaults
    """,
)
@click.argument("folder", required=False, default=".", type=click.Path(path_type=Path), metavar="[DIR]")
@click.option("--project", callback=_name, metavar="NAME", help="The project's name [default: the folder's].")
@click.option("--timezone", callback=_zone, metavar="ZONE", help="Times are local to it [default: this machine's].")
@click.option("--provider", type=click.Choice(_PROVIDERS), help="Who sends [default: sandbox].")
@click.option("--service", callback=_service, metavar="NAME", help="The SMS account, such as sms-ab12345-1.")
@click.option("--country", callback=_country, metavar="CC", help="Of numbers that are written without one, such as FR.")
@click.option("--state", type=click.Choice(_BACKENDS), help="Where the state is kept [default: git for CI, else file].")
@click.option("--ci", type=click.Choice(_CIS), help="Write a workflow for it [default: that of the repository].")
@click.option("--defaults", is_flag=True, help="Ask nothing, and take the default of all that is not given.")
@click.option("--overwrite", is_flag=True, help="Replace files that are there already.")
@shared_options
def command(session: Session, folder: Path, *, defaults: bool, overwrite: bool, **given: str | None) -> None:
    """Write a project that works at once with the sandbox.

    On a terminal it asks for what is not given as an option; elsewhere it takes the defaults. Beside the project's
    files it writes a schema for editors, a .gitignore, a README.md, and a workflow for the CI of the repository that
    the folder is in. Nothing that exists is overwritten unless --overwrite is given.
    """
    place = session.folder / folder
    root = surroundings.repository(place)
    asks = not defaults and is_terminal(sys.stdin) and is_terminal(sys.stderr)
    answers = _answers(place, root, given, asks=asks)
    needed, others = scaffold.project_files(answers), scaffold.other_files(answers)
    needed["smsdeclare.schema.json"] = _schema()
    files = {place / name: text for name, text in {**needed, **others}.items()}
    pipeline = scaffold.pipeline(answers)
    if pipeline is not None:
        files[(root or place) / pipeline[0]] = pipeline[1]
    taken = [name for name in needed if os.path.lexists(place / name)]
    if taken and not overwrite:
        detail = f"{', '.join(taken)} already there; nothing was written"
        hint = "Choose another folder, or replace them with --overwrite."
        raise InputError(Diagnostic(code=codes.WOULD_OVERWRITE, detail=detail, suggestion=hint))
    for path, text in files.items():
        _write(session, path, text, overwrite=overwrite)
    _next(session, folder, answers, pipeline)


def _answers(place: Path, root: Path | None, given: dict[str, str | None], *, asks: bool) -> scaffold.Answers:
    """What was given, else what is answered, else the defaults."""

    def answer(option: str, question: str, default: str, check: object = None, choices: tuple[str, ...] = ()) -> str:
        said = given[option]
        if said is not None or not asks:
            return default if said is None else said
        kind = click.Choice(choices) if choices else None

        def convert(value: str) -> str:
            value = kind.convert(value, None, None) if kind else value.strip()
            return str(check(None, None, value)) if callable(check) else value

        return str(click.prompt(question, default=default, value_proc=convert, show_default=bool(default), err=True))

    if asks:
        click.echo("Enter takes what stands in brackets; Ctrl-C ends it, and nothing is written.", err=True)
    project = answer("project", "Name of the project", surroundings.name(place), _name)
    timezone = answer("timezone", "Time zone", surroundings.timezone(), _zone)
    provider = answer("provider", "Who sends: sandbox (pretends to) or ovh", "sandbox", choices=_PROVIDERS)
    service = given["service"] or ""
    if provider == "ovh":
        service = answer("service", "SMS account, such as sms-ab12345-1 (empty: the only one)", "", _service)
    likely = (surroundings.country() if asks else "") or "none"
    country = answer(
        "country", "Country of numbers that are written without one, such as FR, or none", likely, _country
    )
    ci = answer("ci", "CI: github, gitlab or none", surroundings.ci(root) if root else "none", choices=_CIS)
    lasting = "git" if ci != "none" and provider == "ovh" else "file"
    state = answer("state", "Where the state is kept: file, git (a branch) or postgresql", lasting, choices=_BACKENDS)
    around = os.path.relpath(place.resolve(), root) if root else "."
    return scaffold.Answers(
        project=project,
        timezone=timezone,
        provider=provider,
        service=service,
        country="" if country == "none" else country,
        state=state,
        ci=ci,
        folder=Path(around).as_posix(),
    )


def _schema() -> str:
    from smsdeclare.schema import schema_path  # noqa: PLC0415 - only here

    return schema_path("definitions.v1").read_text(encoding="utf-8")


def _write(session: Session, path: Path, text: str, *, overwrite: bool) -> None:
    """Write a file and say so, or say that it was there and what it lacks."""
    shown = path if Path.cwd() not in path.resolve().parents else path.resolve().relative_to(Path.cwd())
    if os.path.lexists(path) and not overwrite:
        session.note(f"kept {shown}, which was there{_lacking(path, text)}")
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(Diagnostic(code=codes.CANT_WRITE, detail=f"{error.filename}: {error.strerror}")) from error
    whole_file.write(path, text.encode())
    session.out(visible(f"wrote {shown}\n"))


def _lacking(path: Path, text: str) -> str:
    """What a .gitignore that was there does not name; empty for other files."""
    if path.name != ".gitignore":
        return ""
    try:
        kept = path.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        kept = []
    missing = [line for line in text.splitlines() if line and not line.startswith("#") and line not in kept]
    return f"; add to it: {' '.join(missing)}" if missing else ""


def _next(session: Session, folder: Path, answers: scaffold.Answers, pipeline: tuple[str, str] | None) -> None:
    where = session.place_options + ("" if folder == Path() else f" -C {folder}")
    if pipeline is not None:
        session.note(
            f"Before the pipeline runs, fill in the owner of smsdeclare, and its commit or version, in {pipeline[0]}."
        )
    if answers.state == "git":
        session.note(
            "The state on its branch is encrypted: put what `openssl rand -base64 32` prints into the secrets of CI,"
        )
        session.note("and where you keep passwords, as SMSDECLARE_STATE_KEY; pip install 'smsdeclare[encryption]'.")
    if answers.provider == "ovh":
        session.note(f"Now get keys: smsdeclare login{where}")
        session.note(f"Then look at what it would send: smsdeclare plan{where}")
    else:
        session.note(f"Now look at what it would send: smsdeclare plan{where}")
        session.note(
            f"Or in a browser: `smsdeclare sandbox`; in another terminal `smsdeclare apply{where} -f trials.yaml`"
        )
