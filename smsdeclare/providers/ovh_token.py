"""OAuth2 client credentials: a token for an hour, never renewed under a claimed job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requests import Request
from requests.auth import AuthBase

if TYPE_CHECKING:
    from requests import PreparedRequest

    from smsdeclare.clock import Clock
    from smsdeclare.providers.credentials import ClientCredentials

#: A token that ends sooner is not used for a new request. Seconds.
_SPARE_SECONDS = 60


class BearerAuth(AuthBase):
    """Sends the current token; the token's own end is what fences a request that arrives late."""

    def __init__(self, credentials: ClientCredentials, token_url: str, clock: Clock) -> None:
        self._credentials = credentials
        self._url = token_url
        self._clock = clock
        #: The token, and when it expires in epoch seconds on this machine's clock: one value, since other threads read
        #: it while it is renewed.
        self._current = ("", 0)

    @property
    def expires_at(self) -> int:
        """When the current token ends. Epoch seconds on this machine's clock."""
        return self._current[1]

    @property
    def is_fresh(self) -> bool:
        """Whether the token may be used for a new request."""
        return self.expires_at - _SPARE_SECONDS > self._clock.now().timestamp()

    def request(self) -> PreparedRequest:
        """The request for a token."""
        form = {
            "grant_type": "client_credentials",
            "scope": "all",
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
        }
        return Request("POST", self._url, data=form, headers={"Accept": "application/json"}).prepare()

    def take(self, answer: Any) -> bool:
        """Keep the token of an answer; whether it was one."""
        if not isinstance(answer, dict):
            return False
        token, lasts = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token.isascii() or type(lasts) is not int or not 0 < lasts < 1_000_000:
            return False
        self._current = (token, int(self._clock.now().timestamp()) + lasts)
        return True

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """The request with its token."""
        request.headers["Authorization"] = f"Bearer {self._current[0]}"
        return request
