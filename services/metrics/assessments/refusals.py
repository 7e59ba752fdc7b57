"""The refusals of assessments: stable codes, and texts in both languages. None of them carries a figure."""

from __future__ import annotations

from chassis.errors import Conflict, FieldError, Forbidden, NotFound, RuleBroken, Stale, not_found


def period_out_of_range() -> FieldError:
    """The month lies before the programme or hasn't begun."""
    text = ("Bulan di luar masa program atau di masa depan.", "The month is before the programme or in the future.")
    return FieldError("period", "period", *text)


def unknown_jakpreneur() -> NotFound:
    """There is no such person, or they are another dinas' person: the two refusals are equal on purpose."""
    return not_found("Jakpreneur", "Jakpreneur")


def not_verified() -> RuleBroken:
    """P6: only verified people report."""
    text = (
        "Jakpreneur ini belum terverifikasi (verifikasi terbaru bisa perlu beberapa detik).",
        "This Jakpreneur is not verified (a very recent verification may take a few seconds to arrive).",
    )
    return RuleBroken("P6.not_verified", *text, (FieldError("jakpreneur_id", "P6.not_verified", *text),))


def already_reported() -> Conflict:
    """P6: one report for a person and month."""
    text = ("Sudah ada laporan untuk bulan ini.", "There is a report for this month already.")
    return Conflict("P6.already_reported", *text, (FieldError("period", "P6.already_reported", *text),))


def unknown_assessment() -> NotFound:
    """There is no such assessment, or it is of another dinas' person: the two refusals are equal on purpose."""
    return not_found("Laporan", "Assessment")


def stale_assessment() -> Stale:
    """If-Match names an older version of the assessment."""
    return Stale("stale", "Data sudah diubah. Muat ulang.", "The document has changed meanwhile. Load it again.")


def own_submission() -> Forbidden:
    """R7: the verifier isn't the submitter."""
    return Forbidden("R7.own_submission", "Pelapor tidak boleh memverifikasi laporannya.", "The verifier can't be the submitter.")


def already_verified() -> Conflict:
    """R7: an assessment is verified once."""
    return Conflict("already_verified", "Laporan ini sudah diverifikasi.", "This assessment was verified already.")
