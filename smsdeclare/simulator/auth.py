"""Who calls, and may they: keys, clock, signature and access rules, each refused in OVHcloud's own words."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING

from smsdeclare.simulator.messages import gate_refused, refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smsdeclare.simulator.messages import Request
    from smsdeclare.simulator.settings import Credential, Settings


def signature(credential: Credential, method: str, url: str, body: bytes, timestamp: str) -> str:
    """`$1$` and the SHA-1 over secret, consumer key, method, URL as called, body bytes and timestamp."""
    parts = (
        credential.application_secret.encode(),
        credential.consumer_key.encode(),
        method.upper().encode(),
        url.encode(),
        body,
        timestamp.encode(),
    )
    return "$1$" + hashlib.sha1(b"+".join(parts)).hexdigest()  # noqa: S324 - the API's own rule


def granted(credential: Credential, method: str, path: str) -> bool:
    """Whether a rule covers the call. `*` is any run of characters; a trailing slash is another path."""
    return any(
        method == allowed and re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), path) is not None
        for allowed, pattern in credential.rules
    )


def authenticate(
    request: Request, settings: Settings, at: float, known: Sequence[Credential] | None = None
) -> Credential | None:
    """The caller's credential, None for OAuth2. `at` is the server's clock; `known` are those that there are by now.

    Raises Refused. UNKNOWN: which check comes first where several would fail.
    """
    bearer = request.header("Authorization")
    if bearer:
        if bearer.removeprefix("Bearer ") in settings.bearer_tokens and bearer.startswith("Bearer "):
            return None
        raise refused(401, "You must login first")
    key, consumer = request.header("X-Ovh-Application"), request.header("X-Ovh-Consumer")
    timestamp, signed = request.header("X-Ovh-Timestamp"), request.header("X-Ovh-Signature")
    if not consumer or not signed or not timestamp:
        raise refused(401, "You must login first")
    known = settings.credentials if known is None else known
    ours = [credential for credential in known if credential.application_key == key]
    if not ours:
        raise gate_refused(settings, 403, "INVALID_KEY", "This application key is invalid")
    credential = next((credential for credential in ours if credential.consumer_key == consumer), None)
    if credential is None:
        raise gate_refused(settings, 403, "NOT_CREDENTIAL", "This credential does not exist")
    if credential.state == "pendingValidation" and settings.pending_answer == "INVALID_SIGNATURE":
        raise gate_refused(settings, 400, "INVALID_SIGNATURE", "Invalid signature")
    if credential.state != "validated":
        raise gate_refused(settings, 403, "INVALID_CREDENTIAL", "This credential is not valid")
    _check_signature(request, settings, credential, at)
    looks_at_itself = (request.method, request.path) == ("GET", "/auth/currentCredential")
    if looks_at_itself and settings.own_credential_open:
        return credential
    if not granted(credential, request.method, request.path):
        raise gate_refused(settings, 403, "NOT_GRANTED_CALL", "This call has not been granted")
    return credential


def _check_signature(request: Request, settings: Settings, credential: Credential, at: float) -> None:
    timestamp = request.header("X-Ovh-Timestamp")
    origin = settings.origin or f"http://{request.header('Host')}"
    expected = signature(credential, request.method, origin + request.target, request.body, timestamp)
    if re.fullmatch(r"[0-9]{1,12}", timestamp) is None:
        raise gate_refused(settings, 400, "INVALID_SIGNATURE", "Invalid signature")
    # UNKNOWN: the name is seen in the wild; status and text come from a third party's fake server.
    if abs(at - int(timestamp)) > settings.signature_window:
        raise gate_refused(settings, 400, "QUERY_TIME_OUT", "Query out of time")
    if not hmac.compare_digest(expected.encode(), request.header("X-Ovh-Signature").encode()):
        raise gate_refused(settings, 400, "INVALID_SIGNATURE", "Invalid signature")
