"""Jakarta's calendar: pure, for rules. What time it is, chassis/clock.py knows."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

JAKARTA = ZoneInfo("Asia/Jakarta")


def jakarta_day(moment: datetime) -> date:
    """The calendar day in Jakarta on which a moment falls: periods are counted by it (R15)."""
    return moment.astimezone(JAKARTA).date()
