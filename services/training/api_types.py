"""Types that the api and models of several features share: the actor of a request, ids in paths, texts, times."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Final

from fastapi import Path
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from chassis.access.callers import Caller
from chassis.forms import iso_dates
from chassis.http.answers import id_path
from services.training.actor import Actor

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
    # The year is checked before the conversion to UTC, which overflows at the ends of the calendar. The database keeps
    # milliseconds: truncating here makes the time that a rule sees equal to the one read back.
    if moment.year not in _YEARS:
        raise _out_of_reach()
    utc = moment.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def _day_in_reach(day: date) -> date:
    if day.year not in _YEARS:
        raise _out_of_reach()
    return day


def _out_of_reach() -> PydanticCustomError:
    return PydanticCustomError(
        "year", "the year must be between 2000 and 2200", {"message_id": "tahun harus antara 2000 dan 2200."}
    )


Moment = Annotated[iso_dates.Moment, AfterValidator(_in_reach)]
Day = Annotated[iso_dates.Date, AfterValidator(_day_in_reach)]


def actor_of(caller: Caller) -> Actor:
    """The caller as the rules see them.

    Verifiers and operators are not staff here, since they decide nothing about trainings. An id of a partner or a person counts
    only together with its role.
    """
    return Actor(
        id=caller.id,
        staff=bool(caller.roles & {"officer", "admin"}),
        dinas=caller.dinas,
        partner_id=caller.partner_id if "partner" in caller.roles else None,
        jakpreneur_id=caller.jakpreneur_id if "citizen" in caller.roles else None,
        scopes=caller.scopes,
    )
