"""What can go wrong between a client and the API: a letter for each POST to `/jobs`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smsdeclare.simulator.messages import Response, to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

#: Letter → what happens. `a` goes on for ever once a script is used up, unless another stands.
MEANINGS = {
    "a": "handled and answered",
    "l": "handled, then the connection is closed without an answer",
    "d": "the connection is closed, nothing is handled",
    "2": "handled, then answered 502 with HTML",
    "5": "handled, then answered 503 with HTML",
    "6": "handled, then answered 504 with HTML",
    "0": "handled, then answered 500 with JSON",
    "h": "handled, then the answer is held until `release()` or until the client leaves",
    "t": "handled, then the answer stops in the middle of its body",
    "r": "answered 307 to another place, nothing is handled",
    "x": "answered 200 with HTML, nothing is handled",
    "4": "answered 403 with JSON and no query id, nothing is handled",
    "9": "answered 429 with JSON and a query id, nothing is handled",
}
#: Those after which the request is handled; what is answered is another question.
HANDLED = frozenset("al2560ht")

_JSON = "application/json; charset=utf-8"
_HTML = "text/html"


class Faults:
    """Which letter comes next: those of a script, then one that stands."""

    def __init__(self, script: str = "") -> None:
        self.script = list(check_script(script))
        self.standing = "a"

    def next(self) -> str:
        """The letter for one more POST to `/jobs`."""
        return self.script.pop(0) if self.script else self.standing


def check_script(script: str) -> str:
    """The script itself. Raises ValueError for a letter without a meaning."""
    unknown = sorted(set(script) - set(MEANINGS))
    if unknown:
        raise ValueError(f"a fault script can't hold {', '.join(unknown)}; it holds {' '.join(MEANINGS)}")
    return script


def answer_to(letter: str, handle: Callable[[], Response], *, elsewhere: str, retry_after: str) -> Response | None:
    """What goes back to the client, None where nothing does. Calls `handle` where the letter says so."""
    response = handle() if letter in HANDLED else None
    match letter:
        case "l":
            response = None
        case "2":
            response = _html(502, "Bad Gateway")
        case "5":
            response = _html(503, "Service Unavailable")
        case "6":
            response = _html(504, "Gateway Timeout")
        case "0":
            named = {"X-Ovh-QueryID": "SIM.fault.500"}
            response = _error(500, "Server::InternalServerError", "Internal server error", named)
        case "r":
            response = Response(status=307, headers={"Location": elsewhere, "Content-Type": _HTML}, body=b"")
        case "x":
            response = _html(200, "Welcome")
        case "4":
            response = _error(403, "Client::Forbidden", "Forbidden", {})
        case "9":
            wait = {"Retry-After": retry_after} if retry_after else {}
            named = {"X-Ovh-QueryID": "SIM.fault.429"}
            response = _error(429, "Client::TooManyRequests", "Too many requests", named | wait)
    return response


def _html(status: int, title: str) -> Response:
    body = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return Response(status=status, headers={"Content-Type": _HTML}, body=body.encode())


def _error(status: int, kind: str, message: str, headers: dict[str, str]) -> Response:
    body = to_bytes({"class": kind, "message": message})
    return Response(status=status, headers={"Content-Type": _JSON, **headers}, body=body)
