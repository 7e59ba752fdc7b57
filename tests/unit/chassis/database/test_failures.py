"""Which errors of the database mean that the server is the trouble, and not the request."""

from __future__ import annotations

import pytest
from pymongo.errors import NotPrimaryError, OperationFailure, PyMongoError, ServerSelectionTimeoutError

from chassis.database.failures import is_unreachable


@pytest.mark.parametrize(
    ("error", "unreachable"),
    [
        (ServerSelectionTimeoutError("nobody there"), True),
        (NotPrimaryError("no longer"), True),
        (OperationFailure("interrupted: its role changes", 11602), True),
        (OperationFailure("stepping down", 189), True),
        (OperationFailure("majority reads aren't possible yet", 134), True),
        (OperationFailure("unknown operator", 2), False),
        (OperationFailure("not authorized", 13), False),
        (ValueError("a bug"), False),
    ],
    ids=str,
)
def test_whose_trouble_it_is(error: Exception, unreachable: bool) -> None:
    """While a primary is elected, everything waits and is tried again; what the request itself can't be, is not."""
    assert isinstance(error, PyMongoError | ValueError)
    assert is_unreachable(error) == unreachable
