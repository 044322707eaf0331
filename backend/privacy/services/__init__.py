"""What privacy does: seals the audit log, finds mass reads, shows who saw what."""

from __future__ import annotations

from backend.privacy.services.mass_reads import find_mass_reads, read_mass_reads
from backend.privacy.services.reading import read_own_audit, read_patient_audit
from backend.privacy.services.sealing import publish_roots, seal_audit

__all__ = [
    "find_mass_reads",
    "publish_roots",
    "read_mass_reads",
    "read_own_audit",
    "read_patient_audit",
    "seal_audit",
]
