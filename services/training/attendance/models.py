"""Request and response models of attendance (R12): shapes only."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from chassis.forms.body import Body
from services.training.api_types import ENROLMENT_ID, Moment


class ScanBody(Body):
    """One scan."""

    enrolment_id: str = Field(pattern=ENROLMENT_ID, description="Whom", examples=["trn_Qm3Xv8Rp1Ya6sT2m:jkp_4Yq0pV7sT2mXb1Zk"])
    nonce: str = Field(
        pattern=r"^[0-9A-Za-z._:-]{1,64}$",
        description="Drawn by the device: again is a duplicate",
        examples=["d7-000123"],
    )
    scanned_at: Moment = Field(description="The device's time, with offset", examples=["2027-03-08T09:05:00+07:00"])
    minutes: int = Field(ge=0, le=1440, description="Attended minutes that it stands for", examples=[180])


class AttendanceBody(Body):
    """An upload."""

    scans: list[ScanBody] = Field(min_length=1, max_length=1000, description="At most 1,000")


class ScanResult(BaseModel):
    """What became of one scan."""

    enrolment_id: str = Field(description="Whom")
    nonce: str = Field(description="As sent")
    result: Literal["recorded", "duplicate", "refused"] = Field(description="recorded; duplicate: known nonce; refused: see code")
    code: str | None = Field(default=None, description="Stable code of the refusal")
    message_id: str | None = Field(default=None, description="Text in Bahasa Indonesia")
    message_en: str | None = Field(default=None, description="Text in English")


class AttendanceResults(BaseModel):
    """What became of an upload."""

    results: list[ScanResult] = Field(description="In the order of the request")
    recorded: int = Field(description="New scans")
    duplicate: int = Field(description="Known scans")
    refused: int = Field(description="Refused scans")
