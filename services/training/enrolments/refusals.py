"""Refusals of enrolments (R11): stable codes and their texts in Indonesian and in English."""

from __future__ import annotations

from typing import Final

from chassis.errors import Forbidden, NotFound, not_found
from services.training.refusals import Refusals

REFUSALS: Final = Refusals(
    texts={
        "R11.not_published": (
            "Pendaftaran tidak dibuka (status pelatihan: {status}).",
            "The training isn't open for registration (it is {status}).",
        ),
        "R11.deadline_passed": ("Batas pendaftaran sudah lewat.", "The registration deadline has passed."),
        "R11.already_enrolled": (
            "Sudah terdaftar di pelatihan ini (status: {status}).",
            "Already enrolled in this training (status: {status}).",
        ),
        "R11.waiting_list_full": ("Daftar tunggu penuh.", "The waiting list is full."),
        "R11.not_verified": (
            "Belum terverifikasi sebagai Jakpreneur. Jika baru saja diverifikasi, coba lagi sebentar lagi.",
            "Not a verified Jakpreneur. If the verification was just now, try again in a moment.",
        ),
        "R11.audience.kota": (
            "Pelatihan ini untuk kota/kabupaten: {wanted}.",
            "This training is for people from: {wanted}.",
        ),
        "R11.audience.kecamatan": (
            "Pelatihan ini untuk kecamatan: {wanted}.",
            "This training is for people from these kecamatan: {wanted}.",
        ),
        "R11.audience.category": ("Pelatihan ini untuk kategori: {wanted}.", "This training is for category: {wanted}."),
        "R11.audience.commodity": (
            "Pelatihan ini untuk komoditas: {wanted}.",
            "This training is for businesses in: {wanted}.",
        ),
        "R11.overlap": (
            "Jadwal bertumpuk dengan pelatihan lain yang diikuti{which}.",
            "Its sessions overlap another training of the same person{which}.",
        ),
        "R11.state": (
            "Tidak dapat dilakukan: status pendaftaran {status}.",
            "Not possible: the enrolment is {status}.",
        ),
        "R11.training_state": (
            "Tidak dapat dilakukan: status pelatihan {status}.",
            "Not possible: the training is {status}.",
        ),
        "R11.offer_expired": ("Tawaran kursi sudah kedaluwarsa.", "The offer of a seat has lapsed."),
    },
    conflicts=frozenset(
        {
            "R11.not_published",
            "R11.already_enrolled",
            "R11.waiting_list_full",
            "R11.state",
            "R11.training_state",
            "R11.offer_expired",
        }
    ),
)


def own_only() -> Forbidden:
    """A citizen enrols somebody else."""
    return Forbidden("R11.own_only", "Anda hanya dapat mendaftarkan diri sendiri.", "You may only enrol yourself.")


def unknown_enrolment() -> NotFound:
    """There is no such enrolment, or it is somebody else's: the two look the same."""
    return not_found("Pendaftaran", "Enrolment")
