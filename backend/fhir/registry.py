"""Every type of resource that is served. A new one is a module of `resources/` and a line here.

Routes, searches, `$everything` and the CapabilityStatement follow from it. A table about a patient
that no type shows stands in `NOT_SHOWN` with the reason; a test finds the one in neither.
"""

from __future__ import annotations

from collections.abc import Mapping

from backend.fhir.kinds import Kind
from backend.fhir.resources import consents, flags, nudges, observations, people, trends

# In the order in which `$everything` tells them.
KINDS: tuple[Kind, ...] = (
    people.PATIENT,
    people.CARE_TEAM,
    flags.KIND,
    trends.KIND,
    observations.KIND,
    nudges.KIND,
    consents.KIND,
)

NOT_SHOWN: Mapping[str, str] = {
    "accounts.EmergencyAccess": "who of the staff opened a record; the patient reads it here",
    "accounts.EnrolmentCode": "a way in, not a record of care",
    "accounts.PatientKey": "what a patient's words are sealed under; shown to nobody",
    "privacy.Export": "a copy that the patient asked for, not a record of care",
    "privacy.Erasure": "what became of the wish to be erased; the patient reads it here",
    "privacy.LegalHold": "why the clinic may not erase; a matter of the organisation",
    "privacy.Disclosure": "what was shown to others; the patient reads it here",
    "notifications.Notification": "how a message travelled; a nudge is told by itself",
    "aftercare.AcuteReport": "part of a check-in that was refused; its alert is a Flag",
    "aftercare.CopingStep": "the patient's own words, for themselves alone",
    "aftercare.ContactInvitation": "a question to a person the patient chose, and their answer",
    "aftercare.ContactMessage": "that a person the patient chose was told; no clinical meaning",
    "aftercare.SupportContact": "people the patient chose; who may hear what is a Consent",
    "aftercare.Decision": "why something was said or not; read here, by the care team",
    "aftercare.Prompt": "an invitation to check in; what came of it is an Observation",
    "aftercare.PromptSchedule": "when to be invited; a setting of the app",
    "program.EpisodeOfCare": "the treatment is read here, by the care team; not in FHIR yet",
    "program.SessionSeries": "how sessions were planned; a session is told by itself",
    "program.ProgramSession": "read here, by the patient and the care team; not in FHIR yet",
    "program.Attendance": "read here, by the patient and the care team; not in FHIR yet",
    "program.DrugTest": "read here, by the care team alone; not in FHIR yet",
    "tracking.AssessmentRequest": "work to be done by this server",
    "tracking.PackedWindow": "the days of the check-ins once more, for reading many people",
    "tracking.BaselineStart": "how trends are counted; they leave as directions alone",
}
