"""One self-contained page in HTML: no script, nothing from elsewhere, and only ASCII, so that no encoding spoils it."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING, Final

from smsdeclare.formats.chart import chart
from smsdeclare.formats.phrases import count, figure
from smsdeclare.redaction import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smsdeclare.format import Overview, SendRow, Standing

#: Status → what it means. In this order, which puts first what somebody has to look at.
_MEANINGS: Final = {
    "unknown": "may have been sent: the answer was lost; never posted blindly again",
    "cancelling": "being taken back; the provider has not confirmed",
    "failed": "the operator reports that it did not arrive",
    "rejected": "the provider refused it, for good",
    "missed": "its time passed before it could be sent, for good",
    "scheduled": "the provider holds it until its time",
    "accepted": "the provider took it; no receipt yet",
    "delivered": "the operator reports delivery",
    "cancelled": "taken back before its time",
    "notSent": "proved not to have been sent; the next apply may send it",
}
#: Status → the kind of bar and mark; words always stand beside it.
_KINDS: Final = {
    "unknown": "doubt", "cancelling": "doubt", "failed": "bad", "rejected": "bad", "missed": "bad",
    "scheduled": "wait", "accepted": "took", "delivered": "good",
}  # fmt: skip
_DOUBTS = ("unknown", "cancelling")

_STYLE: Final = """
:root{color-scheme:light dark;--back:#f6f7f9;--card:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;
--doubt:#9a5b00;--doubt-back:#fff4dc;--bad:#b3261e;--wait:#5b4bb5;--took:#1f6feb;--good:#1a7f37;--none:#6e7781}
@media (prefers-color-scheme:dark){:root{--back:#0d1117;--card:#161b22;--ink:#e6edf3;--soft:#9da7b1;--line:#343b44;
--doubt:#e3a03a;--doubt-back:#2e2413;--bad:#ff7b72;--wait:#b3a4ff;--took:#6cb0ff;--good:#4cc267;--none:#8b949e}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
header,main{max-width:72rem;margin:0 auto;padding:0 1rem}
header{padding-top:1.5rem}main{padding-bottom:2rem}
h1{font-size:1.6rem;line-height:1.25;margin:0}h2{font-size:1.2rem;margin:2rem 0 .75rem}h3{font-size:1rem;margin:0}
p{margin:.25rem 0 .75rem}.soft,dd.soft,caption{color:var(--soft)}
.card{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:1rem}
.alarm{background:var(--doubt-back);border-color:var(--doubt);border-left-width:.4rem;margin-top:1rem}
.alarm h2{margin-top:0}
.cards{display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,21rem),1fr));align-items:start}
.sums{display:grid;gap:.75rem;grid-template-columns:repeat(auto-fill,minmax(8.5rem,1fr));margin:0}
.sums div{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.6rem .8rem}
.sums dd{font-size:1.3rem;font-variant-numeric:tabular-nums;margin:0}.sums dt{color:var(--soft)}
table{border-collapse:collapse;width:100%}caption{text-align:left}
th,td{padding:.3rem .75rem .3rem 0;text-align:left;vertical-align:top;border-top:1px solid var(--line)}
thead th{border-top:0;color:var(--soft);font-weight:400}tbody th{font-weight:400}
.number{padding-right:0;text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.called{white-space:nowrap}
.why td{border-top:0;padding-top:0;color:var(--soft);font-size:.9rem}
.share,.mark{border-radius:.2rem}.share{display:block;margin:.6rem 0}.mark{display:inline-block;margin-right:.5rem}
.doubt{fill:var(--doubt)}.bad{fill:var(--bad)}.wait{fill:var(--wait)}.took{fill:var(--took)}.good{fill:var(--good)}
.none{fill:var(--none)}.bar{fill:var(--took)}.grid,.axis{stroke:var(--line)}text{fill:var(--soft);font-size:.85rem}
svg{display:block;overflow:visible}summary{cursor:pointer;margin-top:.75rem}
:focus-visible{outline:3px solid var(--took);outline-offset:2px}
code{font:.9em ui-monospace,monospace}dt{font-weight:600}dd{margin:0 0 .5rem}.sums dt{font-weight:400}
@media print{body{background:none}.card{break-inside:avoid}}
"""


def overview(overview: Overview) -> str:
    """Where everything stands, what is in doubt on top."""
    page = "\n".join(_page(overview)) + "\n"
    return page.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _page(overview: Overview) -> Iterator[str]:
    digest = b64encode(sha256(_STYLE.encode()).digest()).decode()
    project = _text(overview.project)
    yield "<!doctype html>"
    yield '<html lang="en">'
    yield '<head><meta charset="utf-8">'
    yield (
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'\">"
    )
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="robots" content="noindex"><meta name="referrer" content="no-referrer">'
    yield f"<title>{project}: where the SMS stand</title>"
    yield f"<style>{_STYLE}</style></head>"
    yield f"<body><header><h1>{project}: where the SMS stand</h1>"
    yield (
        f'<p class="soft">As of {_moment(overview.at)}, by what the state knows ({_text(overview.provider)}). '
        "<code>smsdeclare refresh</code> asks the provider first.</p></header><main>"
    )
    yield from _stopped(overview)
    yield from _in_doubt(overview)
    yield from _sums(overview)
    yield '<section aria-labelledby="messages"><h2 id="messages">Messages</h2>'
    if not overview.standings:
        yield "<p>Nothing is on record.</p>"
    yield '<div class="cards">'
    for row in sorted(overview.standings, key=lambda row: not _counted(row, *_DOUBTS)):
        yield from _message(row)
    yield "</div></section>"
    yield from _credits(overview)
    yield from _words(overview)
    yield "</main></body></html>"


def _stopped(overview: Overview) -> Iterator[str]:
    if overview.stopped:
        stopped = overview.stopped
        yield '<section class="card alarm" aria-labelledby="stopped"><h2 id="stopped">Stopped: nothing is posted</h2>'
        yield f"<p>{_text(stopped.actor)}, {_moment(stopped.at)}: {_text(stopped.reason)}</p>"
        yield "<p><code>smsdeclare resume</code> ends it.</p></section>"


def _in_doubt(overview: Overview) -> Iterator[str]:
    many = sum(_counted(row, *_DOUBTS) for row in overview.standings)
    if not many:
        return
    yield '<section class="card alarm" aria-labelledby="doubt">'
    yield f'<h2 id="doubt">Unknown: {count(many, "send")}</h2>'
    yield (
        "<p>Never posted blindly again. <code>smsdeclare settle</code> asks the provider, and so does every apply; "
        "<code>smsdeclare resolve</code> takes your word.</p>"
    )
    yield '<table><thead><tr><th scope="col">Send</th><th scope="col">Receiver</th></tr></thead><tbody>'
    for row in overview.in_doubt:
        yield from _doubtful(row)
    yield "</tbody></table>"
    if many > len(overview.in_doubt):
        yield f"<p>And {many - len(overview.in_doubt):,} more; <code>smsdeclare state list</code> shows all.</p>"
    yield "</section>"


def _doubtful(row: SendRow) -> Iterator[str]:
    yield (
        f'<tr><th scope="row"><code>{_text(row.address)}<wbr>#{_text(row.ref)}</code></th>'
        f'<td class="called">{_text(row.receiver or "number not kept")}</td></tr>'
    )
    status = f"{row.status} " if row.status != "unknown" else ""
    why = f": {_text(row.reason)}" if row.reason else ""
    yield f'<tr class="why"><td colspan="2">{status}since {_moment(row.since)}{why}</td></tr>'


def _sums(overview: Overview) -> Iterator[str]:
    sums = {status: sum(_counted(row, status) for row in overview.standings) for status in _MEANINGS}
    yield '<section aria-labelledby="sums"><h2 id="sums">All together</h2><dl class="sums">'
    for status, many in sums.items():
        if many:
            yield f"<div><dt>{_mark(status)}{status}</dt><dd>{many:,}</dd></div>"
    yield f"<div><dt>credits</dt><dd>{figure(sum(row.credits for row in overview.standings))}</dd></div></dl></section>"


def _message(row: Standing) -> Iterator[str]:
    address = _text(row.address)
    yield f'<article class="card"><h3><code>{address}</code></h3>'
    yield f'<p class="soft">{count(sum(row.counts.values()), "send")}, {count(row.credits, "credit")}</p>'
    yield _shares(row)
    yield ('<table><thead><tr><th scope="col">Status</th><th scope="col" class="number">Sends</th></tr></thead><tbody>')
    for status in _MEANINGS:
        if status in row.counts:
            yield (
                f'<tr><th scope="row">{_mark(status)}{status}</th><td class="number">{row.counts[status]:,}</td></tr>'
            )
            for reason, many in ((why, many) for of, why, many in row.reasons if of == status):
                yield f'<tr class="why"><td>{_text(reason)}</td><td class="number">{many:,}</td></tr>'
    yield "</tbody></table></article>"


def _shares(row: Standing) -> str:
    """The counts as one bar. The table beside it says the same, so no reader of screens needs it."""
    whole, left, drawn = sum(row.counts.values()), 0.0, ""
    for status in _MEANINGS:
        share = 100 * row.counts.get(status, 0) / whole
        if share:
            drawn += f'<rect class="{_KINDS.get(status, "none")}" x="{left:.3f}%" width="{share:.3f}%" height="8"/>'
        left += share
    return f'<svg class="share" aria-hidden="true" width="100%" height="8">{drawn}</svg>'


def _credits(overview: Overview) -> Iterator[str]:
    yield '<section aria-labelledby="credits"><h2 id="credits">Credits over time</h2><div class="card">'
    if overview.spent:
        yield chart(overview.spent)
        yield "<details><summary>The figures</summary>"
        yield (
            "<table><caption>By the day in UTC on which they were posted; what is in doubt as planned</caption><thead>"
            '<tr><th scope="col">Day</th><th scope="col" class="number">Credits</th></tr></thead><tbody>'
        )
        for day, taken in overview.spent:
            yield f'<tr><th scope="row">{_text(day)}</th><td class="number">{figure(taken)}</td></tr>'
        yield "</tbody></table></details>"
    else:
        yield "<p>None was taken.</p>"
    yield "</div></section>"


def _words(overview: Overview) -> Iterator[str]:
    shown = {status for row in overview.standings for status in row.counts}
    if shown:
        yield '<section aria-labelledby="words"><h2 id="words">What the words mean</h2><dl>'
        for status, meaning in _MEANINGS.items():
            if status in shown:
                yield f'<dt>{_mark(status)}{status}</dt><dd class="soft">{meaning}</dd>'
        yield "</dl></section>"


def _counted(row: Standing, *statuses: str) -> int:
    return sum(row.counts.get(status, 0) for status in statuses)


def _mark(status: str) -> str:
    square = f'<rect class="{_KINDS.get(status, "none")}" width="10" height="10"/>'
    return f'<svg class="mark" aria-hidden="true" width="10" height="10">{square}</svg>'


def _moment(at: str) -> str:
    """RFC 3339 in UTC as people read it."""
    return f'<time datetime="{_text(at)}">{_text(at[:16].replace("T", " "))} UTC</time>'


def _text(text: str) -> str:
    """`text` and nothing else, in an element or an attribute."""
    return escape(visible(text, newline=" "), quote=True)
