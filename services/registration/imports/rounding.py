"""NIKs that a spreadsheet has rounded, pure: Excel keeps 15 digits of a number, and a NIK has 16.

3171014512909003 and 3171014512909007 both become 3171014512909000: a file with such NIKs registers people who don't exist.
One in ten NIKs ends in 0 by itself, so it shows only over the whole file.
"""

from __future__ import annotations

import math
from typing import Final

_NATURAL: Final = 0.1
_IMPROBABLE: Final = 1.01e-4  # a file whose NIKs would end in 0 so often in one of ten thousand cases is stopped
_FEWEST: Final = 4


class LastDigits:
    """Counts the last digits of a file's NIKs."""

    def __init__(self) -> None:
        self._count = self._noughts = 0

    def note(self, nik: str) -> None:
        """One cell; what isn't 16 digits long is refused by itself."""
        if len(nik) == 16 and nik.isdigit():
            self._count += 1
            self._noughts += nik[-1] == "0"

    @property
    def rounded(self) -> bool:
        """Whether so many noughts are no accident (Chernoff's bound of the binomial distribution)."""
        if self._noughts < _FEWEST or self._noughts <= self._count * _NATURAL:
            return False
        share = self._noughts / self._count
        rest = (1 - share) * math.log((1 - share) / (1 - _NATURAL)) if share < 1 else 0.0
        divergence = share * math.log(share / _NATURAL) + rest
        return math.exp(-self._count * divergence) <= _IMPROBABLE
