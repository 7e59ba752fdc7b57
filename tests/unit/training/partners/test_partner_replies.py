"""What is shown of a partner."""

from __future__ import annotations

from typing import Any

from services.training.partners import replies


def test_a_contact_is_masked_except_for_the_partner_itself() -> None:
    """Enough to recognise, too little to write to."""
    document: Any = {"_id": "par_a", "name": "K", "kind": "bank", "status": "active", "approval_required": True, "version": 3}
    contact = {"contact_name": "Siti Aminah", "contact_email": "siti@example.com"}
    masked = replies.partner(document, contact, [], masked=True)
    assert (masked["contact_name"], masked["contact_email"]) == ("S*** A***", "s***@example.com")
    assert replies.partner(document, contact, [], masked=False)["contact_email"] == "siti@example.com"
