"""The inbox: phones in a browser, beside the API on the same port, with what phones and networks do at hand.

Any page that a browser shows may send requests to this machine, so what is asked for by another name, what comes from
another page, and a form without this run's token are refused.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from smsdeclare.simulator import grant_page, inbox_page, replies
from smsdeclare.simulator.account import PTTS
from smsdeclare.simulator.faults import MEANINGS
from smsdeclare.simulator.lists import waits
from smsdeclare.simulator.messages import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from smsdeclare.simulator.api import Simulator
    from smsdeclare.simulator.faults import Faults
    from smsdeclare.simulator.history import Sms
    from smsdeclare.simulator.settings import Settings

    #: Fields of a form and the moment in; where to go then, or None where there is nothing of the kind.
    _Act: TypeAlias = Callable[[Mapping[str, str], float], str | None]

_API = ("/1.0/", "/v1/")
#: A name that leads here and that nobody else can have; the port may be any.
_HERE = re.compile(r"(?:127\.0\.0\.1|localhost)(?::[0-9]{1,5})?")
#: The word that a phone answers with to get nothing more.
_STOP = "STOP"
#: A form of this page is far smaller.
_LIMIT = 10_000
_HTML = "text/html; charset=us-ascii"
_SECONDS = re.compile(r"[0-9]{1,5}")


class Inbox:
    """A `Simulator` and its page. No I/O and no clock; the server takes one request at a time."""

    def __init__(self, simulator: Simulator, faults: Faults) -> None:
        self._simulator = simulator
        self._faults = faults
        self._token = secrets.token_urlsafe(24)
        self._forms: dict[str, _Act] = {
            "/receipt": self._receipt,
            "/stop": self._stop,
            "/reply": self._reply,
            "/fault": self._fault,
            "/times": self._times,
            "/grant": self._grant,
        }

    @property
    def settings(self) -> Settings:
        """Those of the simulator."""
        return self._simulator.settings

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes, now: float) -> Response:
        """The answer: of the API below its base, of the page elsewhere."""
        named = {name.lower(): value for name, value in headers.items()}
        if _HERE.fullmatch(named.get("host", "")) is None:
            return _plain(421, "Call it 127.0.0.1 or localhost.")
        if path.startswith(_API):
            return self._simulator.handle(method, path, headers, body, now)
        at = now + self.settings.clock_ahead
        place, _, query = path.partition("?")
        if method == "GET" and place in ("/", "/version"):
            return self._show(place, query, at)
        if method == "GET" and place == "/auth/":
            return self._ask_to_grant(_fields(query).get("credentialToken", ""))
        if method == "POST" and place in self._forms:
            form = _fields(body.decode("utf-8", "replace")) if len(body) <= _LIMIT else {}
            return self._take(self._forms[place], form, named, at)
        return _plain(404, "There is no such page.")

    def _take(self, act: _Act, form: Mapping[str, str], named: Mapping[str, str], at: float) -> Response:
        if not self._is_own(named, form):
            return _plain(403, "This form is not of this page, or of an earlier run: load the page anew.")
        target = act(form, at)
        if target is None:
            return _plain(400, "There is nothing of this kind.")
        return Response(status=303, headers={"Location": f"/{target}", "Content-Type": "text/plain"}, body=b"")

    def _is_own(self, named: Mapping[str, str], form: Mapping[str, str]) -> bool:
        """Browsers name the page that a form is on; what is no browser needs the token like everybody."""
        origin = named.get("origin")
        return (
            origin in (None, f"http://{named['host']}")
            and named.get("sec-fetch-site") in (None, "same-origin")
            and hmac.compare_digest(form.get("token", "").encode(), self._token.encode())
        )

    def _show(self, place: str, query: str, at: float) -> Response:
        wanted = _fields(query).get("number", "").replace(" ", "")
        seen = inbox_page.content(self._simulator, self._faults, at, token=self._token, wanted=wanted)
        if place == "/version":
            return _plain(200, inbox_page.version(seen))
        return _html(inbox_page.page(seen))

    def _ask_to_grant(self, key: str) -> Response:
        asked = self._simulator.history.asked.get(key)
        return (
            _plain(404, "Nobody asks for this.") if asked is None else _html(grant_page.page(asked, key, self._token))
        )

    def _arrived(self, number: str, at: float) -> Sms | None:
        """The SMS of that id, once a phone has it."""
        every = (sms for service in self.settings.services for sms in self._simulator.history.all(service.name))
        return next((sms for sms in every if str(sms.id) == number and not waits(sms, at)), None)

    def _receipt(self, form: Mapping[str, str], at: float) -> str | None:
        sms, ptt = self._arrived(form.get("id", ""), at), form.get("ptt", "")
        if sms is None or ptt not in map(str, PTTS):
            return None
        self._simulator.history.append({"receipt": sms.id, "ptt": int(ptt), "at": at})
        return f"#sms-{sms.id}"

    def _reply(self, form: Mapping[str, str], at: float) -> str | None:
        sms, text = self._arrived(form.get("id", ""), at), form.get("text", "").strip()
        if sms is None or not 0 < len(text) <= replies.LONGEST or replies.hindrance(sms, self.settings, at):
            return None
        if text.upper() == _STOP:
            return self._stop({"number": sms.receiver}, at)
        replies.reply(self._simulator.history, sms, text, at)
        return f"#phone-{sms.receiver.removeprefix('+')}"

    def _stop(self, form: Mapping[str, str], at: float) -> str | None:
        number, history = form.get("number", ""), self._simulator.history
        services = [
            service
            for service in self.settings.services
            if any(sms.receiver == number and not waits(sms, at) for sms in history.all(service.name))
        ]
        for service in services:
            if number in history.blacklist(service):
                continue
            history.append({"stop": number, "service": service.name, "at": at})
        return f"#phone-{number.removeprefix('+')}" if services else None

    def _grant(self, form: Mapping[str, str], at: float) -> str | None:
        key, state, history = form.get("key", ""), form.get("state", ""), self._simulator.history
        if key not in history.asked or state not in ("validated", "refused"):
            return None
        if history.asked[key].state == "pendingValidation":
            history.append({"decided": key, "state": state, "at": at})
        return f"auth/?credentialToken={key}"

    def _fault(self, form: Mapping[str, str], _: float) -> str | None:
        letter = form.get("letter", "")
        if letter not in MEANINGS:
            return None
        self._faults.script.clear()
        self._faults.standing = "a"
        if form.get("often") == "once":
            self._faults.script.append(letter)
        else:
            self._faults.standing = letter
        return "#faults"

    def _times(self, form: Mapping[str, str], _: float) -> str | None:
        lag, receipts = form.get("lag", ""), form.get("receipts", "")
        if _SECONDS.fullmatch(lag) is None or (receipts and _SECONDS.fullmatch(receipts) is None):
            return None
        changed = replace(self.settings, list_lag=float(lag), delivery_seconds=float(receipts) if receipts else None)
        self._simulator.change(changed)
        return "#times"


def _fields(written: str) -> dict[str, str]:
    try:
        return {name: values[-1] for name, values in parse_qs(written, max_num_fields=20).items()}
    except ValueError:
        return {}


def _html(page: bytes) -> Response:
    headers = {
        "Content-Type": _HTML,
        "Content-Security-Policy": inbox_page.POLICY,
        # `no-referrer` would take the page's name from its own forms.
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return Response(status=200, headers=headers, body=page)


def _plain(status: int, text: str) -> Response:
    headers = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
    return Response(status=status, headers=headers, body=f"{text}\n".encode())
