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

#: Every country of `sms.CountryEnum` with the dialing prefix that its numbers begin with (ITU-T E.164; in North America
#: the area code goes with it).
_NUMBERING = (
    "ad:376 ae:971 af:93 ag:1268 ai:1264 al:355 am:374 an:599 ao:244 ar:54 at:43 au:61 aw:297 az:994 ba:387 "
    "bb:1246 bd:880 be:32 bf:226 bg:359 bh:973 bi:257 bj:229 bm:1441 bn:673 bo:591 br:55 bs:1242 bt:975 bw:267 "
    "by:375 bz:501 ca:1 cd:243 cf:236 cg:242 ch:41 ci:225 ck:682 cl:56 cm:237 cn:86 co:57 cr:506 cu:53 cv:238 "
    "cy:357 cz:420 de:49 dk:45 dm:1767 dz:213 ec:593 ee:372 eg:20 es:34 et:251 fi:358 fj:679 fk:500 fo:298 "
    "fr:33 ga:241 gb:44 gd:1473 ge:995 gf:594 gh:233 gi:350 gl:299 gm:220 gn:224 gp:590 gq:240 gr:30 gt:502 "
    "gu:1671 gw:245 gy:592 hk:852 hn:504 hr:385 ht:509 hu:36 id:62 ie:353 il:972 in:91 io:246 iq:964 ir:98 "
    "is:354 it:39 jm:1876 jo:962 jp:81 ke:254 kg:996 kh:855 km:269 kn:1869 kr:82 kw:965 ky:1345 kz:77 la:856 "
    "lb:961 lc:1758 li:423 lk:94 lr:231 ls:266 lt:370 lu:352 lv:371 ly:218 ma:212 md:373 me:382 mg:261 mk:389 "
    "ml:223 mn:976 mo:853 mq:596 mr:222 ms:1664 mt:356 mu:230 mv:960 mw:265 mx:52 my:60 mz:258 na:264 nc:687 "
    "ne:227 ng:234 ni:505 nl:31 no:47 np:977 nz:64 om:968 pa:507 pe:51 pf:689 pg:675 ph:63 pk:92 pl:48 ps:970 "
    "pt:351 py:595 qa:974 re:262 ro:40 rs:381 ru:7 rw:250 sa:966 sb:677 sc:248 sd:249 se:46 sg:65 si:386 "
    "sk:421 sl:232 sm:378 sn:221 so:252 sr:597 st:239 sv:503 sy:963 sz:268 tc:1649 td:235 tg:228 th:66 tj:992 "
    "tl:670 tm:993 tn:216 to:676 tr:90 tt:1868 tw:886 tz:255 ua:380 ug:256 us:1 uy:598 uz:998 vc:1784 ve:58 "
    "vg:1284 vi:1340 vn:84 vu:678 ws:685 ye:967 yt:262 za:27 zm:260 zw:263 "
)
_PREFIXES = dict(one.split(":") for one in _NUMBERING.split())
_BILLING = ("es", "fr", "gb", "ie", "it", "pl")

#: The states most often met: what happened, and for how long.
PTTS = {
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


def blacklist_view(history: History, service: Service, number: str) -> dict[str, Any]:
    """An `sms.Blacklist`. Raises Refused 404. UNKNOWN: the date, which is always the same here."""
    if number not in history.blacklist(service):
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
    asked = dict(query)
    country, billing = asked.get("country", ""), asked.get("billingCountry")
    if country != "all" and country not in _PREFIXES:
        raise refused(400, "Invalid parameter country: CountryEnum expected")
    if billing is not None and billing not in _BILLING:
        raise refused(400, "Invalid parameter billingCountry: BillingCountryEnum expected")
    prefix = _PREFIXES.get(country)
    return Answer(
        value={
            "country": country,
            "countryCode": country,
            "credit": settings.default_rate if prefix is None else settings.rate(prefix, billing),
            "price": {"currencyCode": "EUR", "text": "0.00 €", "value": 0.0},
        }
    )


def ptt_details(query: Sequence[tuple[str, str]]) -> Answer:
    """`GET /sms/ptts?ptt=`: what a state code means."""
    code = dict(query).get("ptt", "")
    if re.fullmatch(r"[0-9]{1,18}", code) is None:
        raise refused(400, "Invalid parameter ptt: long expected")
    if int(code) not in PTTS:
        raise refused(404, f"The requested object (ptt = {code}) does not exist")
    text, duration = PTTS[int(code)]
    return Answer(value={"comment": text, "description": text, "duration": duration})
