"""One kind of finding."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Code(NamedTuple):
    """One kind of finding. `summary` never varies, so that it can be searched for."""

    id: str
    summary: str
    #: What the reader should do; a paragraph of the reference.
    help: str
    severity: Literal["error", "warning"] = "error"
