"""Every table with something of a patient's, and what becomes of it, area by area.

In the order in which rows may be deleted: those that others point to come last. A test goes through
the database's own list of tables and fails for one that is neither here nor in `NOT_A_PATIENTS`.
"""

from __future__ import annotations

from collections.abc import Mapping

from backend.accounts import patient_data as accounts
from backend.accounts.patient_tables import PatientTable
from backend.aftercare import patient_data as aftercare
from backend.notifications import patient_data as notifications
from backend.privacy import patient_data as privacy
from backend.program import patient_data as program
from backend.tracking import patient_data as tracking

TABLES: tuple[PatientTable, ...] = (
    *privacy.TABLES,
    *aftercare.TABLES,
    *notifications.TABLES,
    *tracking.TABLES,
    *program.TABLES,
    *accounts.TABLES,
)

NOT_A_PATIENTS: Mapping[str, str] = {
    "accounts_clinician": "staff",
    "accounts_administrator": "staff",
    "accounts_secondfactor": "staff's second step; patients have none",
    "accounts_recoverycode": "staff's second step; patients have none",
    "accounts_mfachallenge": "staff's second step; patients have none",
    "aftercare_escalationladder": "an organisation's, with the account of who stored it",
    "aftercare_oncallshift": "staff",
    "notifications_contactpoint": "a clinician's own address, never a patient's",
    "privacy_massread": "about staff; counts of patients, no patient",
}
"""Tables that lead to an account, and why they hold nothing of a patient's."""
