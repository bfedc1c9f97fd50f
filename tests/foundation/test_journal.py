from __future__ import annotations

import pytest
from django.test import RequestFactory

from chatvista.foundation.journal import RequestJournal


@pytest.mark.parametrize(
    ("address", "logged"),
    [
        ("/api/v1/uploads/1?token=secret.mac", "GET /api/v1/uploads/1?token=..."),
        ("/files?name=a&token=secret&b=c", "GET /files?name=a&token=...&b=c"),
        ("/files?page_size=5", "GET /files?page_size=5"),
    ],
)
def test_a_token_in_an_address_is_not_logged(address: str, logged: str) -> None:
    assert RequestJournal.format_request(RequestFactory().get(address)) == logged
