"""Types that several of the API's files share: who calls, ids in paths, times."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Final

from fastapi import Path
from pydantic import AfterValidator

from chassis.access.callers import Caller
from chassis.forms import iso_dates as fields
from chassis.http.answers import id_path
from services.training.policy import Actor

LINE: Final = r"^[^\x00-\x1f\x7f]*$"  # one line: control characters have no place in a title
TEXT: Final = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
JAKPRENEUR_ID: Final = r"^jkp_[0-9A-Za-z]{1,40}$"
ENROLMENT_ID: Final = r"^trn_[0-9A-Za-z]{1,40}:jkp_[0-9A-Za-z]{1,40}$"
_YEARS: Final = range(2000, 2201)

PartnerId = Annotated[str, id_path("par", "Id of a partner")]
TrainingId = Annotated[str, id_path("trn", "Id of a training")]
EnrolmentId = Annotated[
    str,
    Path(
        pattern=ENROLMENT_ID,
        description="Id of an enrolment: the training's id, a colon, the person's id",
        examples=["trn_Qm3Xv8Rp1Ya6sT2m:jkp_4Yq0pV7sT2mXb1Zk"],
    ),
]


def _in_reach(moment: datetime) -> datetime:
    # Checked before the conversion, which overflows at the ends of the calendar. Milliseconds are what the database keeps.
    if moment.year not in _YEARS:
        raise ValueError("the year must be between 2000 and 2200")
    utc = moment.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def _day_in_reach(day: date) -> date:
    if day.year not in _YEARS:
        raise ValueError("the year must be between 2000 and 2200")
    return day


Moment = Annotated[fields.Moment, AfterValidator(_in_reach)]
Day = Annotated[fields.Date, AfterValidator(_day_in_reach)]


def actor_of(caller: Caller) -> Actor:
    """The caller, as the rules see them. Verifiers and operators are not staff here: they decide nothing about trainings."""
    return Actor(
        id=caller.id,
        staff=bool(caller.roles & {"officer", "admin"}),
        dinas=caller.dinas,
        partner_id=caller.partner_id if "partner" in caller.roles else None,
        jakpreneur_id=caller.jakpreneur_id if "citizen" in caller.roles else None,
        scopes=caller.scopes,
    )
