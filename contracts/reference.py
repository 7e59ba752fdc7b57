"""What every service writes alike: the programme's beginning, its stages, the offices, and Jakarta's kota and kabupaten."""

from __future__ import annotations

from datetime import date
from typing import Final, Literal, get_args

PROGRAMME_START: Final = date(2015, 1, 1)  # the programme's forerunners began; nothing of it is older
Stage = Literal["P1", "P2", "P3", "P4", "P5", "P6", "P7"]
STAGES: Final[tuple[Stage, ...]] = get_args(Stage)
Dinas = Literal["PPKUKM", "Parekraf", "PPAPP", "Nakertrans", "Sosial", "KPKP", "Pendidikan"]
Kota = Literal["31.01", "31.71", "31.72", "31.73", "31.74", "31.75"]  # Kemendagri's; BPS gives 31.71 to another city
