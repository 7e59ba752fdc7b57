"""Partners as replies: plain JSON. No decision is taken here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chassis.documents import Document
from chassis.privacy.masking import mask_email
from services.training.documents import ApiKey, Partner


def partner(document: Partner, contact: Mapping[str, str], keys: Iterable[ApiKey], *, masked: bool) -> Document:
    """A partner with its contact person and valid keys. Only the partner itself is shown its contact unmasked."""
    return {
        "partner_id": document["_id"],
        "name": document["name"],
        "kind": document["kind"],
        "status": document["status"],
        "approval_required": document["approval_required"],
        "version": document["version"],
        **{name: mask_email(value) if masked else value for name, value in contact.items()},
        "api_keys": [{"kid": key["_id"], "scopes": key["scopes"], "expires_on": key["expires_on"]} for key in keys],
    }
