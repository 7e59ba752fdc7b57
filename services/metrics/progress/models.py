"""Replies of the headline figures and of series."""

from __future__ import annotations

from pydantic import BaseModel, Field


class ProgressTarget(BaseModel):
    """The overall target."""

    value: int = Field(description="People")
    source: str = Field(description="Where the target is set down")
    reached_on: str | None = Field(description="First day on which the cumulative count was at least the value")


class Progress(BaseModel):
    """The headline figures."""

    as_of: str = Field(description="Day of the figures", examples=["2021-03-02"])
    registered_total: int = Field(description="People with a verified registration (P1)", examples=[226280])
    target: ProgressTarget | None = Field(description="The target valid on that day, if one is set")
    progress_percent: str | None = Field(description="Two decimals, half up (R16)", examples=["113.14"])


class SeriesItem(BaseModel):
    """One period."""

    period: str = Field(description="2020-12-15, 2020-12, 2020-Q4 or 2020")
    count: int | None = Field(description="People in the period; null if suppressed")
    cumulative: int | None = Field(description="People up to its end; null if suppressed")
    suppressed: bool = Field(description="Count or cumulative count would disclose a period of 1 to 4 people (R18)")


class Series(BaseModel):
    """Counts by period."""

    measure: str = Field(description="What is counted")
    by: str = Field(description="Kind of period")
    items: list[SeriesItem] = Field(description="Periods with people, in order; among suppressed ones also those without")
