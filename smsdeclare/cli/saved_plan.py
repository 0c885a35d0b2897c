"""Saved plans: written whole, sealed against edits by hand."""

from __future__ import annotations

import json
import os
import uuid
from typing import TYPE_CHECKING

from smsdeclare import codes, files
from smsdeclare.canonical import canonical, sha256_hex
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError, PlanStale
from smsdeclare.plan import FORMAT_VERSION, Plan, from_json, to_json
from smsdeclare.schema import load_schema

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

#: What somebody needs who names the files to be applied.
_DEFINITIONS = "`smsdeclare apply` reads smsdeclare.yaml of this folder by itself; `-f FILE` names another root file."
#: A larger file is no plan of ours. Bytes.
_LIMIT = 200_000_000


def write(path: Path, plan: Plan) -> None:
    """Save a plan under its final name only when all of it is written; raises InputError where that fails.

    Only an earlier plan is replaced: a slip of the keyboard must not cost the state or a file of the project.
    """
    document = to_json(plan)
    document["seal"] = _seal(document)
    text = json.dumps(document, indent=2, ensure_ascii=True) + "\n"
    if os.path.lexists(path):
        try:
            read(path)
        except PlanStale:
            pass
        except InputError:
            raise _cant_save(path, "something else stands there") from None
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        draft.write_text(text, encoding="ascii")
        draft.replace(path)
    except OSError as error:
        raise _cant_save(path, error.strerror or "") from error
    finally:
        draft.unlink(missing_ok=True)


def read(path: Path) -> Plan:
    """Read a saved plan; raises InputError where it is none and PlanStale where it was edited."""
    folder = path.parent.resolve()
    data = files.read_bytes(folder / path.name, root=folder, shown=path.name or str(path), limit=_LIMIT)
    try:
        document: Any = json.loads(data)
        seal = document.pop("seal")
        is_current = document["formatVersion"] == FORMAT_VERSION
        is_sealed = seal == _seal(document)
        plan = from_json(document) if is_current and is_sealed and _fits(document) else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _unreadable(path, type(error).__name__) from error
    if is_current and not is_sealed:
        raise PlanStale(Diagnostic(code=codes.PLAN_STALE, detail=f"{path.name} was changed after it was saved"))
    if plan is None:
        raise _unreadable(path, "its form is not that of a plan")
    return plan


def _fits(document: Any) -> bool:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - 0.1 s, only where a plan is read

    return bool(Draft202012Validator(load_schema("plan.v1")).is_valid(document))


def _unreadable(path: Path, why: str) -> InputError:
    hint = _DEFINITIONS if path.suffix in (".yaml", ".yml") else ""
    detail = f"{path.name} is no saved plan ({why})"
    return InputError(Diagnostic(code=codes.PLAN_UNREADABLE, detail=detail, suggestion=hint))


def _cant_save(path: Path, why: str) -> InputError:
    return InputError(Diagnostic(code=codes.CANT_SAVE, detail=f"{path}: {why}"))


def _seal(document: dict[str, Any]) -> str:
    """Tells an edit by hand from the plan as it was made; who approves a plan approves its digest."""
    return f"sha256:{sha256_hex(canonical(document))}"
