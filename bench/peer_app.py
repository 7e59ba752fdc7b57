"""The peer of write_path: a bare FastAPI app that stores the same body with one motor `insert_one` a request.

What a straightforward service does: parse, insert, answer. No rules, encryption, uniqueness, events or audit.
"""

from __future__ import annotations

import os
from typing import Any

import uvicorn
from fastapi import FastAPI
from motor.motor_asyncio import AsyncIOMotorClient
from pydantic import BaseModel

app = FastAPI()
people: Any = None


class Consent(BaseModel):
    """As in the real form, without its rules."""

    version: str
    given_at: str


class Form(BaseModel):
    """The same body, plainly typed."""

    nik: str
    name: str
    birth_date: str
    gender: str
    phone: str
    email: str | None = None
    kelurahan: str
    address: str | None = None
    category: str
    dinas: str | None = None
    consent: Consent
    business: dict[str, Any] | None = None
    registered_on: str | None = None
    channel: str | None = None


@app.post("/v1/jakpreneurs", status_code=201)
async def register(form: Form) -> dict[str, str]:
    """Insert and answer."""
    result = await people.insert_one(form.model_dump())
    return {"jakpreneur_id": str(result.inserted_id), "status": "submitted"}


if __name__ == "__main__":
    people = AsyncIOMotorClient(os.environ["PEER_MONGODB_URL"], w="majority", journal=True)[os.environ["PEER_DATABASE"]]["people"]
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PEER_PORT"]), log_level="error", access_log=False)
