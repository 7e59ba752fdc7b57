"""What goes in and out about targets."""

from __future__ import annotations

from pydantic import BaseModel, Field

from chassis.forms.body import Body
from chassis.forms.iso_dates import Date
from chassis.forms.text import Line
from contracts.reference import Dinas, Stage


class TargetBody(Body):
    """A target's new version."""

    value: int = Field(ge=1, le=10**10, description="People")
    source: Line = Field(min_length=1, max_length=200, description="Where it is set down")
    valid_from: Date = Field(description="First day on which it counts")
    stage: Stage = Field(default="P1", description="Which achievement is counted")
    dinas: Dinas | None = Field(default=None, description="A dinas's own target; none: overall")


class TargetVersion(BaseModel):
    """One version of a target. Who set it is stored, and nobody else's business."""

    number: int = Field(description="1, 2, 3 …")
    value: int = Field(description="People")
    source: str = Field(description="Where it is set down")
    valid_from: str = Field(description="First day on which it counts")
    stage: str = Field(description="Which achievement is counted")
    dinas: str | None = Field(description="A dinas's own target; none: overall")
    set_at: str = Field(description="When, UTC")


class Target(TargetVersion):
    """A target: its current version and all versions."""

    target_id: str = Field(description="Id")
    reached_on: str | None = Field(default=None, description="First day on which the figures reached it")
    versions: list[TargetVersion] = Field(description="All versions, oldest first")


class Targets(BaseModel):
    """All targets."""

    items: list[Target] = Field(description="In order of their ids")
