"""Consumer keys that are asked for while the world runs: made at once, good once somebody has said yes in a browser."""

from __future__ import annotations

import ipaddress
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from smsdeclare.simulator.fields import CREDENTIAL, read_fields
from smsdeclare.simulator.messages import Answer, refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smsdeclare.simulator.history import History
    from smsdeclare.simulator.messages import Request
    from smsdeclare.simulator.settings import Credential

_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")


def ask(history: History, request: Request, at: float) -> Answer:
    """A consumer key for an application, and the page on which somebody grants it. Raises Refused."""
    settings = history.settings
    key = request.header("X-Ovh-Application")
    if key not in {credential.application_key for credential in settings.credentials}:
        raise refused(403, "Invalid application key")
    posted = {name: value for name, value in read_fields(request.body, CREDENTIAL, settings).items() if value}
    rules = [_rule(one) for one in posted.get("accessRules", ())]
    if not rules:
        raise refused(400, "Missing parameter: accessRules")
    for block in posted.get("allowedIPs", ()):
        try:
            ipaddress.ip_network(block)
        except ValueError:
            raise refused(400, "Invalid parameter allowedIPs: ipBlock[] expected") from None
    # No chance in here: the key follows from how many there are. It opens nothing but this world.
    seed = f"{key} {len(history.asked)} {at}"
    consumer, token = (sha256(f"{what} {seed}".encode()).hexdigest() for what in ("consumer", "token"))
    history.append(
        {
            "asked": token,
            "applicationKey": key,
            "consumerKey": consumer[:32],
            "rules": rules,
            "allowedIPs": posted.get("allowedIPs"),
            "at": at,
        }
    )
    origin = settings.origin or f"http://{request.header('Host')}"
    return Answer(
        value={
            "state": "pendingValidation",
            "consumerKey": consumer[:32],
            "validationUrl": f"{origin}/auth/?credentialToken={token}",
        }
    )


def credentials(history: History) -> Sequence[Credential]:
    """Those that the world began with, and those that were asked for since."""
    return (*history.settings.credentials, *history.asked.values())


def _rule(written: Any) -> list[str]:
    if not isinstance(written, dict) or set(written) != {"method", "path"}:
        raise refused(400, "Invalid parameter accessRules: method and path expected")
    method, path = written["method"], written["path"]
    if method not in _METHODS or not isinstance(path, str) or not path.startswith("/"):
        raise refused(400, "Invalid parameter accessRules: method and path expected")
    return [method, path]
