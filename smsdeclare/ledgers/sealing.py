"""A state as sealed bytes: encrypted whole, no byte of it can be changed unseen, and it says which state it is.

    smsdeclare-sealed-state
    {"check": …, "kdf": {…}, "lineage": …, "nonce": …, "salt": …, "serial": …, "version": 1}
    AES-256-GCM over the content, with all that stands before it as associated data

The root key is a raw one, or comes out of a passphrase by scrypt; each sealing has a key of its own from it (HKDF over
a fresh salt), so that no nonce meets a key twice. `check` tells a wrong key from a changed file. An older sealed state
that is put back is whole, and known by its serial alone: compare lineage and serial with what was seen before.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from smsdeclare import codes
from smsdeclare.canonical import canonical
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError, StateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from smsdeclare.codes import Code

VERSION: Final = 1
#: Fewer characters of a passphrase can be guessed.
SHORTEST_PASSPHRASE: Final = 16
_MAGIC = b"smsdeclare-sealed-state\n"
_HEADER_LIMIT = 1024
_KEY_BYTES = 32
_SALT_BYTES = 32
_NONCE_BYTES = 12
_CHECK_BYTES = 8
#: What is written: 128 MiB, about half a second. A header that asks for less is a downgrade, one that asks for much
#: more is out to take this machine's memory or time; neither is obeyed.
_SCRYPT = {"n": 2**17, "r": 8, "p": 1}
_SCRYPT_MOST = {"n": 2**19, "r": 8, "p": 4}
#: The library takes no more at once.
_LARGEST = 2**31 - 1 - 16


class Key(Protocol):
    """Where a root key comes from."""

    def fresh(self) -> tuple[dict[str, Any], bytes]:
        """How to get a root key for sealing, as the header says it; and this root key."""
        ...

    def root(self, kdf: Mapping[str, Any]) -> bytes | None:
        """The root key of a header; None where another kind of key is asked for, ValueError for odd parameters."""
        ...


@dataclass(frozen=True, slots=True)
class RawKey:
    """A root key as it is: 32 random bytes."""

    value: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.value) != _KEY_BYTES:
            raise ValueError(f"a key has {_KEY_BYTES} bytes, this one has {len(self.value)}")

    @classmethod
    def parse(cls, text: str) -> RawKey:
        """The key that `text` spells, as 64 hexadecimal digits or in base64; raises ValueError where it is none."""
        plain = text.strip()
        try:
            value = bytes.fromhex(plain) if len(plain) == 2 * _KEY_BYTES else base64.b64decode(plain, validate=True)
        except (ValueError, binascii.Error):
            raise ValueError("it is neither hexadecimal nor base64") from None
        return cls(value)

    def fresh(self) -> tuple[dict[str, Any], bytes]:
        """Nothing has to be worked out."""
        return {"name": "none"}, self.value

    def root(self, kdf: Mapping[str, Any]) -> bytes | None:
        """The key, where the header asks for a raw one."""
        return self.value if dict(kdf) == {"name": "none"} else None


@dataclass(frozen=True, slots=True)
class Passphrase:
    """A root key out of words, by scrypt; worked out once for each salt, and one salt for all that a process seals."""

    text: str = field(repr=False)
    _roots: dict[tuple[str, int, int, int], bytes] = field(default_factory=dict, repr=False, compare=False)
    _salt: str = field(default_factory=lambda: _text(secrets.token_bytes(_SALT_BYTES)), repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.text) < SHORTEST_PASSPHRASE:
            raise ValueError(f"a passphrase has at least {SHORTEST_PASSPHRASE} characters, this one has fewer")

    def fresh(self) -> tuple[dict[str, Any], bytes]:
        """With the parameters of today."""
        kdf = {"name": "scrypt", "salt": self._salt, **_SCRYPT}
        return kdf, self._work_out(kdf)

    def root(self, kdf: Mapping[str, Any]) -> bytes | None:
        """The root key of a header whose parameters are bearable; raises StateError where they are too weak."""
        if kdf.get("name") != "scrypt":
            return None
        if kdf.keys() != {"name", "salt", *_SCRYPT}:
            raise ValueError("parameters of scrypt")
        for name, least in _SCRYPT.items():
            if type(kdf[name]) is not int or not 0 < kdf[name] <= _SCRYPT_MOST[name]:
                raise ValueError(f"scrypt with {name} out of bounds")
            if kdf[name] < least:
                detail = f"scrypt with {name} {kdf[name]}, below {least}"
                raise _broken(f"its key would be worked out too cheaply: {detail}")
        if kdf["n"] & (kdf["n"] - 1):
            raise ValueError("n is no power of two")
        return self._work_out(kdf)

    def _work_out(self, kdf: Mapping[str, Any]) -> bytes:
        n, r, p = kdf["n"], kdf["r"], kdf["p"]
        place = (kdf["salt"], n, r, p)
        if place not in self._roots:
            salt = _bytes(kdf["salt"], _SALT_BYTES)
            memory = 128 * r * (n + p + 2)
            self._roots[place] = hashlib.scrypt(
                self.text.encode(), salt=salt, n=n, r=r, p=p, maxmem=memory, dklen=_KEY_BYTES
            )
        return self._roots[place]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What seals, and what may still open."""

    current: Key
    #: The one before, while it is being replaced: it opens, and never seals.
    old: Key | None = None


class Unsealed(NamedTuple):
    """What was sealed."""

    content: bytes
    #: Whose it is, and how far it had come: as trustworthy as the content.
    lineage: str
    serial: int


class _Header(NamedTuple):
    kdf: Mapping[str, Any]
    salt: bytes
    nonce: bytes
    check: bytes
    lineage: str
    serial: int


def is_sealed(content: bytes) -> bool:
    """Whether these bytes say that they are a sealed state."""
    return content.startswith(_MAGIC)


def seal(content: bytes, *, lineage: str, serial: int, keys: Keys) -> bytes:
    """The content encrypted under the current key, bound to lineage and serial; no two calls give the same bytes.

    Raises InputError where the library for it is not installed.
    """
    if len(content) > _LARGEST:
        raise ValueError("more than 2 GiB can't be sealed at once")
    kdf, root = keys.current.fresh()
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    header = {
        "version": VERSION,
        "kdf": kdf,
        "salt": _text(salt),
        "nonce": _text(nonce),
        "check": _text(_check(root, salt)),
        "lineage": lineage,
        "serial": serial,
    }
    head = _MAGIC + canonical(header) + b"\n"
    if len(head) > _HEADER_LIMIT:
        raise ValueError("the lineage is too long")
    return head + _cipher(root, salt).encrypt(nonce, content, head)


def unseal(sealed: bytes, keys: Keys, *, name: str = "the state") -> Unsealed:
    """The content, with the lineage and the serial that it was sealed with.

    Raises StateError, which calls it `name`, where it is not sealed at all, was changed or cut anywhere, needs another
    key, or was made by a newer version; and InputError where the library for it is not installed.
    """
    if not is_sealed(sealed):
        raise StateError(Diagnostic(code=codes.STATE_IN_CLEAR, detail=name))
    end = sealed.find(b"\n", len(_MAGIC), _HEADER_LIMIT) + 1
    if not end:
        raise _broken(f"{name}: its header does not end")
    try:
        header = _read_header(sealed[len(_MAGIC) : end], name)
        for root in _roots(keys, header.kdf):
            if hmac.compare_digest(_check(root, header.salt), header.check):
                content = _opened(_cipher(root, header.salt), header.nonce, sealed, end, name)
                return Unsealed(content, header.lineage, header.serial)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _broken(f"{name}: its header can't be read ({type(error).__name__})") from None
    asks = "a raw key" if header.kdf.get("name") == "none" else "a passphrase"
    raise StateError(Diagnostic(code=codes.STATE_KEY_WRONG, detail=f"{name} was encrypted with {asks}"))


def _read_header(line: bytes, name: str) -> _Header:
    """The header as values; raises ValueError, TypeError or KeyError where it is none, StateError for a newer one."""
    data = json.loads(line)
    if type(data["version"]) is not int or data["version"] < VERSION:
        raise ValueError("version")
    if data["version"] > VERSION:
        detail = f"{name}: encrypted in version {data['version']} of the format"
        raise _refused(codes.STATE_NEWER, detail)
    if type(data["serial"]) is not int or not isinstance(data["lineage"], str) or not isinstance(data["kdf"], dict):
        raise TypeError("serial, lineage or kdf")
    return _Header(
        kdf=data["kdf"],
        salt=_bytes(data["salt"], _SALT_BYTES),
        nonce=_bytes(data["nonce"], _NONCE_BYTES),
        check=_bytes(data["check"], _CHECK_BYTES),
        lineage=data["lineage"],
        serial=data["serial"],
    )


def _roots(keys: Keys, kdf: Mapping[str, Any]) -> Iterator[bytes]:
    """The root keys that may be meant, the current one first."""
    for key in (keys.current, keys.old):
        if key and (root := key.root(kdf)):
            yield root


def _cipher(root: bytes, salt: bytes) -> AESGCM:
    """What encrypts and decrypts with the key of one sealing."""
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - an extra, loaded where it is used
    except ImportError as error:
        raise InputError(Diagnostic(code=codes.ENCRYPTION_MISSING, detail="")) from error
    return AESGCM(_derived(root, salt, b"content"))


def _opened(cipher: AESGCM, nonce: bytes, sealed: bytes, end: int, name: str) -> bytes:
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - as above

    try:
        return cipher.decrypt(nonce, sealed[end:], sealed[:end])
    except InvalidTag:
        raise _broken(f"{name}: it does not match its seal") from None


def _check(root: bytes, salt: bytes) -> bytes:
    """What tells one root key from another, and nothing else of it."""
    return _derived(root, salt, b"check")[:_CHECK_BYTES]


def _derived(root: bytes, salt: bytes, purpose: bytes) -> bytes:
    """HKDF-SHA-256 (RFC 5869), one block of it."""
    extracted = hmac.digest(salt, root, "sha256")
    return hmac.digest(extracted, b"smsdeclare " + purpose + b"\x01", "sha256")


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _bytes(text: str, length: int) -> bytes:
    """Bytes of a known length as a header spells them; raises ValueError or TypeError where it does not."""
    value = base64.b64decode(text, validate=True)
    if len(value) != length:
        raise ValueError("length")
    return value


def _broken(detail: str) -> StateError:
    return _refused(codes.STATE_SEAL_BROKEN, detail)


def _refused(code: Code, detail: str) -> StateError:
    return StateError(Diagnostic(code=code, detail=detail))
