"""What the environment says: credentials, variables, whether this is CI."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError

if TYPE_CHECKING:
    from configparser import ConfigParser

    from smsdeclare.ledgers.sealing import Keys, Passphrase, RawKey
    from smsdeclare.providers.credentials import Credentials

_VARIABLE = "SMSDECLARE_VAR_"
_POSTGRESQL = "SMSDECLARE_POSTGRESQL_URL"
#: What encrypts a state; with _OLD behind it, what did before.
_STATE_PASSPHRASE = "SMSDECLARE_STATE_PASSPHRASE"  # noqa: S105 - a variable's name
_STATE_KEY = "SMSDECLARE_STATE_KEY"
#: What hashes numbers in a state that keeps none.
_NUMBERS_KEY = "SMSDECLARE_NUMBERS_KEY"
#: Any of these of libpq names a server or a database.
_LIBPQ = ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE")
#: An ovh.conf larger than this is none. Bytes.
_CONF_LIMIT = 100_000


def whole() -> dict[str, str]:
    """All of it, for a command that finds its own way."""
    return dict(os.environ)


def variables() -> dict[str, str]:
    """Template variables given as SMSDECLARE_VAR_name."""
    return {name.removeprefix(_VARIABLE): value for name, value in os.environ.items() if name.startswith(_VARIABLE)}


def policy_file() -> Path | None:
    """The file of a policy that tightens the project's own, SMSDECLARE_POLICY; raises InputError where it is empty."""
    named = os.environ.get("SMSDECLARE_POLICY")
    if named is not None and not named.strip():
        raise InputError(Diagnostic(code=codes.POLICY_UNNAMED, detail="it is empty"))
    return None if named is None else Path(named)


#: In this folder, the strongest.
CONF_HERE = Path("ovh.conf")


def conf_at_home() -> Path:
    """The file that counts in every folder."""
    return Path(os.path.expanduser("~/.ovh.conf"))  # noqa: PTH111 - never raises


def conf_files() -> list[tuple[str, str]]:
    """Name and text of the official clients' files, as far as they exist, the weakest first."""
    places = (Path("/etc/ovh.conf"), conf_at_home(), CONF_HERE)
    return [(str(path), text) for path in places if (text := conf_text(path)) is not None]


def conf() -> ConfigParser:
    """The ovh.conf files of the official clients merged: /etc, the home folder, and this folder, the strongest."""
    from smsdeclare.providers import credentials  # noqa: PLC0415 - only where a provider is asked

    return credentials.read_conf(conf_files())


def endpoint(found: ConfigParser) -> tuple[str | None, str]:
    """The endpoint that goes with the credentials, and who names it: OVH_ENDPOINT, else ovh.conf."""
    from smsdeclare.providers import credentials  # noqa: PLC0415 - only where a provider is asked

    source = "OVH_ENDPOINT" if os.environ.get("OVH_ENDPOINT") else "ovh.conf"
    return credentials.endpoint_of(os.environ, found), source


def find_credentials(found: ConfigParser, endpoint_name: str) -> Credentials:
    """The credentials for an endpoint; raises InputError where there are none, half of them, or two kinds."""
    from smsdeclare.providers import credentials  # noqa: PLC0415 - only where a provider is asked

    return credentials.find(os.environ, found, endpoint_name)


def signs(found: ConfigParser, endpoint_name: str) -> bool:
    """Whether the credentials sign each request with its time, so that a late one is refused."""
    from smsdeclare.providers import credentials  # noqa: PLC0415 - only where a provider is asked

    return isinstance(find_credentials(found, endpoint_name), credentials.ApplicationKeys)


def postgresql_url() -> str:
    """The connection string of the state's database; empty where libpq's own variables, which it reads, say it all."""
    found = os.environ.get(_POSTGRESQL, "").strip()
    if not found and not any(os.environ.get(name) for name in _LIBPQ):
        raise InputError(Diagnostic(code=codes.STATE_URL, detail=f"{_POSTGRESQL} is not set"))
    return found


def state_keys() -> Keys:
    """What encrypts a state and opens it; raises InputError where none is set, two are, or one is unfit."""
    from smsdeclare.ledgers.sealing import Keys  # noqa: PLC0415 - few states are encrypted

    current, old = _state_key(""), _state_key("_OLD")
    if current is None:
        detail = f"neither {_STATE_PASSPHRASE} nor {_STATE_KEY} is set"
        raise InputError(Diagnostic(code=codes.STATE_KEY_MISSING, detail=detail))
    return Keys(current=current, old=old)


def _state_key(suffix: str) -> Passphrase | RawKey | None:
    from smsdeclare.ledgers.sealing import Passphrase, RawKey  # noqa: PLC0415 - as above

    words, raw = f"{_STATE_PASSPHRASE}{suffix}", f"{_STATE_KEY}{suffix}"
    passphrase, key = os.environ.get(words), os.environ.get(raw)
    if passphrase and key:
        raise InputError(Diagnostic(code=codes.STATE_KEY_UNFIT, detail=f"both {words} and {raw} are set"))
    try:
        return Passphrase(passphrase) if passphrase else RawKey.parse(key) if key else None
    except ValueError as error:
        raise InputError(
            Diagnostic(code=codes.STATE_KEY_UNFIT, detail=f"{words if passphrase else raw}: {error}")
        ) from None


def numbers_key() -> bytes | None:
    """The key of the hashes that stand in a state in place of numbers; raises InputError where it is unfit."""
    found = os.environ.get(_NUMBERS_KEY)
    if not found:
        return None
    from smsdeclare.ledgers.sealing import RawKey  # noqa: PLC0415 - few states hold hashes

    try:
        return RawKey.parse(found).value
    except ValueError as error:
        raise InputError(Diagnostic(code=codes.NUMBERS_KEY_UNFIT, detail=f"{_NUMBERS_KEY}: {error}")) from None


def is_ci() -> bool:
    """Whether a CI runner is at work, by the variable that all of them set."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def actor() -> str:
    """Who is at work, as far as the machine knows."""
    import getpass  # noqa: PLC0415 - only for the lease, and for what stays on record
    import socket  # noqa: PLC0415 - as above

    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "somebody"
    return f"{user} on {socket.gethostname()}"


def ci_job() -> str | None:
    """Where the CI job can be looked at, in the words of GitHub, GitLab, and Jenkins; None where none is named."""
    run = os.environ.get("GITHUB_RUN_ID")
    if run:
        return "/".join(
            (os.environ.get("GITHUB_SERVER_URL", ""), os.environ.get("GITHUB_REPOSITORY", ""), "actions/runs", run)
        )
    return os.environ.get("CI_JOB_URL") or os.environ.get("BUILD_URL") or None


def conf_text(path: Path) -> str | None:
    """The text of a plain file, None where there is no file; raises InputError where it can't be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(_unreadable(path, error.strerror)) from error
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _CONF_LIMIT:
            raise InputError(_unreadable(path, "not a plain file of a few lines"))
        try:
            return stream.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError(_unreadable(path, "not UTF-8")) from error


def _unreadable(path: Path, why: str | None) -> Diagnostic:
    return Diagnostic(code=codes.CREDENTIALS_UNREADABLE, detail=f"{path}: {why}")
