"""Who the people of the demonstration are: synthetic in every field, and recognisably so.

What marks them: every NIK has a serial from 9001 up, which no district ever issues on one day; every telephone number begins
with 0861-0865, prefixes that are valid in form but assigned to no operator, so none can ring anybody; every e-mail
ends in example.com (RFC 2606). Nothing here is drawn from data about real people.
"""

import random
from collections.abc import Callable, Sequence
from datetime import date
from typing import Final, TypeVar

from faker import Faker

from demo.trades import OTHER_DISTRICTS, TRADES, Trade
from services.registration.reference import areas
from services.registration.reference.categories import NAIK_KELAS, PEMULA

T = TypeVar("T")

FIRST_SERIAL: Final = 9001
PHONE_PREFIXES: Final = ("0861", "0862", "0863", "0864", "0865")
_PHONE_STEP: Final = 48_271_001  # odd and no multiple of 5, so it walks through all 10^8 numbers before one repeats
_WHEEL_BITS: Final = 12

# People to be expected in each kota, in thousandths; near its share of Jakarta's population.
_KOTA_WEIGHT: Final = {"31.01": 3, "31.71": 104, "31.72": 168, "31.73": 230, "31.74": 209, "31.75": 286}
_DINAS_WEIGHT: Final = {
    "PPKUKM": 52,
    "Nakertrans": 13,
    "PPAPP": 11,
    "Parekraf": 9,
    "Sosial": 7,
    "KPKP": 4,
    "Pendidikan": 4,
}


def _wheel(rng: random.Random, choices: Sequence[tuple[T, float]]) -> list[T]:
    """4,096 slots filled in proportion to the weights: a weighted draw is then one index, ten times faster.

    Every choice gets one slot first: by chance alone, the smallest island would be left without a soul.
    """
    values = [value for value, _ in choices]
    rest = (1 << _WHEEL_BITS) - len(values)
    return values + rng.choices(values, [weight for _, weight in choices], k=rest)


class People:
    """Draws one person after another; the same seed and the same order of calls give the same people."""

    def __init__(self, seed: int) -> None:
        self._rng = rng = random.Random(seed)
        fake = Faker("id_ID")
        fake.seed_instance(seed)
        self._given = {
            "female": _pool(fake.first_name_female),
            "male": _pool(fake.first_name_male),
        }
        self._family = {"female": _pool(fake.last_name_female), "male": _pool(fake.last_name_male)}
        self._streets = _pool(fake.street_name)
        in_kota = {kota: [a for a in areas.ALL if a.kota == kota] for kota in areas.KOTA}
        self._areas = _wheel(
            rng,
            [
                (area, _KOTA_WEIGHT[kota] * rng.uniform(0.5, 1.5) / len(members))
                for kota, members in in_kota.items()
                for area in members
            ],
        )
        self._dinas = _wheel(rng, list(_DINAS_WEIGHT.items()))
        self._trades = _wheel(rng, [(trade, trade.weight) for trade in TRADES])
        self._channels = _wheel(rng, [("online", 46), ("office", 38), ("event", 16)])
        self._serials: dict[str, int] = {}
        self._phone = rng.randrange(10**8)
        self._drawn = 0

    def draw(self, registered_on: date) -> tuple[str, ...]:
        """The fields of one person, in the order of `history.COLUMNS` up to and without `registered_on`."""
        rng, bits = self._rng, self._rng.getrandbits
        self._drawn += 1
        gender = "female" if rng.random() < 0.61 else "male"
        given, family = self._given[gender], self._family[gender]
        first, last = given[bits(16) % len(given)], family[bits(16) % len(family)]
        area = self._areas[bits(_WHEEL_BITS)]
        trade: Trade = self._trades[bits(_WHEEL_BITS)]
        # The average of two draws, 18 to 64 years: most are between 30 and 50.
        age_days = 18 * 366 + int((rng.random() + rng.random()) / 2 * 46 * 365)
        born = date.fromordinal(registered_on.toordinal() - age_days)
        # Three in four got their NIK where they live; the others came to Jakarta with one.
        prefix = area.kecamatan.replace(".", "") if rng.random() < 0.75 else self._elsewhere()
        day = registered_on.isoformat()
        asked = rng.random()
        return (
            self._nik(prefix, born, gender),
            f"{first} {last}",
            born.isoformat(),
            gender,
            self._next_phone(),
            f"{first}.{last}{self._drawn}@example.com".lower().replace(" ", "") if rng.random() < 0.45 else "",
            area.kelurahan,
            f"{self._streets[bits(16) % len(self._streets)]} No. {1 + bits(7)}, RT {1 + bits(4):03d}/RW {1 + bits(3):03d}",
            *self._business(first, trade, registered_on, self._dinas[bits(_WHEEL_BITS)], day, asked),
        )

    def channel(self) -> str:
        """How the registration came in: "online", "office" or "event"."""
        return self._channels[self._rng.getrandbits(_WHEEL_BITS)]

    def _business(self, first: str, trade: Trade, registered_on: date, dinas: str, day: str, asked: float) -> tuple[str, ...]:
        """Category, dinas, consent and the business; a starter (`pemula`) has none yet (R5)."""
        rng = self._rng
        consent = ("1" if day < "2020-01-01" else "2", f"{day}T{8 + int(asked * 9):02d}:{int(asked * 3600) % 60:02d}:00+07:00")
        dinas = trade.dinas or dinas
        if rng.random() < 0.42:
            return (PEMULA, dinas, *consent, "", "", "", "", "", "", "", "", "")
        started = date.fromordinal(registered_on.toordinal() - 60 - int(rng.random() ** 3 * 5_000))
        capital = _round(rng.lognormvariate(15.9, 0.9), 50_000)  # median 8 million rupiah
        return (
            NAIK_KELAS,
            dinas,
            *consent,
            f"{trade.shop} {first}",
            trade.commodity,
            trade.kbli,
            "2020",
            started.isoformat(),
            str(capital),
            str(_round(rng.lognormvariate(17.8, 0.9), 100_000)),  # median 54 million rupiah a year
            str(_round(capital * (1 + rng.random()), 50_000)),
            str(int(rng.expovariate(0.9))),
        )

    def _elsewhere(self) -> str:
        """The first six digits of a NIK from outside Jakarta: a district and one of its first eight sub-districts."""
        bits = self._rng.getrandbits
        return f"{OTHER_DISTRICTS[bits(16) % len(OTHER_DISTRICTS)]}{1 + bits(3):02d}"

    def _nik(self, prefix: str, born: date, gender: str) -> str:
        day = born.day + 40 if gender == "female" else born.day
        stem = f"{prefix}{day:02d}{born.month:02d}{born.year % 100:02d}"
        serial = self._serials.get(stem, FIRST_SERIAL)
        if serial > 9999:
            raise ValueError(f"more than 999 synthetic people share the first twelve digits {stem}")
        self._serials[stem] = serial + 1
        return f"{stem}{serial}"

    def _next_phone(self) -> str:
        self._phone = (self._phone + _PHONE_STEP) % 10**8
        return f"{PHONE_PREFIXES[self._drawn % len(PHONE_PREFIXES)]}{self._phone:08d}"


def _pool(draw: Callable[[], str]) -> list[str]:
    """Up to 500 draws without repeats, in the order of their first appearance."""
    return list(dict.fromkeys(draw() for _ in range(500)))


def _round(amount: float, step: int) -> int:
    """Whole rupiah, in steps as people tell them, and never nothing."""
    return max(step, round(amount / step) * step)
