"""A demonstration that is begun again: it goes on where it was interrupted, and says at once when it can't come out."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from demo import story
from demo.__main__ import Occupied, check_vacant
from demo.platform import Platform, Refused


class Registration:
    """Stands in for the platform: a tour's newcomer besides two of the history."""

    def token(self, *roles: str) -> dict[str, str]:
        """Nobody's."""
        return {}

    def call(self, method: str, service: str, path: str, credential: Any = None, **options: Any) -> Any:
        """Newest first."""
        days = {"jkp_tour": "2026-11-24", "jkp_b": "2021-03-02", "jkp_a": "2021-03-01"}
        return {"items": [{"jakpreneur_id": who, "registered_on": day} for who, day in days.items()], "next_cursor": None}


def test_who_registered_on_a_tour_is_not_in_the_story() -> None:
    """Siti of the README registered and was verified: the demonstration's trainings and reports stay those of its own people."""
    assert story.verified_people(cast("Platform", Registration()), 3) == ["jkp_b", "jkp_a"]


class Training:
    """Stands in for the platform: answers as training does."""

    def __init__(self, made: dict[str, str]) -> None:
        self.made = made
        self.enrolled: list[str] = []
        self.scans: list[str] = []

    def token(self, *roles: str) -> dict[str, str]:
        """Nobody's."""
        return {}

    def call(self, method: str, service: str, path: str, credential: Any = None, **options: Any) -> Any:
        """A reply, or Refused."""
        last = path.rsplit("/", 1)[-1]
        if path.startswith("/v1/enrolments/") and method == "GET":
            if last not in self.made:
                raise Refused(404, {"code": "not_found"})
            return {"status": self.made[last]}
        if path.endswith("/enrolments") and method == "POST":
            self.enrolled.append(options["json"]["jakpreneur_id"])
            return {}
        if last == "attendance":
            self.scans = [scan["enrolment_id"] for scan in options["json"]["scans"]]
        if last in ("cancellation", "acceptance", "decline", "transitions", "attendance"):
            raise Refused(409, {"code": "R11.state"})
        if path.endswith("/enrolments"):
            return {"items": [{"status": "completed"}] * 100}
        return {"sessions": [{"starts_at": "2021-03-02T02:00:00Z"}]}


def test_an_interrupted_training_goes_on() -> None:
    """Interrupted after the answers: nobody who gave up is enrolled again, and the same people are scanned."""
    people = [f"p{number}" for number in range(1, 8)]
    made = dict.fromkeys([f"t:{person}" for person in people[:6]], "confirmed") | {"t:p1": "cancelled", "t:p2": "cancelled"}
    training = Training(made)
    line = story._run(cast("Platform", training), {}, "t", "Pembukuan", 4, people)
    assert training.enrolled == ["p7"]
    assert training.scans == ["t:p3", "t:p4", "t:p5"]
    assert line == "Pembukuan: 7 enrolled for 4 seats, 3 came, 3 completed"


class Held:
    """A platform that holds so many people, and knows this file or doesn't."""

    def __init__(self, people: int, *, known: bool) -> None:
        self.people = people
        self.known = known

    def token(self, *roles: str) -> dict[str, str]:
        """Nobody's."""
        return {}

    def call(self, method: str, service: str, path: str, *_: Any) -> Any:
        """Its figures."""
        if service == "registration" and not self.known:
            raise Refused(404, {"code": "not_found"})
        return {"registered_total": self.people}


@pytest.mark.parametrize(
    ("held", "known", "vacant"), [(0, False, True), (300, True, True), (500, True, True), (300, False, False), (900, True, False)]
)
def test_another_demonstration_is_noticed(tmp_path: Path, held: int, known: bool, vacant: bool) -> None:
    """Nobody there, or this very file (perhaps half): go on. Other people: said up front, with what to do."""
    file = tmp_path / "history.csv"
    file.write_text("nik")
    file.with_suffix(".import").write_text("imp_1")
    platform = cast("Platform", Held(held, known=known))
    if vacant:
        check_vacant(platform, file, 500)
    else:
        with pytest.raises(Occupied, match=f"PEOPLE={held}"):
            check_vacant(platform, file, 500)
