"""The page of the inbox: HTML that needs no script, no build and nothing from elsewhere."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING, Final

from smsdeclare.simulator import replies
from smsdeclare.simulator.account import PTTS
from smsdeclare.simulator.faults import MEANINGS
from smsdeclare.simulator.lists import receipt_of, waits
from smsdeclare.simulator.text import STOP_CLAUSE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smsdeclare.simulator.api import Simulator
    from smsdeclare.simulator.faults import Faults
    from smsdeclare.simulator.history import History, Reply, Sms

#: So many phones, and so many SMS of each, the latest, are shown; the rest is counted.
PHONES, EACH = 100, 30
#: The ptt codes that a button stands for: reasons why an SMS did not arrive.
_FAILURES: Final = (24, 23, 21, 26, 28, 5)
#: The faults that are offered, the likeliest first; every other letter works by script.
_FAULTS: Final = (
    ("a", "none: handled and answered"),
    ("h", "handled, then no answer: the client times out"),
    ("l", "handled, then the connection breaks"),
    ("0", "handled, then 500"),
    ("5", "handled, then 503"),
    ("t", "handled, then half of an answer"),
    ("9", "429, not handled"),
    ("d", "the connection breaks, not handled"),
)

STYLE: Final = """
:root{color-scheme:light dark;--back:#f6f7f9;--card:#fff;--ink:#1b1f24;--soft:#57606a;--line:#848d97;--edge:#d0d7de;
--bubble:#e6eefb;--mine:#dff3e4;--wait:#f1ecff;--bad:#b3261e;--good:#1a7f37;--link:#0b57d0}
@media (prefers-color-scheme:dark){:root{--back:#0d1117;--card:#161b22;--ink:#e6edf3;--soft:#9da7b1;--line:#7d8590;
--edge:#343b44;--bubble:#1c2c47;--mine:#163824;--wait:#2b2545;--bad:#ff7b72;--good:#4cc267;--link:#79b8ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
header,main{max-width:76rem;margin:0 auto;padding:0 1rem}header{padding-top:1.25rem}main{padding-bottom:3rem}
h1{font-size:1.5rem;line-height:1.25;margin:0}h2{font-size:1.2rem;margin:1.75rem 0 .75rem}h3{font-size:1.05rem;margin:0}
p{margin:.25rem 0 .75rem}.soft{color:var(--soft);font-size:.9rem}a{color:var(--link)}
.cards{display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,22rem),1fr));align-items:start}
.card{background:var(--card);border:1px solid var(--edge);border-radius:1rem;padding:1rem}
ol{list-style:none;margin:.75rem 0;padding:0}li{margin:0 0 1rem}
.bubble{background:var(--bubble);border-radius:1rem 1rem 1rem .25rem;margin:.2rem 0;max-width:92%;padding:.6rem .8rem;
white-space:pre-wrap;width:fit-content}
.waits .bubble{background:var(--wait);outline:2px dashed var(--line)}
.mine .bubble{background:var(--mine);border-radius:1rem 1rem .25rem 1rem;margin-left:auto;text-align:left}
.mine{text-align:right}time{white-space:nowrap}
.good{color:var(--good);font-weight:600}.bad{color:var(--bad);font-weight:600}
form{display:flex;flex-wrap:wrap;gap:.5rem;align-items:end;margin:.35rem 0}
form>*{max-width:100%;min-width:0}label{display:block;font-size:.9rem}
button,select,input{background:var(--card);border:1px solid var(--line);border-radius:.5rem;color:var(--ink);
font:inherit;max-width:100%;min-height:2.4rem;padding:.3rem .7rem}
li button,li select{font-size:.875rem;min-height:2rem;padding:.15rem .5rem}button{cursor:pointer}
input[type=text]{width:7rem}input.text{width:16rem}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
:target{outline:2px solid var(--link);outline-offset:4px}
.on{border-color:var(--bad);border-width:2px}
nav{display:flex;gap:1.25rem}[role=search]{margin-bottom:1rem}[role=search] input{width:12rem}
"""

#: Loads the page anew where something is new, and only says so while somebody is at a form.
_SCRIPT: Final = """
const seen = document.querySelector("main").dataset.version, news = document.getElementById("news");
setInterval(async () => {
  try {
    const now = (await (await fetch("/version" + location.search)).text()).trim();
    if (now === seen) return;
    if (document.activeElement === document.body) location.reload();
    else if (!news.textContent) news.textContent = "There is something new: load the page anew.";
  } catch { news.textContent = "The sandbox has ended."; }
}, 1500);
"""


def _digest(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()


POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_digest(STYLE)}'; script-src 'sha256-{_digest(_SCRIPT)}'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def version(content: str) -> str:
    """What tells one content from another."""
    return sha256(content.encode("ascii")).hexdigest()[:16]


def page(content: str) -> bytes:
    """The whole page around its content."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="us-ascii">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>SMS sandbox</title>'
        f'<noscript><meta http-equiv="refresh" content="20"></noscript><style>{STYLE}</style></head>'
        "<body><header><h1>SMS sandbox</h1>"
        "<p>Nothing leaves this machine; no phone rings.</p>"
        '<nav aria-label="This page"><a href="#phones">Phones</a> <a href="#faults">Faults</a> '
        '<a href="#times">Times</a> <a href="">Load anew</a></nav>'
        '<p><strong id="news" role="status"></strong></p></header>'
        f'<main data-version="{version(content)}">{content}</main><script>{_SCRIPT}</script></body></html>\n'
    ).encode("ascii")


def content(simulator: Simulator, faults: Faults, at: float, *, token: str, wanted: str) -> str:
    """What changes: phones, faults, credits. `wanted` is a part of the numbers to be shown."""
    hidden = f'<input type="hidden" name="token" value="{escape(token)}">'
    parts = [*_phones(simulator, at, hidden, wanted), *_faults(faults, hidden), *_times(simulator, hidden)]
    return "\n".join(parts).encode("ascii", "xmlcharrefreplace").decode("ascii")


def _phones(simulator: Simulator, at: float, hidden: str, wanted: str) -> Iterator[str]:
    history = simulator.history
    phones: dict[str, list[Sms]] = {}
    for service in simulator.settings.services:
        left = service.credits - history.spent(service.name)
        yield f"<p>Account <code>{escape(service.name)}</code>: {left:,.2f} credits left.</p>"
        for sms in history.all(service.name):
            if wanted.removeprefix("+") in sms.receiver:
                # The one with the latest SMS comes last.
                received = phones.pop(sms.receiver, [])
                received.append(sms)
                phones[sms.receiver] = received
    yield '<h2 id="phones">Phones</h2><form method="get" action="/" role="search">'
    yield (
        f'<label>Number, or a part of it<br><input type="text" name="number" inputmode="tel" value="{escape(wanted)}">'
        "</label><button>Show</button></form>"
    )
    if not phones:
        yield "<p>No SMS has come in yet.</p>" if not wanted else "<p>No phone has such a number.</p>"
    yield '<div class="cards">'
    for number in list(reversed(phones))[:PHONES]:
        yield from _phone(simulator, number, phones[number], at, hidden)
    yield "</div>"
    if len(phones) > PHONES:
        yield f"<p>And {len(phones) - PHONES:,} more phones; look for one by its number.</p>"


def _phone(simulator: Simulator, number: str, received: list[Sms], at: float, hidden: str) -> Iterator[str]:
    history, key = simulator.history, escape(number.removeprefix("+"))
    services = dict.fromkeys(sms.service for sms in received)
    answers = [one for name in services for one in history.replies(name, deleted=True) if one.sender == number]
    stopped = history.stopped_at(received[-1].service, number)
    shown = [(sms.created_at, "".join(_bubble(history, sms, at, hidden))) for sms in received[-EACH:]]
    shown += [(one.at, _answer(one)) for one in answers[-EACH:]]
    earlier = len(received) + len(answers) + (stopped is not None) - EACH
    if stopped is not None:
        shown.append((stopped, _mine(stopped, "STOP", "on the account's blacklist")))
    shown.sort(key=lambda one: one[0])
    yield f'<section class="card" id="phone-{key}" aria-labelledby="name-{key}">'
    yield f'<h3 id="name-{key}">{escape(number)}</h3>'
    if earlier > 0:
        yield f'<p class="soft">{earlier:,} earlier SMS are not shown.</p>'
    yield f"<ol>{''.join(one for _, one in shown[-EACH:])}</ol>"
    arrived = [sms for sms in received if not waits(sms, at)]
    if arrived:
        yield from _form_to_reply(simulator, arrived, at, hidden)
    if arrived and stopped is None:
        yield f'<form method="post" action="/stop">{hidden}<input type="hidden" name="number" value="{escape(number)}">'
        yield f'<button aria-label="Answer STOP from {escape(number)}">Answer STOP</button></form>'
    yield "</section>"


def _form_to_reply(simulator: Simulator, arrived: list[Sms], at: float, hidden: str) -> Iterator[str]:
    """An answer goes to the latest SMS that can be answered; where none can, it is said why of the latest."""
    answered = next((sms for sms in reversed(arrived) if not replies.hindrance(sms, simulator.settings, at)), None)
    if answered is None:
        why = replies.hindrance(arrived[-1], simulator.settings, at)
        yield f'<p class="soft"><bdi>{escape(why)}</bdi></p>'
        return
    yield (
        f'<form method="post" action="/reply">{hidden}<input type="hidden" name="id" value="{answered.id}">'
        f"<label>Answer to <bdi>{escape(answered.sender)}</bdi><br>"
        f'<input type="text" name="text" class="text" maxlength="{replies.LONGEST}" autocomplete="off" required '
        f'aria-label="Answer to {escape(answered.sender)} from {escape(answered.receiver)}"></label>'
        f'<button aria-label="Send the answer from {escape(answered.receiver)}">Send</button></form>'
    )


def _answer(one: Reply) -> str:
    return _mine(one.at, one.message, f"in <code>incoming</code>, {_many(one.credits, 'credit')}")


def _mine(at: float, text: str, told: str) -> str:
    """A bubble of the phone's own."""
    return (
        f'<li class="mine"><div class="soft">{_moment(at)}</div><div class="bubble"><bdi>{escape(text)}</bdi></div>'
        f'<div class="soft">{told}</div></li>'
    )


def _bubble(history: History, sms: Sms, at: float, hidden: str) -> Iterator[str]:
    held = waits(sms, at)
    text = sms.message + (STOP_CLAUSE if sms.stop_clause else "")
    yield f'<li id="sms-{sms.id}"{" class=waits" if held else ""}>'
    yield f'<div class="soft"><strong><bdi>{escape(sms.sender)}</bdi></strong> {_moment(sms.created_at)}</div>'
    yield f'<div class="bubble"><bdi>{escape(text)}</bdi></div>'
    size = f"{_many(sms.parts, 'part')}, {escape(sms.encoding)}, {_many(sms.credits, 'credit')}"
    yield f'<div class="soft">{size}. {_standing(history, sms, at)}</div>'
    if not held:
        named = f'{hidden}<input type="hidden" name="id" value="{sms.id}">'
        options = "".join(f'<option value="{ptt}">{escape(PTTS[ptt][0])} (ptt {ptt})</option>' for ptt in _FAILURES)
        yield (
            f'<form method="post" action="/receipt">{named}<button name="ptt" value="4" '
            f'aria-label="Delivered: SMS {sms.id}">Delivered</button></form>'
            f'<form method="post" action="/receipt">{named}<select name="ptt" aria-label="Why SMS {sms.id} failed">'
            f'{options}</select><button aria-label="Failed: SMS {sms.id}">Failed</button></form>'
        )
    yield "</li>"


def _standing(history: History, sms: Sms, at: float) -> str:
    if waits(sms, at):
        return f"<strong>Scheduled</strong> for {_moment(sms.due_at)}"
    receipt, ptt, delivered_at = receipt_of(sms, history, at)
    if receipt == 0:
        return "Sent; no receipt yet"
    if delivered_at is not None:
        return f'<span class="good">Delivered</span> {_moment(delivered_at)}'
    return f'<span class="bad">Failed</span>: {escape(PTTS.get(ptt, ("ptt",))[0])} (ptt {ptt})'


def _faults(faults: Faults, hidden: str) -> Iterator[str]:
    letter = faults.script[0] if faults.script else faults.standing
    on = " on" if letter != "a" else ""
    how_long = "the next POST" if faults.script else "every POST"
    yield f'<h2 id="faults">Faults</h2><div class="card{on}">'
    told = f"Now: {escape(MEANINGS[letter])}, for {how_long} to <code>/jobs</code>."
    yield f"<p><strong>{told}</strong></p>" if on else f"<p>{told}</p>"
    options = "".join(
        f'<option value="{one}"{" selected" if one == letter else ""}>{meaning}</option>' for one, meaning in _FAULTS
    )
    yield (
        f'<form method="post" action="/fault">{hidden}<label>What happens to a POST<br>'
        f'<select name="letter">{options}</select></label><label>How often<br><select name="often">'
        '<option value="once">the next one</option><option value="always">every one</option></select></label>'
        "<button>Switch</button></form></div>"
    )


def _times(simulator: Simulator, hidden: str) -> Iterator[str]:
    settings = simulator.settings
    receipts = "" if settings.delivery_seconds is None else f"{settings.delivery_seconds:.0f}"
    yield (
        f'<h2 id="times">Times</h2><div class="card"><form method="post" action="/times">{hidden}'
        "<label>Seconds until an SMS shows in <code>outgoing</code><br>"
        f'<input type="text" name="lag" inputmode="numeric" value="{settings.list_lag:.0f}"></label>'
        "<label>Seconds until it is delivered; empty: only by hand<br>"
        f'<input type="text" name="receipts" inputmode="numeric" value="{receipts}"></label>'
        "<button>Set</button></form></div>"
    )


def _moment(at: float) -> str:
    moment = datetime.fromtimestamp(int(at), UTC)
    return f'<time datetime="{moment:%Y-%m-%dT%H:%M:%SZ}">{moment:%Y-%m-%d %H:%M:%S} UTC</time>'


def _many(number: float, noun: str) -> str:
    return f"{number:g} {noun}{'' if number == 1 else 's'}"
