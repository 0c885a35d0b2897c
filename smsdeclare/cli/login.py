"""`smsdeclare login`."""

from __future__ import annotations

import ipaddress
import os
import sys
from configparser import ConfigParser
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import click

from smsdeclare import codes
from smsdeclare.cli import environment, git_ignores, opening, ovh_conf, whole_file
from smsdeclare.cli.session import DURATION, Explained, Session, is_terminal, shared_options
from smsdeclare.clock import SystemClock, timestamp
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError, ProviderError
from smsdeclare.providers import credentials, rights
from smsdeclare.redaction import visible

if TYPE_CHECKING:
    from pathlib import Path

    from smsdeclare.providers.endpoints import Endpoint
    from smsdeclare.providers.ovh_grants import Grant

#: How long somebody has to open the page, log in, and say yes.
_WAIT = timedelta(minutes=10)
#: Between two looks. Seconds.
_PAUSE = 2.0
#: What a key that nobody has granted yet is answered; and what passes by itself.
_PENDING = (codes.CONSUMER_KEY_INVALID, codes.SIGNATURE_REFUSED)
_PASSES = (codes.PROVIDER_UNREACHABLE, codes.ANSWER_UNREADABLE, codes.TOO_FAST)


@click.command(
    cls=Explained,
    examples="""
        # The link to a page that makes all three keys: for the environment of a CI runner, say
        smsdeclare login --url
    """,
)
@click.option("--url", is_flag=True, help="Only print the link that makes credentials with the least rights.")
@click.option("--wait", type=DURATION, help="Wait so long for the key to be granted [default: 10m on a terminal].")
@click.option("--home", is_flag=True, help="Write ~/.ovh.conf instead of ./ovh.conf.")
@click.option("--replace", is_flag=True, help="Replace other credentials that stand in the file for this endpoint.")
@click.option(
    "--allow-ip", "blocks", multiple=True, metavar="BLOCK", help="Good from there only, such as 203.0.113.0/24."
)
@shared_options
def command(
    session: Session, *, url: bool, wait: timedelta | None, home: bool, replace: bool, blocks: tuple[str, ...]
) -> None:
    """Get OVHcloud credentials with the least rights, and write them to ./ovh.conf.

    Asks for the key and secret of an application, unless the environment or an ovh.conf has them; has OVHcloud make a
    consumer key with the rights that this project needs, prints the page on which you grant it, and waits. Then it says
    what the key may, until when, and from where. The file gets mode 0600; no secret is ever printed.
    """
    definitions = opening.definitions(session)
    place = opening.place(definitions)
    service = definitions.provider.service
    if url:
        session.out(rights.login_link(place, service) + "\n")
        session.note(
            "Never put the keys into a file that Git keeps: OVH_APPLICATION_KEY and so on belong in the environment."
        )
        return
    if definitions.provider.name == "sandbox":
        raise InputError(Diagnostic(code=codes.LOGIN_NOT_NEEDED, detail=""))
    if wait is None and not is_terminal(sys.stdin):
        raise InputError(Diagnostic(code=codes.LOGIN_NEEDS_PERSON, detail="this is no terminal"))
    _check(blocks)
    path = environment.conf_at_home() if home else environment.CONF_HERE
    text = environment.conf_text(path) or ""
    application = _application(session, place)
    if not replace and ovh_conf.others(text, str(path), place.name, application.key):
        raise InputError(Diagnostic(code=codes.OTHER_CREDENTIALS, detail=f"{path}, section [{place.name}]"))
    wanted = rights.least(service)
    keys, grant = _log_in(session, place, application, wanted, blocks, _WAIT if wait is None else wait)
    _write(path, ovh_conf.with_keys(text, place.name, keys), place, keys)
    session.out(visible(f"wrote {path}\n"))
    if grant is not None:
        _tell(session, grant, wanted)
    session.report(_cautions(path, grant, wanted))
    session.note(f"Now see whether all is well: smsdeclare doctor{session.place_options}")


class _Application(NamedTuple):
    key: str
    secret: str

    def with_consumer(self, consumer_key: str, endpoint: str) -> credentials.ApplicationKeys:
        """All three, looked at as those of the environment are; raises InputError."""
        names = ("APPLICATION_KEY", "APPLICATION_SECRET", "CONSUMER_KEY")
        values = (self.key, self.secret, consumer_key)
        around = {f"OVH_{name}": value for name, value in zip(names, values, strict=True)}
        found = credentials.find(around, ConfigParser(), endpoint)
        assert isinstance(found, credentials.ApplicationKeys)  # noqa: S101 - by the names above
        return found


def _check(blocks: tuple[str, ...]) -> None:
    for block in blocks:
        try:
            ipaddress.ip_network(block)
        except ValueError as error:
            detail = f"--allow-ip {block}: {error}"
            hint = "Write an address, or a block such as 203.0.113.0/24."
            raise InputError(Diagnostic(code=codes.USAGE, detail=detail, suggestion=hint)) from None


def _application(session: Session, place: Endpoint) -> _Application:
    """Key and secret, each from the environment, else from an ovh.conf, else from whoever sits there.

    Raises InputError.
    """
    conf = environment.conf()
    words = {"application_key": "Application key", "application_secret": "Application secret"}
    found = {
        name: os.environ.get(f"OVH_{name.upper()}", "").strip() or conf.get(place.name, name, fallback="").strip()
        for name in words
    }
    if missing := [name for name, value in found.items() if not value]:
        if not is_terminal(sys.stdin):
            named = " and ".join(f"OVH_{name.upper()}" for name in missing)
            detail = f"{named} {'is' if len(missing) == 1 else 'are'} not set"
            hint = f"An application is made here: {rights.application_link(place)}"
            raise InputError(Diagnostic(code=codes.NO_CREDENTIALS, detail=detail, suggestion=hint))
        session.note(
            f"An application's key and secret are needed; it is made here:\n  {rights.application_link(place)}"
        )
        for name in missing:
            question = f"{words[name]} (what you type stays hidden)"
            found[name] = click.prompt(question, hide_input=True, err=True).strip()
    application = _Application(key=found["application_key"], secret=found["application_secret"])
    application.with_consumer("pending", place.name)
    return application


def _log_in(
    session: Session,
    place: Endpoint,
    application: _Application,
    wanted: list[rights.Right],
    blocks: tuple[str, ...],
    wait: timedelta,
) -> tuple[credentials.ApplicationKeys, Grant | None]:
    """The keys once they are granted, and what they may where that could be asked; raises what ends it before."""
    from smsdeclare.providers import ovh, ovh_grants  # noqa: PLC0415 - requests is heavy

    asked = ovh_grants.ask(place.url, application.key, wanted, blocks, ovh.HEADERS)
    session.note("Open this page, log in, and grant the key:")
    session.out(f"{asked.page}\n")
    sys.stdout.flush()
    session.detail("It asks for:\n" + "\n".join(f"  {right}" for right in wanted))
    session.note(f"Waiting for that, until {timestamp(SystemClock().now() + wait)} at most; Ctrl-C ends it.")
    keys = application.with_consumer(asked.consumer_key, place.name)
    clock = SystemClock()
    provider = ovh.OvhProvider(url=place.url, credentials=keys, service=None, clock=clock)
    end = clock.monotonic() + wait.total_seconds()
    said = "nobody granted it in time"
    while True:
        try:
            grant = provider.grant()
            if grant.status == "validated":
                return keys, grant
            if grant.status != "pendingValidation":
                said = f"OVHcloud calls it {visible(grant.status)}"
                break
        except ProviderError as error:
            code = error.diagnostics[0].code
            if code is codes.RIGHT_MISSING:
                # It is good, or the right would not have been looked at.
                return keys, None
            if code not in (*_PENDING, *_PASSES):
                raise
            if code is codes.SIGNATURE_REFUSED:
                said = "nobody granted it in time, or the application secret does not fit the application key"
            session.detail(error.diagnostics[0].message)
        left = end - clock.monotonic()
        if left <= 0:
            break
        clock.sleep(min(_PAUSE, left))
    raise InputError(Diagnostic(code=codes.NOT_GRANTED, detail=said))


def _write(path: Path, text: str, place: Endpoint, keys: credentials.ApplicationKeys) -> None:
    if ovh_conf.reads_as(text, str(path), place.name) != keys:
        detail = f"{path}: its section [{place.name}] can't be changed by itself; nothing was written"
        raise InputError(Diagnostic(code=codes.CREDENTIALS_UNREADABLE, detail=detail))
    whole_file.write(path, text.encode(), mode=0o600)


def _tell(session: Session, grant: Grant, wanted: list[rights.Right]) -> None:
    lacking = rights.lacking(wanted, grant.rules)
    session.note(f"Rights: {len(wanted) - len(lacking)} of the {len(wanted)} that are needed.")
    session.note(f"Good until {timestamp(grant.ends)}." if grant.ends else "It does not end by itself.")
    session.note(f"From {', '.join(grant.addresses)} only." if grant.addresses else "From any address.")


def _cautions(path: Path, grant: Grant | None, wanted: list[rights.Right]) -> list[Diagnostic]:
    """What the new file and the new key leave to be said."""
    found = [
        Diagnostic(code=codes.CONF_SHADOWED, detail=f"OVH_{name} is set")
        for name in ("APPLICATION_KEY", "APPLICATION_SECRET", "CONSUMER_KEY", "CLIENT_ID", "CLIENT_SECRET")
        if os.environ.get(f"OVH_{name}") and name not in ("APPLICATION_KEY", "APPLICATION_SECRET")
    ]
    if grant is not None:
        from smsdeclare.providers import ovh_grants  # noqa: PLC0415 - requests is heavy

        found += map(ovh_grants.not_granted, rights.lacking(wanted, grant.rules))
        found += ovh_grants.ends_soon(grant, SystemClock().now())
    if git_ignores.would_commit(path):
        found.append(Diagnostic(code=codes.CONF_NOT_IGNORED, detail=str(path)))
    return found
