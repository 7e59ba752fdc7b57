"""What can go wrong with the database, in words that the rest of the code acts on: a race, an unknown commit, unreachable."""

from __future__ import annotations

from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WaitQueueTimeoutError,
)

_DUPLICATE_KEY = 11000
# A snapshot that is too old, or older than its collection: a later one will do. Interrupted: an operator killed the session.
_TRY_AGAIN = frozenset({239, 246, 11601})
# A server that is changing its state or its role, by the drivers' own list of what a read may be tried again for.
_CHANGING_STATE = frozenset({6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436})


class WriteRace(Exception):
    """The transaction met another writer (duplicate key, version moved on, transient error): load and decide again."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CommitUnknown(Exception):
    """The commit was sent and no answer came before the deadline: it may or may not be durable."""


def race_of(error: BaseException) -> str | None:
    """A bounded reason if `error` means that another writer was met, else nothing."""
    if isinstance(error, WriteRace):
        return error.reason
    if is_duplicate(error):
        return "duplicate_key"
    if isinstance(error, OperationFailure) and error.has_error_label("TransientTransactionError"):
        return "transient"
    return None


def is_duplicate(error: BaseException) -> bool:
    """Whether a write met an `_id` or unique key that is there already."""
    if isinstance(error, DuplicateKeyError):
        return True
    if isinstance(error, BulkWriteError):
        return any(e.get("code") == _DUPLICATE_KEY for e in error.details.get("writeErrors", []))
    return False


def is_too_slow(error: BaseException) -> bool:
    """Whether the server gave up a read that took longer than it may."""
    return isinstance(error, ExecutionTimeout)


def is_unreachable(error: BaseException) -> bool:
    """Whether the server, not the request, is the trouble: try again later."""
    if isinstance(error, (AutoReconnect, ConnectionFailure, ExecutionTimeout, WaitQueueTimeoutError)):
        return True
    if isinstance(error, OperationFailure) and error.code in _TRY_AGAIN | _CHANGING_STATE:
        return True
    return isinstance(error, PyMongoError) and (
        error.has_error_label("TransientTransactionError") or error.has_error_label("RetryableWriteError")
    )


__all__ = [
    "CommitUnknown", "DuplicateKeyError", "PyMongoError", "WriteRace", "is_duplicate", "is_too_slow",
    "is_unreachable", "race_of",
]  # fmt: skip
