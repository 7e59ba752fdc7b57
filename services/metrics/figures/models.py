"""Replies of breakdowns and of the funnel."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Cell(BaseModel):
    """One value of a dimension."""

    value: str = Field(description="Code, or unknown")
    people: int | None = Field(description="Distinct people; null if suppressed")
    suppressed: bool = Field(description="1 to 4 people, or it would let such a cell be computed (R18)")


class Cells(BaseModel):
    """Counts by a dimension."""

    dimension: str = Field(description="The dimension")
    measure: str = Field(description="What is counted")
    items: list[Cell] = Field(description="In order of value; none where any would let a cell of 1 to 4 people be computed (R18)")


class FunnelStage(BaseModel):
    """One stage."""

    stage: str = Field(description="P1 to P7")
    people: int | None = Field(description="Distinct people with the stage; null if suppressed")
    percent_of_p1: str | None = Field(description="Two decimals, half up")
    suppressed: bool = Field(description="Too few people to show, or too few since another figure that is shown (R18)")


class Funnel(BaseModel):
    """The funnel: a set of achievements, not a ladder."""

    as_of: str = Field(description="Day of the figures")
    stages: list[FunnelStage] = Field(description="P1 to P7")
