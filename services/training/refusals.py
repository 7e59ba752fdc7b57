"""Every refusal of this service: its stable code, and its text in Indonesian and in English.

`CONFLICTS` are clashes with what is there (409); all others are rules that forbid it (422).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from chassis.errors import Conflict, DomainError, FieldError, Forbidden, RuleBroken, Stale

TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    # Partners, R9.
    "R9.transition": ("Mitra berstatus {was} tidak dapat menjadi {to}.", "A partner that is {was} can't become {to}."),
    "R9.not_active": (
        "Hanya mitra aktif yang boleh membuat atau menerbitkan pelatihan (status sekarang: {status}).",
        "Only an active partner may create or publish trainings (it is {status}).",
    ),
    "R9.partner_ended": ("Kemitraan sudah berakhir.", "The partnership is over."),
    "R9.two_keys": (
        "Sudah ada dua kunci yang berlaku. Cabut salah satu dahulu.",
        "There are two valid keys already. Revoke one of them first.",
    ),
    "R9.key_expiry": (
        "Harus sesudah hari ini dan paling lama {days} hari lagi.",
        "Must lie after today and at most {days} days ahead.",
    ),
    "key_already_shown": (
        "Kunci hanya ditampilkan sekali dan tidak disimpan. Cabut kunci {kid} dan buat yang baru.",
        "A key is shown once and isn't stored. Revoke key {kid} and make a new one.",
    ),
    # Trainings, R10.
    "R10.transition": ("Pelatihan berstatus {was} tidak dapat menjadi {to}.", "A training that is {was} can't become {to}."),
    "R10.approval_required": (
        "Pelatihan mitra ini harus disetujui petugas sebelum diterbitkan.",
        "This partner's trainings need an officer's approval before they are published.",
    ),
    "R10.too_early": ("Belum waktunya: sesi {which} pada {when}.", "Too early: the {which} session is at {when}."),
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
    # Enrolments, R11.
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
    # Attendance, R12.
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
}
CONFLICTS: Final = frozenset(
    {
        "R9.transition",
        "R9.partner_ended",
        "R9.two_keys",
        "key_already_shown",
        "R10.transition",
        "R10.approval_required",
        "R10.too_early",
        "R10.quota_below_taken",
        "R10.started",
        "R10.over",
        "R11.not_published",
        "R11.already_enrolled",
        "R11.waiting_list_full",
        "R11.state",
        "R11.training_state",
        "R11.offer_expired",
        "R12.training_state",
    }
)


def failing(field: str, code: str, **values: object) -> FieldError:
    """One failing rule."""
    text_id, text_en = TEXTS[code]
    return FieldError(field, code, text_id.format(**values), text_en.format(**values))


def refused(field: str, code: str, **values: object) -> DomainError:
    """The refusal for one failing rule."""
    return refused_for([failing(field, code, **values)])


def refused_for(errors: Iterable[FieldError]) -> DomainError:
    """One refusal that names every failing rule: a Conflict if any of them is a clash, else RuleBroken."""
    found = tuple(errors)
    kind = Conflict if any(error.code in CONFLICTS for error in found) else RuleBroken
    if len(found) == 1:
        return kind(found[0].code, found[0].message_id, found[0].message_en, found)
    return kind("rules", "Beberapa ketentuan tidak terpenuhi.", "Several rules are not met.", found)


def not_yours() -> Forbidden:
    """A thing that the caller sees, but may not do."""
    return Forbidden("forbidden", "Anda tidak berhak melakukan ini.", "You may not do this.")


def own_only() -> Forbidden:
    """A citizen asks for somebody else."""
    return Forbidden("R11.own_only", "Anda hanya dapat mendaftarkan diri sendiri.", "You may only enrol yourself.")


def stale() -> Stale:
    """If-Match names an older version."""
    return Stale("stale", "Data sudah diubah orang lain. Muat ulang.", "The document has changed meanwhile. Load it again.")
