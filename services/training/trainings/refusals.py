"""Refusals of trainings (R10): stable codes and their texts in Indonesian and in English."""

from __future__ import annotations

from typing import Final

from chassis.errors import NotFound, not_found
from services.training.refusals import Refusals

REFUSALS: Final = Refusals(
    texts={
        "R10.transition": ("Pelatihan berstatus {was} tidak dapat menjadi {to}.", "A training that is {was} can't become {to}."),
        "R10.approval_required": (
            "Pelatihan mitra ini harus disetujui petugas sebelum diterbitkan.",
            "This partner's trainings need an officer's approval before they are published.",
        ),
        "R10.too_early": ("Belum waktunya: paling cepat {when}.", "Too early: not before {when}."),
        "R10.sessions_empty": ("Isi paling sedikit satu sesi.", "There must be at least one session."),
        "R10.session_length": ("Sesi harus berakhir sesudah mulai.", "A session must end after it starts."),
        "R10.session_past": ("Jadwal baru harus di masa depan.", "The new schedule must lie ahead."),
        "R10.sessions_order": (
            "Sesi harus berurutan dan tidak boleh bertumpuk dengan sesi sebelumnya.",
            "Sessions must be in order and must not overlap the one before.",
        ),
        "R10.deadline": (
            "Batas pendaftaran harus sebelum sesi pertama.",
            "The registration deadline must lie before the first session.",
        ),
        "unknown_dinas": (
            "Kode dinas tidak dikenal. Yang dikenal: {known}.",
            "Unknown code of a dinas. Known are: {known}.",
        ),
        "unknown_kota": (
            "Kode kota/kabupaten tidak dikenal: {unknown}. Yang dikenal: {known}.",
            "Unknown kota or kabupaten: {unknown}. Known are: {known}.",
        ),
        "unknown_kecamatan": ("Bukan kecamatan di Jakarta: {unknown}.", "Not a kecamatan of Jakarta: {unknown}."),
        "kecamatan_elsewhere": (
            "Kecamatan {outside} tidak terletak di kota/kabupaten yang disebut ({kota}).",
            "The kecamatan {outside} don't lie in the kota that are named ({kota}).",
        ),
        "R10.quota": ("Kuota paling sedikit 1.", "The quota must be at least 1."),
        "R10.quota_below_taken": (
            "Kuota tidak boleh kurang dari {taken} kursi yang sudah terisi atau ditawarkan.",
            "The quota can't be below the {taken} seats that are confirmed or offered.",
        ),
        "R10.quota_needs_approval": (
            "Kuota di atas {approved} yang disetujui hanya dapat dinaikkan oleh petugas.",
            "Only an officer can raise the quota above the approved {approved}.",
        ),
        "R10.started": (
            "Jadwal tidak dapat diubah lagi: pelatihan sudah dimulai.",
            "The schedule can't change any more: the training has begun.",
        ),
        "R10.over": ("Pelatihan sudah {status}; tidak dapat diubah.", "The training is {status}; it can't change."),
    },
    conflicts=frozenset(
        {"R10.transition", "R10.approval_required", "R10.too_early", "R10.quota_below_taken", "R10.started", "R10.over"}
    ),
)


def unknown_training() -> NotFound:
    """There is no such training, or the actor may not see it: the two look the same."""
    return not_found("Pelatihan", "Training")
