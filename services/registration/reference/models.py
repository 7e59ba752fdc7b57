"""Replies of the reference lists."""

from __future__ import annotations

from pydantic import BaseModel, Field


class AreaEntry(BaseModel):
    """A kelurahan and what lies above it."""

    kelurahan: str = Field(description="Kemendagri code")
    kelurahan_name: str = Field(description="Name")
    kecamatan: str = Field(description="Kemendagri code")
    kecamatan_name: str = Field(description="Name")
    kota: str = Field(description="Kemendagri code")
    kota_name: str = Field(description="Name")


class Areas(BaseModel):
    """Jakarta's 267 kelurahan."""

    items: list[AreaEntry] = Field(description="In order of their codes")


class CommodityEntry(BaseModel):
    """A commodity group."""

    code: str = Field(description="Stable code")
    name_id: str = Field(description="Name in Bahasa Indonesia")
    name_en: str = Field(description="Name in English")


class Commodities(BaseModel):
    """The commodity groups."""

    items: list[CommodityEntry] = Field(description="All groups")
