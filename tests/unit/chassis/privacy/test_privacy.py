"""The vault: personal data can be read where it belongs, and is noise everywhere else."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap
from hypothesis import given
from hypothesis import strategies as st

from chassis.privacy import vault as privacy
from chassis.privacy.vault import Vault
from tests.unit.chassis.conftest import DummySettings

PEPPER = b"p" * 32
VAULT = Vault({1: b"1" * 32}, PEPPER)
HOME = {"collection": "jakpreneurs", "field": "nik", "subject": "jkp_1"}


@given(st.text())
def test_what_is_sealed_can_be_opened(plain: str) -> None:
    """Siti's data are read back as written, whatever letters they have; two seals of one text never look alike."""
    key, stored = VAULT.new_key()
    sealed = key.encrypt(plain, **HOME)
    assert plain == VAULT.open_key(stored).decrypt(sealed, **HOME)
    assert sealed != key.encrypt(plain, **HOME)


@pytest.mark.parametrize("moved", [{"field": "phone"}, {"subject": "jkp_2"}, {"collection": "others"}])
def test_a_ciphertext_that_was_moved(moved: dict[str, str]) -> None:
    """Somebody with write access copies Siti's NIK to another field, person or collection: it can't be opened there."""
    key, _ = VAULT.new_key()
    sealed = key.encrypt("3171014512909001", **HOME)
    with pytest.raises(InvalidTag):
        key.decrypt(sealed, **{**HOME, **moved})


@given(st.integers(0, 200), st.integers(1, 255))
def test_an_altered_ciphertext(place: int, flip: int) -> None:
    """One altered byte anywhere, nonce included: refused."""
    key, _ = VAULT.new_key()
    sealed = bytearray(key.encrypt("3171014512909001", **HOME))
    sealed[place % len(sealed)] ^= flip
    with pytest.raises(InvalidTag):
        key.decrypt(bytes(sealed), **HOME)


def test_a_key_of_another_person() -> None:
    """Budi's key doesn't open Siti's data."""
    siti, _ = VAULT.new_key()
    budi, _ = VAULT.new_key()
    with pytest.raises(InvalidTag):
        budi.decrypt(siti.encrypt("x", **HOME), **HOME)


def test_bindings_cannot_be_confused() -> None:
    """The parts of a binding can't be shifted into one another for the ids that the platform makes."""
    key, _ = VAULT.new_key()
    sealed = key.encrypt("x", collection="jakpreneurs", field="name", subject="jkp_1")
    with pytest.raises(InvalidTag):
        key.decrypt(sealed, collection="jakpreneurs", field="name/jkp", subject="_1")


def test_master_keys_rotate() -> None:
    """A new master key comes: old people stay readable, are rewrapped one by one, and then the old key can go."""
    key, old = VAULT.new_key()
    sealed = key.encrypt("x", **HOME)
    both = Vault({1: b"1" * 32, 2: b"2" * 32}, PEPPER)
    assert both.open_key(old).decrypt(sealed, **HOME) == "x"
    assert both.new_key()[1]["version"] == 2
    rewrapped = both.rewrap(old)
    only_new = Vault({2: b"2" * 32}, PEPPER)
    assert only_new.open_key(rewrapped).decrypt(sealed, **HOME) == "x"
    with pytest.raises(KeyError):
        only_new.open_key(old)


def test_a_wrapped_key_that_was_altered() -> None:
    """A wrapped key that was tampered with, or is under another master key, doesn't open."""
    _, stored = VAULT.new_key()
    wrapped = bytearray(stored["wrapped"])  # type: ignore[call-overload] # bytes, as stored
    wrapped[3] ^= 1
    with pytest.raises(InvalidUnwrap):
        VAULT.open_key({**stored, "wrapped": bytes(wrapped)})
    with pytest.raises(InvalidUnwrap):
        Vault({1: b"x" * 32}, PEPPER).open_key(stored)
    with pytest.raises(TypeError):
        VAULT.open_key({"version": "1", "wrapped": stored["wrapped"]})


def test_the_blind_index() -> None:
    """Equal NIKs have equal indexes; another kind, value or pepper has another; the NIK itself is not in it."""
    nik = "3171014512909001"
    index = VAULT.blind_index("nik", nik)
    assert index == Vault({1: b"x" * 32}, PEPPER).blind_index("nik", nik)
    others = {
        VAULT.blind_index("phone", nik),
        VAULT.blind_index("nik", nik[:-1] + "2"),
        Vault({1: b"1" * 32}, b"q" * 32).blind_index("nik", nik),
    }
    assert len(others | {index}) == 4
    assert nik not in index


@pytest.mark.parametrize(
    ("keys", "pepper"), [({}, PEPPER), ({1: b"short"}, PEPPER), ({1: b"1" * 32}, b""), ({1: b"1" * 32}, b"short")]
)
def test_a_vault_without_proper_keys(keys: dict[int, bytes], pepper: bytes) -> None:
    """A deployment without keys doesn't start, rather than storing people unprotected."""
    with pytest.raises(ValueError, match="set JAKPRENEUR_"):
        Vault(keys, pepper)


def test_keys_stay_out_of_sight(dummy: DummySettings) -> None:
    """Settings are printed by accident: neither keys nor peppers are in the text."""
    settings = dummy()
    privacy.vault(settings)
    assert "a2tra2tr" not in repr(settings)


def test_a_person_key_is_not_printed() -> None:
    """A person's key that ends up in a log line by accident doesn't show its bytes."""
    key, _ = VAULT.new_key()
    assert repr(key.secret)[2:12] not in repr(key)
