"""What a handler needs of its service: declared in its signature, found in the app that the composition root made.

So handlers are plain functions that can be imported and called, and the wiring stays in main.py.
"""

from __future__ import annotations

from typing import Any

from fastapi import Depends, Request


def provided(kind: type[Any]) -> Any:
    """Declare the need: `people: Annotated[PeopleUseCases, provided(PeopleUseCases)]`."""

    async def find(request: Request) -> Any:
        return request.app.state.provided[kind]

    find.provides = kind  # type: ignore[attr-defined] # a mark on a function, read by direct_route.py
    return Depends(find)
