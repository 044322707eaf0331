"""What privacy does: seals the audit log, finds mass reads, shows who saw what, discloses."""

from __future__ import annotations

from backend.privacy.services.contact_disclosures import note_shown_to_contact
from backend.privacy.services.disclosures import (
    Disclosed,
    Wish,
    disclose,
    disclose_in_emergency,
    read_disclosures,
    read_own_disclosures,
)
from backend.privacy.services.emergency_access import (
    open_emergency_access,
    read_emergency_accesses,
    review_emergency_access,
)
from backend.privacy.services.erasing import (
    AskedErasure,
    cancel_erasure,
    erase_due,
    read_erasure,
    request_erasure,
)
from backend.privacy.services.exporting import (
    AskedExport,
    FetchedExport,
    fetch_export,
    make_exports,
    read_export,
    request_export,
)
from backend.privacy.services.journalling import (
    JournalBroken,
    Replayed,
    replay_journal,
    set_aside,
    write_journal,
)
from backend.privacy.services.legal_holds import lift_legal_hold, set_legal_hold, set_retention
from backend.privacy.services.mass_reads import find_mass_reads, read_mass_reads
from backend.privacy.services.reading import read_own_audit, read_patient_audit
from backend.privacy.services.sealing import publish_roots, seal_audit

__all__ = [
    "AskedErasure",
    "AskedExport",
    "Disclosed",
    "FetchedExport",
    "JournalBroken",
    "Replayed",
    "Wish",
    "cancel_erasure",
    "disclose",
    "disclose_in_emergency",
    "erase_due",
    "fetch_export",
    "find_mass_reads",
    "lift_legal_hold",
    "make_exports",
    "note_shown_to_contact",
    "open_emergency_access",
    "publish_roots",
    "read_disclosures",
    "read_emergency_accesses",
    "read_erasure",
    "read_export",
    "read_mass_reads",
    "read_own_audit",
    "read_own_disclosures",
    "read_patient_audit",
    "replay_journal",
    "request_erasure",
    "request_export",
    "review_emergency_access",
    "seal_audit",
    "set_aside",
    "set_legal_hold",
    "set_retention",
    "write_journal",
]
