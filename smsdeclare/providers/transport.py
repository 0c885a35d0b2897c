"""HTTP without surprises: nothing that creates is retried, nothing is followed, and the first byte is noticed."""

from __future__ import annotations

import io
import ssl
import threading
from functools import lru_cache
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from requests import ConnectionError, PreparedRequest, Response, Session  # noqa: A004 - the one that requests raises
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from smsdeclare.clock import SystemClock
from smsdeclare.providers.endpoints import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from socket import socket

    from smsdeclare.clock import Clock

CONNECT_SECONDS = 10.0
#: For each read; OVHcloud was seen to take tens of seconds on long lists of receivers.
READ_SECONDS = 60.0
#: For a whole answer, however slowly it drips: less than other runs wait for what this one has in flight.
ANSWER_SECONDS = 90.0
#: What is there already is read without waiting, which no socket does with a timeout of 0. Seconds.
_AT_ONCE = 0.001
#: A larger answer is not an answer. Bytes.
ANSWER_LIMIT = 1 << 20


class _Wire(threading.local):
    """Whether the request of this thread has begun to leave.

    The kind of an exception can't tell: the library raises the same one for a failed handshake and for a
    connection that breaks after the body was read.
    """

    has_begun = False
    #: Whether it went over a connection that had served another one, which the other side may have closed since.
    is_reused = False
    #: What its answer is timed by.
    monotonic: Callable[[], float] = staticmethod(SystemClock().monotonic)


wire = _Wire()


class _Incoming(io.RawIOBase):
    """The bytes of an answer, none of which is waited for beyond the end: each may come in time for its own read."""

    def __init__(self, raw: io.RawIOBase, connected: socket) -> None:
        self._raw, self._socket = raw, connected
        self._now = wire.monotonic
        self._end = self._now() + ANSWER_SECONDS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        each, left = self._socket.gettimeout(), self._end - self._now()
        self._socket.settimeout(max(_AT_ONCE, left if each is None else min(each, left)))
        try:
            return self._raw.readinto(buffer)
        finally:
            self._socket.settimeout(each)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(HTTPResponse):
    """An answer that comes in whole, or not at all."""

    def __init__(self, sock: socket, *arguments: Any, **settings: Any) -> None:
        super().__init__(sock, *arguments, **settings)
        self.fp = io.BufferedReader(_Incoming(self.fp.detach(), sock))


class _NoticesFirstByte:
    """Mixed into urllib3's connections: what is written while connecting (a proxy's tunnel) does not count."""

    _connecting = False
    _is_used = False

    def putrequest(self, *arguments: Any, **settings: Any) -> None:
        wire.is_reused = self._is_used and getattr(self, "sock", None) is not None
        self._is_used = True
        super().putrequest(*arguments, **settings)  # type: ignore[misc]  # as above

    def close(self) -> None:
        self._is_used = False
        super().close()  # type: ignore[misc]  # as above

    def connect(self) -> None:
        self._connecting = True
        try:
            super().connect()  # type: ignore[misc]  # the connection it is mixed into
        finally:
            self._connecting = False

    def send(self, data: Any) -> None:
        if getattr(self, "sock", None) is None:
            self.connect()
        if not self._connecting:
            wire.has_begun = True
        super().send(data)  # type: ignore[misc]  # as above


class _Connection(_NoticesFirstByte, HTTPConnection):
    response_class = _Answer


class _TlsConnection(_NoticesFirstByte, HTTPSConnection):
    response_class = _Answer


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class DirectAdapter(HTTPAdapter):
    """requests' own adapter, without retries, over connections that notice their first byte."""

    def __init__(self) -> None:
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Pools whose connections notice their first byte."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def proxy_manager_for(self, proxy: Any, **kwargs: Any) -> Any:
        """As `init_poolmanager`, for connections through a proxy."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        return manager


def prepared(method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> PreparedRequest:
    """A request as requests prepares it, without what it could take from a session."""
    request = PreparedRequest()
    request.prepare_method(method)
    request.url = _prepared_url(url)
    request.prepare_headers(headers)
    request.prepare_body(body or None, None)
    return request


@lru_cache
def _prepared_url(url: str) -> str | None:
    """POSTs all go to one URL, and looking through it takes longer than the rest of their preparation."""
    request = PreparedRequest()
    request.prepare_url(url, None)
    return request.url


class AnswerTooLarge(Exception):
    """The answer is larger than any answer of this API."""


class Line:
    """A session with one API, over real sockets or over an adapter of its own."""

    def __init__(self, adapter: BaseAdapter | None = None, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._session = Session()
        self._session.mount("https://", adapter or DirectAdapter())
        self._session.mount("http://", adapter or DirectAdapter())
        #: Scheme and host → what the environment says of proxies and certificates; found once, it is slow to find.
        self._settings: dict[tuple[str, str], Any] = {}

    def send(self, request: PreparedRequest, limit: int = ANSWER_LIMIT) -> tuple[Response, bytes]:
        """Send a prepared request as it is, once; the answer's head and its decoded body of at most `limit` bytes.

        Only a GET that met a closed connection goes out once more, over a fresh one: servers close idle ones at will.
        Raises requests.RequestException or AnswerTooLarge; `wire.has_begun` tells whether a byte had left.
        """
        wire.has_begun = wire.is_reused = False
        wire.monotonic = self._clock.monotonic
        settings = self._settings_for(request.url or "")
        # The adapter and not the session, which looks at redirects and cookies even where it follows none.
        adapter = self._session.get_adapter(request.url or "")
        settings = {**settings, "timeout": (CONNECT_SECONDS, READ_SECONDS)}
        try:
            response = adapter.send(request, **settings)
        except ConnectionError:
            if request.method != "GET" or not wire.is_reused:
                raise
            self.hang_up()
            response = adapter.send(request, **settings)
        with response:
            body = bytearray()
            for chunk in response.iter_content(8192):
                body += chunk
                if len(body) > limit:
                    raise AnswerTooLarge
            return response, bytes(body)

    def _settings_for(self, url: str) -> Any:
        """Proxies and certificates of the environment count, as they do for every other tool on the machine.

        None but this machine ever sees what goes to a loopback address.
        """
        scheme, host, *_ = urlsplit(url)
        found = self._settings.get((scheme, host))
        if found is None:
            found = self._session.merge_environment_settings(url, {}, True, None, None)
            paths = ssl.get_default_verify_paths()
            if found["verify"] is True and paths.cafile != paths.openssl_cafile:
                # SSL_CERT_FILE, which requests leaves out, names it.
                found["verify"] = paths.cafile or True
            if is_loopback(f"{scheme}://{host}"):
                # What is for this machine may be in clear because it never leaves it.
                found["proxies"] = {}
            self._settings[scheme, host] = found
        return found

    def hang_up(self) -> None:
        """Close idle connections, so that the next request opens a fresh one."""
        for adapter in self._session.adapters.values():
            adapter.close()
