"""What `smsdeclare doctor` asks OVHcloud: network, clock, rights, the account, its credits and senders."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from smsdeclare import codes
from smsdeclare.account import sender_problems
from smsdeclare.cli.account import Account
from smsdeclare.cli.finding import Finding, ok, told, trouble
from smsdeclare.clock import SystemClock, timestamp
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError, ProviderError
from smsdeclare.formats.phrases import figure
from smsdeclare.providers import rights
from smsdeclare.providers.credentials import ApplicationKeys
from smsdeclare.providers.ovh import OvhProvider
from smsdeclare.providers.ovh_grants import ends_soon, not_granted
from smsdeclare.redaction import mask_passwords

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smsdeclare.definitions import Definitions
    from smsdeclare.providers.credentials import Credentials
    from smsdeclare.providers.endpoints import Endpoint

#: A clock that is further off is worth a word. Seconds.
_OFF = 60
#: By the kind of what urllib3 and requests raise.
_FIXES = {
    "ProxyError": "Check HTTPS_PROXY and NO_PROXY: the proxy refused, or is not there.",
    "SSLError": "Something in between shows another certificate. Where that is your company's proxy, name its "
    "certificate: REQUESTS_CA_BUNDLE=/path/to/bundle.pem. Where it is not, trust nothing on this network.",
    "ConnectTimeout": "A firewall may drop the connection: it has to let out https to this host.",
    "ConnectionError": "The name can't be found, or nobody takes the connection: check DNS, firewall, and HTTPS_PROXY.",
    "ReadTimeout": "It took the connection and did not answer: try again later.",
}
#: Good for nothing; the time is told to anybody.
_NOBODY = ApplicationKeys(application_key="none", application_secret="none", consumer_key="none")  # noqa: S106 - it is none
_PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


def remote(
    definitions: Definitions | None, place: Endpoint, found: Credentials | None
) -> tuple[str | None, list[Finding]]:
    """The account's name as far as it could be found out, and what is to be said."""
    service = definitions.provider.service if definitions is not None else None
    clock = SystemClock()
    findings = list(_network(OvhProvider(url=place.url, credentials=_NOBODY, service=None, clock=clock), place))
    if found is None or findings[0].status == "error":
        return service, findings
    try:
        provider = OvhProvider(url=place.url, credentials=found, service=service, clock=clock)
    except InputError as error:
        return service, [*findings, *(told("credentials", one) for one in error.diagnostics)]
    if isinstance(found, ApplicationKeys):
        findings += _rights(provider, service)
        if findings[-1].code in (codes.KEY_INVALID.id, codes.CONSUMER_KEY_INVALID.id, codes.SIGNATURE_REFUSED.id):
            return service, findings
    else:
        findings.append(
            ok("rights", "those of an OAuth2 client stand in its IAM policy; what is asked below shows some")
        )
    try:
        service = provider.service()
        findings += _credits(provider, service)
    except ProviderError as error:
        return None, [*findings, *(told("service", one, "error") for one in error.diagnostics)]
    if definitions is not None:
        try:
            findings += _senders(provider, definitions)
        except ProviderError as error:
            findings += (told("senders", one, "error") for one in error.diagnostics)
    return service, findings


def _network(provider: OvhProvider, place: Endpoint) -> Iterator[Finding]:
    around = [f"{name}={mask_passwords(os.environ[name])}" for name in (*_PROXIES, *_BUNDLES) if os.environ.get(name)]
    way = f", with {', '.join(around)}" if around else ""
    before = SystemClock().now()
    try:
        ahead = (provider.time() - before).total_seconds()
    except ProviderError as error:
        cause = type(error.__cause__).__name__
        one = error.diagnostics[0]
        fix = _FIXES.get(cause, one.suggestion or one.code.help)
        yield Finding(check="network", status="error", message=f"{one.message}{way}", fix=fix, code=one.code.id)
        return
    yield ok("network", f"{place.url} answers{way}")
    if abs(ahead) > _OFF:
        side = "behind" if ahead > 0 else "ahead of"
        fix = "Let the system set it by the network (NTP): `sendAt` and `expiresAt` are read by it."
        yield trouble(
            "clock", "warning", f"this machine's clock is about {abs(ahead) / 60:,.0f} min {side} OVHcloud's", fix
        )
    else:
        yield ok("clock", "within a minute of OVHcloud's")


def _rights(provider: OvhProvider, service: str | None) -> Iterator[Finding]:
    try:
        grant = provider.grant()
    except ProviderError as error:
        for one in error.diagnostics:
            yield told("rights", one, "warning" if one.code is codes.RIGHT_MISSING else "error")
        return
    wanted = rights.least(service)
    until = f"until {timestamp(grant.ends)}" if grant.ends else "without an end"
    whence = f"from {', '.join(grant.addresses)} only" if grant.addresses else "from any address"
    lacking = rights.lacking(wanted, grant.rules)
    yield ok("rights", f"{len(wanted) - len(lacking)} of the {len(wanted)} that are needed, {until}, {whence}")
    for right in lacking:
        yield told("rights", not_granted(right), "error" if right.purpose == rights.SENDING else None)
    yield from (told("rights", one) for one in ends_soon(grant, SystemClock().now()))


def _credits(provider: OvhProvider, service: str) -> Iterator[Finding]:
    left = provider.credits_left()
    yield ok("service", service)
    if left is None:
        yield told("credits", Diagnostic(code=codes.CREDITS_UNKNOWN, detail=f"the right to GET /sms/{service}"))
    elif left <= 0:
        yield told("credits", Diagnostic(code=codes.CREDITS_SHORT, detail="none are left"))
    else:
        yield ok("credits", f"{figure(left)} left")


def _senders(provider: OvhProvider, definitions: Definitions) -> Iterator[Finding]:
    facts = Account(provider=provider).look(definitions)
    yield from (told("senders", one) for one in facts.unchecked)
    problems = list(sender_problems(definitions.messages, facts.senders))
    yield from (told("senders", one) for one in problems)
    used = sorted({message.sender for message in definitions.messages if message.sender is not None})
    if not used:
        yield ok("senders", "the messages name none")
    elif not problems and facts.senders is not None:
        yield ok("senders", f"{', '.join(used)}: validated")
