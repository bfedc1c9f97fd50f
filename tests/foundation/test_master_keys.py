"""Keys under keys: what was wrapped opens for its purpose and context alone, under old master keys, too."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from pytest_django.fixtures import Settings

from chatvista.foundation import master_keys
from chatvista.foundation.problems import PermanentError


def wrap(key: bytes) -> master_keys.WrappedKey:
    return master_keys.wrap(purpose="files", key=key, context=b"file 7")


def unwrap(wrapped: master_keys.WrappedKey, purpose: str = "files", context: bytes = b"file 7") -> bytes:
    return master_keys.unwrap(purpose=purpose, wrapped=wrapped, context=context)


def test_a_wrapped_key_opens_again() -> None:
    key = master_keys.new_key()
    wrapped = wrap(key)
    assert unwrap(wrapped) == key
    assert key not in wrapped.wrapped
    assert wrapped.key_id == master_keys.current_key_id()
    assert len(wrapped.key_id) == 16


def test_it_opens_for_nothing_else() -> None:
    wrapped = wrap(master_keys.new_key())
    with pytest.raises(PermanentError, match="encryption_key_damaged"):
        unwrap(wrapped, context=b"file 8")
    with pytest.raises(PermanentError, match="encryption_key_damaged"):
        unwrap(wrapped, purpose="backups")
    for broken in (b"", wrapped.wrapped[:-1], wrapped.wrapped[:20] + b"!" + wrapped.wrapped[21:]):
        with pytest.raises(PermanentError, match="encryption_key_damaged"):
            unwrap(replace(wrapped, wrapped=broken))


def test_an_old_master_key_still_opens_and_a_forgotten_one_is_named(settings: Settings) -> None:
    key, old = master_keys.new_key(), settings.ENCRYPTION_KEY
    wrapped = wrap(key)
    settings.ENCRYPTION_KEY, settings.ENCRYPTION_KEY_PREVIOUS = os.urandom(32), (old,)
    assert unwrap(wrapped) == key
    assert wrapped.key_id in master_keys.known_key_ids()
    assert wrap(key).key_id == master_keys.current_key_id() != wrapped.key_id
    settings.ENCRYPTION_KEY_PREVIOUS = ()
    with pytest.raises(PermanentError, match="encryption_key_unknown") as refused:
        unwrap(wrapped)
    assert wrapped.key_id in refused.value.detail
