"""Codes that every service writes alike: the offices, and Jakarta's kota and kabupaten. Events and APIs carry them."""

from __future__ import annotations

from typing import Literal

Dinas = Literal["PPKUKM", "Parekraf", "PPAPP", "Nakertrans", "Sosial", "KPKP", "Pendidikan"]
Kota = Literal["31.01", "31.71", "31.72", "31.73", "31.74", "31.75"]  # Kemendagri's; BPS gives 31.71 to another city
