"""The sandbox: the OVHcloud provider over the simulator, in this process, its SMS kept in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import ProviderError
from smsdeclare.providers.credentials import ApplicationKeys
from smsdeclare.providers.ovh import OvhProvider
from smsdeclare.providers.transport import wire
from smsdeclare.simulator.outbox import Outbox
from smsdeclare.simulator.settings import Service, Settings
from smsdeclare.simulator.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from smsdeclare.clock import Clock
    from smsdeclare.simulator.messages import Response

#: `.invalid` is reserved: should a request ever leave this process, it finds nobody.
_ORIGIN = "https://sandbox.invalid"
_CREDITS = 1_000_000.0


def open_provider(path: Path, service: str, clock: Clock) -> OvhProvider:
    """The sandbox with its outbox at `path` and one account, `service`; every sender counts as validated."""
    settings = Settings(services=(Service(name=service, credits=_CREDITS),), origin=_ORIGIN, any_sender=True)
    (credential,) = settings.credentials
    transport = Transport(
        _Readable(Outbox(path, settings)), clock=lambda: clock.now().timestamp(), on_first_byte=_begin
    )
    keys = ApplicationKeys(
        application_key=credential.application_key,
        application_secret=credential.application_secret,
        consumer_key=credential.consumer_key,
    )
    return OvhProvider(url=f"{_ORIGIN}/1.0", credentials=keys, service=service, clock=clock, adapter=transport)


def _begin() -> None:
    wire.has_begun = True


class _Readable:
    """An outbox whose file problems are named."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes, now: float) -> Response:
        try:
            return self._outbox.handle(method, path, headers, body, now)
        except (OSError, ValueError) as error:
            detail = f"the sandbox's outbox: {error}"
            raise ProviderError(Diagnostic(code=codes.SANDBOX_UNUSABLE, detail=detail)) from error
