"""What a ledger calls a number: the number itself, or a keyed hash that nobody turns back without the key.

Nobody needs the number of a send to know that it was sent. So a state may keep `#` and half of an HMAC-SHA-256 in its
place: of every send (`state.numbers: hashed`), or of those that were erased. The key is not in the state, since whoever
had both could try all numbers there are within minutes.
"""

from __future__ import annotations

import hmac
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError, StateError
from smsdeclare.records import HASH_MARK
from smsdeclare.redaction import mask_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: In `features`: a version that knows no hashes would take everybody for new.
HASHES = "hashes"
#: In `meta`: says that every number is hashed.
_MODE = "numbers"
#: In `meta`: tells the key of the hashes from another; there once a hash is.
_CHECK = "numbers_check"
_HASHED = "hashed"
_HASH_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """How numbers are to be kept."""

    #: Whether as hashes; None: as the state has them.
    are_hashed: bool | None = None
    #: Of the hashes, as the environment gives it; None where it gives none.
    key: bytes | None = field(default=None, repr=False)


AS_KEPT = Numbers()


class Naming(ABC):
    """How a ledger finds the sends of a number."""

    #: The rows of `meta`; empty before the first write.
    _meta: dict[str, str]
    _numbers: Numbers = AS_KEPT
    #: Lineage → the hash of numbers, once the key is known to be the right one.
    _hash: tuple[str, Callable[[str], str]] | None = None

    @property
    def are_hashed(self) -> bool:
        """Whether it keeps no number at all."""
        return are_hashed(self._meta)

    @property
    def has_hashes(self) -> bool:
        """Whether it keeps hashes in place of numbers, of all or of some."""
        return _CHECK in self._meta

    def names(self, number: str) -> tuple[str, ...]:
        """What stands on record in place of a number; the first is what a claim writes.

        Raises InputError where that takes a key and there is none, and StateError where it is another one.
        """
        if not self.has_hashes or number.startswith(HASH_MARK):
            return (number,)
        return (self._hashed(number),) if self.are_hashed else (number, self._hashed(number))

    def _notice_hashes(self, number: str) -> None:
        """Somebody may have put hashes in place of numbers since this was opened: who compares has to know.

        Nothing else of `meta` is read anew, the epoch least of all.
        """
        if number.startswith(HASH_MARK) and not self.has_hashes:
            now = self._read_meta()
            self._meta.update((name, now[name]) for name in (_MODE, _CHECK) if name in now)

    @abstractmethod
    def _read_meta(self) -> dict[str, str]:
        """The rows of `meta`, checked; none before the first write."""

    def check_key(self) -> None:
        """Raises InputError where hashes take a key and there is none, and StateError where it is another one."""
        if self._meta and self.has_hashes:
            self._hashing(self._meta)
        elif not self._meta and self._numbers.are_hashed:
            numbers_key(self._numbers, "")

    def _said(self, text: str) -> str:
        """Words of people or of the provider, who may have named a number that is not to be kept."""
        return mask_text(text) if self.are_hashed else text

    def _check_numbers(self) -> None:
        """Raises StateError where the files want numbers kept in another way than they are."""
        wanted = self._numbers.are_hashed
        if self._meta and wanted not in (None, self.are_hashed):
            clear = "the files say `state.numbers: hashed`, the state holds numbers in clear"
            hashed = "the state holds hashes alone, the files do not say `state.numbers: hashed`"
            raise StateError(Diagnostic(code=codes.NUMBERS_DIFFER, detail=clear if wanted else hashed))

    @property
    def _hashed(self) -> Callable[[str], str]:
        lineage = self._meta["lineage"]
        if self._hash is None or self._hash[0] != lineage:
            self._hash = lineage, self._hashing(self._meta)
        return self._hash[1]

    def _hashing(self, meta: Mapping[str, str]) -> Callable[[str], str]:
        """What hashes a number, for a state with these rows of `meta`."""
        key = numbers_key(self._numbers, meta["lineage"])
        if not hmac.compare_digest(_check(key), meta[_CHECK]):
            raise StateError(Diagnostic(code=codes.NUMBERS_KEY_WRONG, detail=""))
        return partial(hashed, key)


def are_hashed(meta: Mapping[str, str]) -> bool:
    """Whether a state with these rows of `meta` keeps hashes alone."""
    return meta.get(_MODE) == _HASHED


def hashing_meta(numbers: Numbers, lineage: str) -> dict[str, str]:
    """The rows of `meta` of a state that is to keep hashes alone."""
    return {_MODE: _HASHED, **erasing_meta(numbers, lineage)}


def erasing_meta(numbers: Numbers, lineage: str) -> dict[str, str]:
    """The rows of `meta` of a state that is to keep hashes of what was erased."""
    return {_CHECK: _check(numbers_key(numbers, lineage))}


def numbers_key(numbers: Numbers, lineage: str) -> bytes:
    """The key of one state's hashes, so that two states with one key in the environment can't be joined by them.

    Raises InputError where the environment gives none.
    """
    if numbers.key is None:
        raise InputError(Diagnostic(code=codes.NUMBERS_KEY_MISSING, detail="SMSDECLARE_NUMBERS_KEY is not set"))
    return hmac.digest(numbers.key, f"smsdeclare numbers {lineage}".encode(), "sha256")


def hashed(key: bytes, number: str) -> str:
    """What stands in place of a number; what is a hash already stays."""
    if number.startswith(HASH_MARK):
        return number
    return HASH_MARK + hmac.digest(key, number.encode(), "sha256")[:_HASH_BYTES].hex()


def _check(key: bytes) -> str:
    return hmac.digest(key, b"check", "sha256")[:_HASH_BYTES].hex()
