"""OVHcloud's signature over the very bytes of a request."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from requests.auth import AuthBase

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import PreparedRequest

    from smsdeclare.providers.credentials import ApplicationKeys


def sign(keys: ApplicationKeys, method: str, url: str, body: bytes, timestamp: int) -> str:
    """`$1$` and the SHA-1 of secret, consumer key, method, URL as sent, body as sent, and time, joined by `+`.

    By OVHcloud's "First steps" guide. SHA-1 is their choice; TLS is what protects the request.
    """
    parts = (keys.application_secret, keys.consumer_key, method.upper(), url)
    signed = "+".join(parts).encode() + b"+" + body + f"+{timestamp}".encode()
    return "$1$" + hashlib.sha1(signed, usedforsecurity=False).hexdigest()


class OvhAuth(AuthBase):
    """Signs a request as it stands at this moment; nothing may touch it afterwards."""

    def __init__(self, keys: ApplicationKeys, server_time: Callable[[], int]) -> None:
        self._keys = keys
        self._server_time = server_time

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """The request with its four headers."""
        body = request.body or b""
        if isinstance(body, str):
            body = body.encode()
        timestamp = self._server_time()
        signature = sign(self._keys, request.method or "", request.url or "", body, timestamp)
        request.headers["X-Ovh-Application"] = self._keys.application_key
        request.headers["X-Ovh-Consumer"] = self._keys.consumer_key
        request.headers["X-Ovh-Timestamp"] = str(timestamp)
        request.headers["X-Ovh-Signature"] = signature
        return request
