"""What is read and not sent: accounts, senders, blacklists, rates, state codes and estimates."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from smsdeclare.simulator.fields import ESTIMATE, read_fields
from smsdeclare.simulator.messages import Answer, refused
from smsdeclare.simulator.text import STOP_CLAUSE, measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smsdeclare.simulator.history import History
    from smsdeclare.simulator.settings import Service, Settings

#: Dialing prefixes of the countries in which SMS accounts are sold, and of a few neighbours.
_PREFIXES = {
    "be": "32", "ch": "41", "de": "49", "es": "34", "fr": "33", "gb": "44", "ie": "353", "it": "39",
    "lu": "352", "nl": "31", "pl": "48", "pt": "351", "us": "1",
}  # fmt: skip

#: The states most often met: what happened, and for how long.
_PTTS = {
    1: ("Intermediate state on the phone's side, retrying", "temporary"),
    2: ("Intermediate state on the operator's side, retrying", "temporary"),
    3: ("Accepted by the operator", "temporary"),
    4: ("Delivered", "permanent"),
    5: ("Not delivered", "permanent"),
    6: ("Final state unknown", "indeterminated"),
    8: ("Expired at the operator", "temporary"),
    20: ("Can't be delivered in its current form", "permanent"),
    21: ("The subscriber lacks credit", "temporary"),
    23: ("Invalid or barred number", "permanent"),
    24: ("Absent subscriber", "temporary"),
    25: ("Temporary failure of the network", "temporary"),
    26: ("Temporary failure of the phone", "temporary"),
    27: ("The phone is not compatible", "permanent"),
    28: ("Suspected to be spam", "permanent"),
    29: ("The content is not permitted", "permanent"),
    33: ("Parental lock", "permanent"),
    39: ("Failure of the new operator", "temporary"),
    73: ("Ported number, unreachable", "permanent"),
    74: ("Roaming", "temporary"),
    76: ("Ported number, blocked", "permanent"),
    202: ("Blocked for the account", "permanent"),
    1999: ("No templates available", "permanent"),
}


def account_view(history: History, service: Service) -> dict[str, Any]:
    """An `sms.Account`."""
    return {
        "name": service.name,
        "description": "",
        "status": service.status,
        "channel": service.channel,
        "creditsLeft": service.credits - history.spent(service.name),
        "creditsHoldByQuota": 0.0,
        "userQuantityWithQuota": 0,
        "automaticRecreditAmount": None,
        "creditThresholdForAutomaticRecredit": 0.0,
        "callBack": None,
        "stopCallBack": None,
        "smpp": False,
        "smsResponse": {
            "responseType": "none",
            "cgiUrl": None,
            "text": None,
            "trackingDefaultSmsSender": None,
            "trackingOptions": None,
        },
        "templates": {
            "customizedEmailMode": False,
            "customizedSmsMode": False,
            "emailBody": None,
            "emailFrom": None,
            "emailSubject": None,
            "smsBody": None,
        },
    }


def sender_view(service: Service, name: str) -> dict[str, Any]:
    """An `sms.Sender`. Raises Refused 404."""
    sender = next((sender for sender in service.senders if sender.name == name), None)
    if sender is None:
        raise refused(404, f"The requested object (sender = {name}) does not exist")
    return {
        "sender": sender.name,
        "type": sender.type,
        "status": sender.status,
        "description": "",
        "comment": None,
        "referer": "custom",
        "validationMedia": None,
    }


def blacklist_view(service: Service, number: str) -> dict[str, Any]:
    """An `sms.Blacklist`. Raises Refused 404. UNKNOWN: the date, which is always the same here."""
    if number not in service.blacklist:
        raise refused(404, f"The requested object (number = {number}) does not exist")
    return {
        "number": number,
        "dateCreation": "2026-01-01T00:00:00+01:00",
        "batchID": None,
        "smsOutgoingID": None,
    }


def estimate(settings: Settings, body: bytes) -> Answer:
    """`POST /sms/estimate`: the size of a text."""
    fields = read_fields(body, ESTIMATE, settings)
    stop = not fields["noStopClause"] and (fields["senderType"] == "alpha" or settings.stop_for_all_senders)
    size = measure(fields["message"], settings, stop=stop)
    hidden = len(STOP_CLAUSE) if stop and not settings.estimate_counts_stop else 0
    return Answer(
        value={
            "characters": size.units - hidden,
            "charactersClass": size.encoding,
            "maxCharactersPerPart": size.per_part,
            "parts": size.parts,
        }
    )


def destination_rates(settings: Settings, query: Sequence[tuple[str, str]]) -> Answer:
    """`GET /sms/rates/destinations`: credits a part for a country. UNKNOWN: the price, which is 0 here."""
    country = dict(query).get("country", "")
    if re.fullmatch(r"[a-z]{2}|all", country) is None:
        raise refused(400, "Invalid parameter country: CountryEnum expected")
    prefix = _PREFIXES.get(country)
    return Answer(
        value={
            "country": country,
            "countryCode": country,
            "credit": settings.default_rate if prefix is None else settings.rate(prefix),
            "price": {"currencyCode": "EUR", "text": "0.00 €", "value": 0.0},
        }
    )


def ptt_details(query: Sequence[tuple[str, str]]) -> Answer:
    """`GET /sms/ptts?ptt=`: what a state code means."""
    code = dict(query).get("ptt", "")
    if re.fullmatch(r"[0-9]{1,18}", code) is None:
        raise refused(400, "Invalid parameter ptt: long expected")
    if int(code) not in _PTTS:
        raise refused(404, f"The requested object (ptt = {code}) does not exist")
    text, duration = _PTTS[int(code)]
    return Answer(value={"comment": text, "description": text, "duration": duration})
