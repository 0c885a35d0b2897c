"""Saved plans: written whole, sealed against edits by hand."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from smsdeclare import codes, files
from smsdeclare.canonical import canonical, sha256_hex
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError, PlanStale
from smsdeclare.plan import Plan, from_json, to_json

if TYPE_CHECKING:
    from typing import Any

#: A larger file is no plan of ours. Bytes.
_LIMIT = 200_000_000


def write(path: Path, plan: Plan) -> None:
    """Save a plan under its final name only when all of it is written; raises InputError where that fails."""
    document = to_json(plan)
    document["seal"] = _seal(document)
    text = json.dumps(document, indent=2, ensure_ascii=True) + "\n"
    try:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as draft:
            draft.write(text)
        Path(draft.name).replace(path)
    except OSError as error:
        raise InputError(Diagnostic(code=codes.CANT_SAVE, detail=f"{path.name}: {error.strerror}")) from error


def read(path: Path) -> Plan:
    """Read a saved plan; raises InputError where it is none and PlanStale where it was edited."""
    folder = path.parent.resolve()
    data = files.read_bytes(folder / path.name, root=folder, shown=path.name, limit=_LIMIT)
    try:
        document: Any = json.loads(data)
        seal = document.pop("seal")
        plan = from_json(document)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        detail = f"{path.name} is no saved plan ({type(error).__name__})"
        raise InputError(Diagnostic(code=codes.PLAN_UNREADABLE, detail=detail)) from error
    if seal != _seal(document):
        raise PlanStale(Diagnostic(code=codes.PLAN_STALE, detail=f"{path.name} was changed after it was saved"))
    return plan


def _seal(document: dict[str, Any]) -> str:
    """Tells an edit by hand from the plan as it was made; who approves a plan approves its digest."""
    return f"sha256:{sha256_hex(canonical(document))}"
