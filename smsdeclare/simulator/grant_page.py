"""The page on which somebody grants a consumer key, as OVHcloud's own does behind its login."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from smsdeclare.simulator.inbox_page import STYLE

if TYPE_CHECKING:
    from smsdeclare.simulator.settings import Credential

_STATES = {
    "pendingValidation": "",
    "validated": "Granted. Go back to your terminal.",
    "refused": "Refused. Nothing was granted.",
    "expired": "It has expired.",
}


def page(asked: Credential, key: str, token: str) -> bytes:
    """What is asked for, and two buttons; once decided, what was decided. `token` makes a form this run's own."""
    said = _STATES[asked.state]
    rules = "".join(f"<li><code>{escape(method)} {escape(path)}</code></li>" for method, path in asked.rules)
    hidden = (
        f'<input type="hidden" name="token" value="{escape(token)}"><input type="hidden" name="key" '
        f'value="{escape(key)}">'
    )
    forms = (
        f'<p role="status"><strong>{said}</strong></p>'
        if said
        else f'<form method="post" action="/grant">{hidden}<button name="state" value="validated">Grant</button>'
        '<button name="state" value="refused">Refuse</button></form>'
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="us-ascii">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>SMS sandbox: grant a key</title>'
        f"<style>{STYLE}</style></head><body><header><h1>Grant a key?</h1>"
        "<p>This is the sandbox: the key is good for nothing else, and nobody has to log in.</p></header>"
        f'<main><div class="card"><p>The application <code>{escape(asked.application_key)}</code> asks for:</p>'
        f'<ul>{rules}</ul>{forms}</div><p><a href="/">The inbox</a></p></main></body></html>\n'
    ).encode("ascii", "xmlcharrefreplace")
