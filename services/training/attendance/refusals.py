"""Refusals of attendance (R12): stable codes and their texts in Indonesian and in English."""

from __future__ import annotations

from typing import Final

from services.training.refusals import Refusals

REFUSALS: Final = Refusals(
    texts={
        "R12.training_state": (
            "Kehadiran tidak dapat dicatat: status pelatihan {status}.",
            "Attendance can't be recorded: the training is {status}.",
        ),
        "R12.unknown_enrolment": ("Bukan peserta pelatihan ini.", "Not an enrolment of this training."),
        "R12.no_seat": ("Tidak memiliki kursi (status: {status}).", "Has no seat (status: {status})."),
        "R12.outside_sessions": ("Di luar waktu semua sesi.", "Outside the time of every session."),
        "R12.too_late": (
            "Terlambat: pemindaian diterima sampai {hours} jam setelah pelatihan berakhir.",
            "Too late: scans are taken until {hours} hours after the end of the training.",
        ),
        "R12.ahead": ("Waktu pemindaian di masa depan.", "The scan's time lies ahead."),
        "R12.too_many_scans": ("Terlalu banyak pemindaian untuk peserta ini.", "Too many scans for this person."),
    },
    conflicts=frozenset({"R12.training_state"}),
)
