"""The product's own code, or a copy of it in which one rule is broken on purpose.

A planted bug is a text of a module and what stands in its place. The text must be there, so that no bug is planted in
vain when the code moves on; what imports the module is copied as well. The modules themselves stay as they are.
"""

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace

#: Each after what it imports.
_MODULES = (
    "providers.ovh_answers",
    "ledgers.statements",
    "ledgers.upkeep",
    "ledgers.evidence",
    "ledgers.reading",
    "ledgers.relational",
    "ledgers.copies",
    "ledgers.sqlite_file",
    "ledgers.sqlite",
    "settle",
    "guard",
    "cancel",
    "intents",
    "outcomes",
    "apply",
    "renaming",
    "planning",
)


@dataclass(frozen=True)
class Bug:
    """One rule broken: `old` stands once in the module and becomes `new`."""

    module: str
    old: str
    new: str


def code(bugs=()):
    """The modules by their last names, with these bugs in them."""
    names = {short: f"smsdeclare.{short}" for short in _MODULES}
    real = {short: importlib.import_module(name) for short, name in names.items()}
    found = real
    if bugs:
        unknown = {bug.module for bug in bugs} - set(_MODULES)
        assert not unknown, unknown
        found = {}
        try:
            for short in _MODULES:
                found[short] = _copied(names[short], real[short], [bug for bug in bugs if bug.module == short])
        finally:
            for short, module in real.items():
                _put(names[short], module)
    return SimpleNamespace(**{short.rpartition(".")[2]: module for short, module in found.items()})


def _copied(name, real, bugs):
    source = Path(real.__file__).read_text(encoding="utf-8")
    for bug in bugs:
        assert source.count(bug.old) == 1, f"{name}: {source.count(bug.old)} times: {bug.old}"
        source = source.replace(bug.old, bug.new)
    copied = ModuleType(name)
    copied.__file__ = real.__file__
    _put(name, copied)
    exec(compile(source, real.__file__, "exec"), copied.__dict__)
    return copied


def _put(name, module):
    parent, _, last = name.rpartition(".")
    sys.modules[name] = module
    setattr(sys.modules[parent], last, module)
