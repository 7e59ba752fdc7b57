"""API keys: well formed, checked before anybody is asked, and stored so that a thief of the database has nothing."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from chassis.access import api_keys


def test_a_new_key() -> None:
    """Environment, public id, 256 bits, checksum; its public id is found again, and no two are alike."""
    made = api_keys.generate("local")
    assert re.fullmatch(r"jkp_local_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}_[0-9a-f]{8}", made.secret)
    assert made.kid == api_keys.kid_of(made.secret)
    assert len({api_keys.generate("local").secret for _ in range(200)}) == 200


@given(st.integers(0, 100), st.characters(codec="ascii"))
def test_one_wrong_letter(place: int, letter: str) -> None:
    """A key copied with one wrong letter is told from a key, without the database."""
    key = api_keys.generate("local").secret
    place %= len(key)
    copied = key[:place] + letter + key[place + 1 :]
    assert (copied == key) == (api_keys.kid_of(copied) is not None)


@given(st.text())
def test_what_never_was_a_key(text: str) -> None:
    """Anything else that is sent as a key is none, and nothing breaks."""
    assert api_keys.kid_of(text) is None
    assert api_keys.kid_of(f"{api_keys.generate('local').secret}\n") is None


def test_what_is_stored() -> None:
    """The stored digest holds neither the key nor anything that can be tried without the pepper."""
    key = api_keys.generate("local").secret
    digest = api_keys.digest(key, b"pepper")
    assert digest == api_keys.digest(key, b"pepper")
    assert digest != api_keys.digest(key, b"another")
    assert key.rsplit("_", 2)[1] not in digest
