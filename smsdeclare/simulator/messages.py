"""Request in, Response out, and the two shapes in which OVHcloud says no."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smsdeclare.simulator.settings import Settings

#: `/v1` is an alias of `/1.0`.
_BASES = ("/1.0", "/v1")

_CLASSES = {
    400: "Client::BadRequest",
    401: "Client::Unauthorized",
    403: "Client::Forbidden",
    404: "Client::NotFound",
    429: "Client::TooManyRequests",
    500: "Server::InternalServerError",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What goes back over the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Handler(Protocol):
    """Who answers requests: a `Simulator`, or an `Outbox` around one."""

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes, now: float) -> Response:
        """The answer; `path` holds base and query, `now` is the caller's true time in epoch seconds."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A 200: any JSON value."""

    value: Any
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """An answer that is not a 200."""

    def __init__(self, status: int, content: Mapping[str, Any]) -> None:
        super().__init__(content["message"])
        self.status = status
        self.content = content


def refused(status: int, message: str) -> Refused:
    """The newer shape: `class` and `message`."""
    return Refused(status, {"class": _CLASSES.get(status, "Client::Error"), "message": message})


def gate_refused(settings: Settings, status: int, code: str, message: str) -> Refused:
    """The gateway's own shape: `errorCode`, `httpCode` and `message`, or the newer one by setting."""
    if settings.error_shape == "class":
        return refused(status, message)
    http_code = f"{status} {HTTPStatus(status).phrase}"
    return Refused(status, {"errorCode": code, "httpCode": http_code, "message": message})


def no_such_url() -> Refused:
    """The route is not served here."""
    return refused(404, "Got an invalid (or empty) URL")


def to_bytes(value: Any) -> bytes:
    """JSON as it goes over the wire: no spaces, ASCII."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call, taken apart. The signature is over `target`, access rules over `path`."""

    method: str
    #: As called, from the base on, query included.
    target: str
    #: Without base and query, still percent-encoded; empty where the base is not known.
    path: str
    query: tuple[tuple[str, str], ...]
    #: Names in lower case.
    headers: Mapping[str, str]
    body: bytes

    @staticmethod
    def of(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Request:
        """Nothing is refused here: an unknown base gives an empty path, which no route has."""
        before, _, query = target.partition("?")
        path = next((before.removeprefix(base) for base in _BASES if before.startswith(f"{base}/")), "")
        return Request(
            method=method.upper(),
            target=target,
            path=path,
            query=tuple(parse_qsl(query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in headers.items()},
            body=body,
        )

    def header(self, name: str) -> str:
        """Its value, empty where absent."""
        return self.headers.get(name.lower(), "")
