"""What the environment says: credentials, variables, whether this is CI."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError

if TYPE_CHECKING:
    from smsdeclare.providers.ovh_signature import ApplicationKeys

_VARIABLE = "SMSDECLARE_VAR_"
_KEYS = ("OVH_APPLICATION_KEY", "OVH_APPLICATION_SECRET", "OVH_CONSUMER_KEY")


def variables() -> dict[str, str]:
    """Template variables given as SMSDECLARE_VAR_name."""
    return {name.removeprefix(_VARIABLE): value for name, value in os.environ.items() if name.startswith(_VARIABLE)}


def endpoint() -> str | None:
    """OVH_ENDPOINT; empty counts as unset."""
    return os.environ.get("OVH_ENDPOINT") or None


def application_keys() -> ApplicationKeys:
    """The three keys of signed requests; raises InputError where one is missing."""
    from smsdeclare.providers.ovh_signature import ApplicationKeys  # noqa: PLC0415 - requests is heavy

    missing = [name for name in _KEYS if not os.environ.get(name)]
    if missing:
        raise InputError(Diagnostic(code=codes.NO_CREDENTIALS, detail=f"{', '.join(missing)} not set"))
    key, secret, consumer = (os.environ[name].strip() for name in _KEYS)
    return ApplicationKeys(application_key=key, application_secret=secret, consumer_key=consumer)


def is_ci() -> bool:
    """Whether a CI runner is at work, by the variable that all of them set."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")
