"""The only place that reads the clock and draws ids. Rules take both as arguments."""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

JAKARTA = ZoneInfo("Asia/Jakarta")
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def now() -> datetime:
    """The time, UTC, to the millisecond: what MongoDB stores, so that a value read back equals the one written."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def jakarta_day(moment: datetime) -> date:
    """The calendar day in Jakarta on which a moment falls: periods are counted by it (R15)."""
    return moment.astimezone(JAKARTA).date()


def new_id(prefix: str) -> str:
    """A random public id such as `jkp_4Yq0pV7sT2mXb1Zk`: 16 characters, 93 bits, no order to be guessed from."""
    return f"{prefix}_{''.join(secrets.choice(_ALPHABET) for _ in range(16))}"
