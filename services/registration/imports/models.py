"""Replies about imports."""

from __future__ import annotations

from pydantic import BaseModel, Field

from chassis.errors import FieldError


class ImportAccepted(BaseModel):
    """The file is stored and queued; `repeated` tells that it had been uploaded before."""

    import_id: str = Field(description="Id, the same for the same file")
    state: str = Field(description="queued, running, done or failed")
    repeated: bool = Field(description="The same file was uploaded before; nothing changes")


class ImportState(BaseModel):
    """How far an import is."""

    import_id: str = Field(description="Id")
    state: str = Field(description="queued, running, done or failed")
    rows_total: int | None = Field(description="Rows of the file; null until they are counted")
    rows_done: int = Field(description="Rows decided")
    accepted: int = Field(description="Rows that are registrations now")
    rejected: int = Field(description="Rows that were refused; errors.csv says why")
    warned: int = Field(description="Rows that are registrations, with warnings for the verifier; they are in errors.csv too")
    reason: str | None = Field(description="Why the import failed")
    errors: list[FieldError] = Field(description="Likewise, in both languages")
