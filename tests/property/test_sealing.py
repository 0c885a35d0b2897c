"""A sealed state: what is in it comes out again, and nobody can change a byte of it, or have it opened cheaply."""

import base64
import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsdeclare import codes
from smsdeclare.cli import environment
from smsdeclare.errors import InputError, StateError
from smsdeclare.ledgers.sealing import Keys, Passphrase, RawKey, Unsealed, is_sealed, seal, unseal

KEY, OTHER = RawKey(b"k" * 32), RawKey(b"o" * 32)
WORDS = Passphrase("correct horse battery staple")
KEYS = Keys(current=KEY)
LINEAGE = "9a1f0f2e-0000-4000-8000-000000000001"


def sealed(content=b"the state", key=KEY, serial=7):
    return seal(content, lineage=LINEAGE, serial=serial, keys=Keys(current=key))


def refusal(content, keys=KEYS):
    with pytest.raises(StateError) as caught:
        unseal(content, keys)
    return caught.value.diagnostics[0].code


def with_header(content, **changes):
    """The same with another header: for what a hostile one would ask for."""
    magic, header, rest = content.split(b"\n", 2)
    data = json.loads(header)
    data["kdf"] |= changes.pop("kdf", {})
    return b"\n".join((magic, json.dumps(data | changes).encode(), rest))


def worked_out(*_, **__):
    raise AssertionError("a key was worked out")


@given(st.binary(max_size=5000), st.text(st.characters(codec="utf-8"), max_size=60), st.integers(1, 2**63))
def test_what_was_sealed_comes_out(content, lineage, serial):
    found = unseal(seal(content, lineage=lineage, serial=serial, keys=KEYS), KEYS)
    assert found == Unsealed(content, lineage, serial)


def test_a_passphrase_opens_what_it_sealed_in_another_process():
    assert b"the state" == unseal(sealed(key=WORDS), Keys(current=Passphrase(WORDS.text))).content


def test_nothing_of_the_content_shows_and_no_two_sealings_are_alike():
    made = {sealed(b"+33639980001" * 40) for _ in range(50)}
    assert len({one.split(b"\n", 2)[2] for one in made}) == 50
    assert len({json.loads(one.split(b"\n")[1])[part] for one in made for part in ("salt", "nonce", "check")}) == 150
    assert not any(b"33639980001" in one or KEY.value in one for one in made)


def test_any_flipped_byte_is_noticed():
    content = sealed(bytes(range(256)) * 4)
    for place in range(len(content)):
        for bit in (1, 0x80):
            changed = bytearray(content)
            changed[place] ^= bit
            with pytest.raises(StateError):
                unseal(bytes(changed), KEYS)


@settings(max_examples=300)
@given(st.data())
def test_any_other_change_is_noticed(data):
    content = sealed(b"x" * 200)
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)))
    changed = content[:start] + data.draw(st.binary(max_size=40)) + content[end:]
    if changed != content:
        with pytest.raises(StateError):
            unseal(changed, KEYS)


def test_a_flip_is_noticed_with_a_passphrase_as_well():
    content = sealed(key=WORDS)
    kdf = content.index(b'"kdf"')
    for place in (kdf + 10, content.index(b"131072"), content.index(b"serial") + 9, len(content) - 1):
        changed = bytearray(content)
        changed[place] ^= 1
        with pytest.raises(StateError):
            unseal(bytes(changed), Keys(current=WORDS))


def test_parts_of_two_sealings_do_not_fit_together():
    first, second = sealed(serial=7), sealed(serial=8)
    body = len(b"the state") + 16
    assert refusal(first[:-body] + second[-body:]) is codes.STATE_SEAL_BROKEN
    for name, value in (("serial", 8), ("lineage", "another")):
        assert refusal(with_header(first, **{name: value})) is codes.STATE_SEAL_BROKEN


@pytest.mark.parametrize(
    "kdf",
    [
        {"n": 2**60},
        {"n": 2**20},
        {"n": 10**400},
        {"r": 2**30},
        {"p": 2**30},
        {"n": 2**17 + 1},
        {"n": 0},
        {"n": -1},
        {"n": True},
        {"n": 131072.0},
        {"n": "131072"},
        {"salt": "AAAA"},
        {"salt": None},
        {"more": 1},
        {"name": "scrypt2"},
        {"name": "none"},
    ],
    ids=str,
)
def test_a_hostile_header_costs_nothing(kdf, monkeypatch):
    content = sealed(key=WORDS)
    monkeypatch.setattr("hashlib.scrypt", worked_out)
    with pytest.raises(StateError):
        unseal(with_header(content, kdf=kdf), Keys(current=Passphrase(WORDS.text)))


@pytest.mark.parametrize("kdf", [{"n": 2**16}, {"n": 2}, {"r": 1}], ids=str)
def test_a_key_that_would_be_worked_out_too_cheaply_is_refused(kdf, monkeypatch):
    content = sealed(key=WORDS)
    monkeypatch.setattr("hashlib.scrypt", worked_out)
    with pytest.raises(StateError, match="too cheaply"):
        unseal(with_header(content, kdf=kdf), Keys(current=Passphrase(WORDS.text)))


@pytest.mark.parametrize(
    "header",
    [b"{}", b"[" * 900, b"\xff", b"", b'{"version":1}', b"null", b'{"version":0}', b'{"version":true}'],
)
def test_what_is_no_header_is_named_as_damage(header):
    magic, _, rest = sealed().split(b"\n", 2)
    assert refusal(b"\n".join((magic, header, rest))) is codes.STATE_SEAL_BROKEN
    assert refusal(magic + b"\n" + header) is codes.STATE_SEAL_BROKEN


def test_a_newer_format_says_so():
    assert refusal(with_header(sealed(), version=2)) is codes.STATE_NEWER


def test_plain_bytes_are_never_taken_for_sealed_ones():
    for content in (b"", b"SQLite format 3\x00" + b"\x00" * 200, b"smsdeclare-sealed-stat"):
        assert not is_sealed(content)
        assert refusal(content) is codes.STATE_IN_CLEAR


def test_another_key_is_told_from_a_changed_file():
    assert refusal(sealed(key=OTHER)) is codes.STATE_KEY_WRONG
    assert refusal(sealed(key=WORDS)) is codes.STATE_KEY_WRONG
    assert refusal(sealed(), Keys(current=WORDS)) is codes.STATE_KEY_WRONG


def test_the_old_key_opens_and_never_seals():
    both = Keys(current=KEY, old=OTHER)
    assert unseal(sealed(key=OTHER), both) == unseal(sealed(), both)
    again = seal(b"", lineage=LINEAGE, serial=8, keys=both)
    assert refusal(again, Keys(current=OTHER)) is codes.STATE_KEY_WRONG
    assert (b"", LINEAGE, 8) == unseal(again, KEYS)


def test_neither_key_nor_passphrase_shows():
    for shown in (repr(Keys(current=KEY, old=WORDS)), str(WORDS), repr(KEY)):
        assert "horse" not in shown
        assert "kkk" not in shown


def test_without_the_library_it_says_how_to_get_it(monkeypatch):
    content = sealed()
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.ciphers.aead", None)
    with pytest.raises(InputError, match="not installed"):
        unseal(content, KEYS)


# — from the environment —

HEX, BASE64 = (b"k" * 32).hex(), base64.b64encode(b"k" * 32).decode()


@pytest.mark.parametrize(
    ("variables", "current", "old"),
    [
        ({"KEY": HEX}, KEY, None),
        ({"KEY": HEX.upper()}, KEY, None),
        ({"KEY": BASE64 + "\n", "KEY_OLD": (b"o" * 32).hex()}, KEY, OTHER),
        ({"PASSPHRASE": WORDS.text, "KEY_OLD": HEX}, WORDS, KEY),
        ({"PASSPHRASE": WORDS.text, "KEY": ""}, WORDS, None),
    ],
)
def test_keys_come_from_the_environment(variables, current, old, monkeypatch):
    for name, value in variables.items():
        monkeypatch.setenv(f"SMSDECLARE_STATE_{name}", value)
    assert environment.state_keys() == Keys(current=current, old=old)


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({}, codes.STATE_KEY_MISSING),
        ({"KEY_OLD": HEX}, codes.STATE_KEY_MISSING),
        ({"KEY": HEX, "PASSPHRASE": WORDS.text}, codes.STATE_KEY_UNFIT),
        ({"KEY": HEX[:-2]}, codes.STATE_KEY_UNFIT),
        ({"KEY": "not a key at all"}, codes.STATE_KEY_UNFIT),
        ({"KEY": HEX, "KEY_OLD": "zz" * 32}, codes.STATE_KEY_UNFIT),
        ({"PASSPHRASE": "too short"}, codes.STATE_KEY_UNFIT),
    ],
)
def test_an_unfit_key_is_refused_and_never_shown(variables, code, monkeypatch):
    for name, value in variables.items():
        monkeypatch.setenv(f"SMSDECLARE_STATE_{name}", value)
    with pytest.raises(InputError) as caught:
        environment.state_keys()
    found = caught.value.diagnostics[0]
    assert code is found.code
    assert not any(value in found.message for value in variables.values())
