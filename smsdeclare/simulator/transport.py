"""The simulator under the real requests client: no socket, the rest of the client as it is."""

from __future__ import annotations

import io
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3 import HTTPResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from smsdeclare.simulator.messages import Handler


class Transport(BaseAdapter):
    """Mount it on a session in place of the adapter that opens connections."""

    def __init__(
        self, handler: Handler, *, clock: Callable[[], float], on_first_byte: Callable[[], None] | None = None
    ) -> None:
        super().__init__()
        self._handler = handler
        #: The caller's true time. Epoch seconds.
        self._clock = clock
        #: Called in the sender's thread, just before the request is handled.
        self._on_first_byte = on_first_byte
        self._lock = threading.Lock()

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """The simulator's answer as the client would have read it from a socket."""
        del stream, timeout, verify, cert, proxies  # nothing is read late, waited for, encrypted or relayed
        url = request.url or ""
        headers = {name: str(value) for name, value in request.headers.items()}
        # http.client adds this one below the adapter; the signature check needs it.
        headers.setdefault("Host", urlsplit(url).netloc.rpartition("@")[2])
        body = request.body or b""
        if not isinstance(body, bytes):
            body = str(body).encode()
        if self._on_first_byte is not None:
            self._on_first_byte()
        with self._lock:
            answer = self._handler.handle(request.method or "", request.path_url, headers, body, self._clock())
        reason = HTTPStatus(answer.status).phrase
        response = requests.Response()
        response.status_code = answer.status
        response.reason = reason
        response.url = url
        response.request = request
        response.headers = CaseInsensitiveDict({**answer.headers, "Content-Length": str(len(answer.body))})
        response.encoding = get_encoding_from_headers(response.headers)
        response.raw = HTTPResponse(
            body=io.BytesIO(answer.body),
            headers=dict(response.headers),
            status=answer.status,
            reason=reason,
            preload_content=False,
        )
        return response

    def close(self) -> None:
        """Nothing is open."""
