"""Everyone of the matrix, and what each patient has: check-ins, alerts, messages, phones.

Each patient's words and ids are kept as canaries, so that an answer which shows one of them to
the wrong person is seen whatever the route is.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from backend.accounts.access import live_care_team
from backend.accounts.actor import Role
from backend.accounts.consent_scopes import ConsentScope
from backend.accounts.models import (
    Administrator,
    Clinician,
    Consent,
    Device,
    EmergencyAccess,
    EnrolmentCode,
    PasswordReset,
    Patient,
    ResetPurpose,
    User,
)
from backend.accounts.recipients import Recipient
from backend.accounts.services import revoke_consent
from backend.accounts.tokens import hash_code
from backend.aftercare.models import Alert, CopingStep, Decision, Nudge, SupportContact
from backend.aftercare.services import store_item
from backend.dashboard.services import seen_mark
from backend.intake.bodies import CheckInBody
from backend.intake.services import receive_check_in
from backend.notifications.models import ContactPoint, Notification
from backend.privacy.models import Erasure, Export
from backend.tracking.models import Assessment, CheckIn
from tests.accounts.consenting import own, sign
from tests.matrix.callers import Caller, ended, expired, signed_in, waiting
from tests.matrix.ladders import past_shift
from tests.people import (
    actor_for,
    enrol_app,
    make_clinician,
    make_device,
    make_patient,
    make_people,
    make_tie,
    make_user,
)
from tests.program.attending import Treatment, attend

NOBODY = UUID("00000000-0000-4000-8000-000000000000")
CODE, CODE_ELSEWHERE, RESET_CODE = "7K2M-Q0XA-93TD", "7K2M-Q0XA-93TE", "7K2M-Q0XA-93TF"
BORN_ON = date(1988, 2, 29)


@dataclass(frozen=True)
class Belongings:
    """What is one patient's. `calm` has a note kept private, `hard` one shown to the team."""

    patient: Patient
    calm: CheckIn | None = None
    hard: CheckIn | None = None
    alert: Alert | None = None
    message: Notification | None = None
    assessment: Assessment | None = None
    nudge: Nudge | None = None
    step: CopingStep | None = None
    contact: SupportContact | None = None
    decision: Decision | None = None
    device: Device | None = None
    clinician: Clinician | None = None
    consents: dict[str, Consent] = field(default_factory=dict)
    emergency_access: EmergencyAccess | None = None
    export: Export | None = None
    treatment: Treatment | None = None

    @property
    def seen(self) -> str:
        return seen_mark(self.alert) if self.alert else ""

    def private(self) -> set[str]:
        """What nobody but this person may ever be shown."""
        user = self.patient.user
        kept = [self.calm.note if self.calm else "", user.email if user else ""]
        if self.device:
            kept += [self.device.push_target, str(self.device.pk), str(self.device.installation_id)]
        if self.message:
            kept.append(str(self.message.pk))
        if self.step and self.contact:
            kept += [self.step.words, str(self.step.pk), self.contact.name, self.contact.words]
        return {word for word in kept if word}

    def listed(self) -> set[str]:
        """What stands on the organisation's list of patients."""
        return {str(self.patient.pk), self.patient.given_name, self.patient.family_name}

    def shown_to_team(self) -> set[str]:
        """What those who care for this person see, and nobody else does."""
        rows = (
            self.calm, self.hard, self.alert, self.assessment, self.nudge, self.decision,
        )  # fmt: skip
        words = {str(row.pk) for row in rows if row is not None}
        if self.treatment:
            words |= {str(self.treatment.episode.pk), str(self.treatment.test.pk)}
        for consent in self.consents.values():
            words |= {str(consent.pk), consent.recipient_name}
        return words | {self.patient.external_ref} | ({self.hard.note} if self.hard else set())


@dataclass(frozen=True)
class World:
    """`patients` by the words of the table's second column."""

    callers: dict[str, Caller]
    patients: dict[str, Belongings]
    messages: dict[str, UUID]
    points: dict[str, UUID]
    on_call_id: UUID
    shift_id: UUID


def make_world() -> World:
    people = make_people()
    other = people.other_patient
    make_tie(other, people.stranger)
    former = make_clinician(people.organisation, "fay")
    inactive = make_clinician(people.organisation, "ines")
    revoked = make_clinician(people.organisation, "rita")
    pending = make_clinician(people.organisation, "pia")
    for clinician in (former, inactive, revoked, pending):
        make_tie(people.patient, clinician)
    joining = make_patient(people.organisation, "nina", user=None, born_on=BORN_ON)
    make_tie(joining, people.therapist)
    joining_elsewhere = make_patient(
        people.elsewhere_patient.organisation, "noel", user=None, born_on=BORN_ON
    )
    make_tie(joining_elsewhere, people.elsewhere_therapist)
    elsewhere_administrator = Administrator.objects.create(
        user=make_user("abe", Role.ADMINISTRATOR),
        organisation=people.elsewhere_patient.organisation,
    )
    for clinician in (people.therapist, people.stranger, people.elsewhere_therapist, former):
        make_device(clinician.user)
    emergency = make_patient(people.organisation, "esme")
    patients = {
        "patient": _belongings(people.patient, "Aurelia", people.therapist),
        "other patient": _belongings(other, "Bronwyn", people.stranger),
        "patient elsewhere": _belongings(
            people.elsewhere_patient, "Casimir", people.elsewhere_therapist
        ),
        "patient in an emergency": _opened(
            _belongings(emergency, "Fenella", people.supervisor), former, people.stranger
        ),
        "patient to enrol": _with_code(joining, CODE, "Dorothea"),
        "patient to enrol elsewhere": _with_code(joining_elsewhere, CODE_ELSEWHERE, "Evander"),
    }
    messages = {
        "therapist": _told(people.therapist),
        "former member": _told(former),
    }
    today = datetime.now(UTC).date()
    ties = live_care_team(on=today).filter(patient=people.patient, clinician=former)
    assert ties.update(ended_on=today) == 1
    users: dict[str, User] = {
        "patient": people.patient_user,
        "other patient": _account(other),
        "patient elsewhere": _account(people.elsewhere_patient),
        "therapist": people.therapist.user,
        "former member": former.user,
        "therapist of others": people.stranger.user,
        "therapist elsewhere": people.elsewhere_therapist.user,
        "on call": people.on_call.user,
        "supervisor": people.supervisor.user,
        "administrator": people.administrator.user,
        "administrator elsewhere": elsewhere_administrator.user,
        "operator": make_user("oli", Role.OPERATOR),
    }
    callers = {name: signed_in(user) for name, user in users.items()}
    for user in users.values():
        if user.role != Role.PATIENT:
            enrol_app(user)
    return World(
        callers={"anyone": Caller("nobody@example.org"), **callers, **ended(inactive, revoked)}
        | {"expired": expired(people.patient_user), "MFA pending": waiting(pending.user)},
        patients=patients,
        messages=messages,
        points={"therapist": _address_of(people.therapist)},
        on_call_id=people.on_call.pk,
        shift_id=past_shift(people.on_call).pk,
    )


def _account(patient: Patient) -> User:
    assert patient.user is not None
    return patient.user


def _belongings(patient: Patient, name: str, clinician: Clinician) -> Belongings:
    _rename(patient, name)
    user = _account(patient)
    device = make_device(user, f"target-of-{name}-phone")
    calm = _check_in(user, mood=6, note=f"{name} walked by the sea")
    hard = _check_in(user, craving=9, note=f"{name} told this", note_shared=True)
    _forgot_the_password(user)
    return Belongings(
        patient=patient,
        clinician=clinician,
        calm=calm,
        hard=hard,
        alert=Alert.objects.get(patient=patient),
        message=Notification.objects.get(patient=patient, recipient=user),
        assessment=_assessment(patient),
        nudge=_nudge(patient),
        step=_step(user, name),
        contact=_contact(user, name),
        decision=_decision(patient),
        device=device,
        consents=_consents(patient, name),
        export=_leaving(patient),
        treatment=attend(patient, now=datetime.now(UTC), actor=actor_for(clinician.user)),
    )


def _leaving(patient: Patient) -> Export:
    """Wants to take everything along, and then be erased."""
    now = datetime.now(UTC)
    Erasure.objects.create(patient=patient, requested_at=now, due_at=now + timedelta(days=7))
    return Export.objects.create(id=uuid4(), patient=patient, language="en", requested_at=now)


def _consents(patient: Patient, name: str) -> dict[str, Consent]:
    """One that holds, and one of each that opens nothing."""
    past = datetime.now(UTC) - timedelta(days=9)
    to = Recipient("organisation", f"{name} Ottoline House")
    found = {
        "live": sign(patient, recipient=to),
        "narrower": sign(patient, recipient=to, scopes=(ConsentScope.TRENDS,)),
        "expired": sign(patient, recipient=to, expires_on=past.date(), now=past),
        "revoked": sign(patient, recipient=to),
    }
    revoke_consent(actor=own(patient), consent_id=found["revoked"].pk, now=datetime.now(UTC))
    return found


def _opened(belongings: Belongings, now_open: Clinician, was_open: Clinician) -> Belongings:
    """Break-glass: one clinician has a live one, another one that has ended."""
    now = datetime.now(UTC)
    rows = [
        EmergencyAccess.objects.create(
            patient=belongings.patient,
            clinician=clinician,
            reason="Brought in by ambulance.",
            opened_at=now - ago,
            ends_at=now - ago + EmergencyAccess.LIFE,
        )
        for clinician, ago in ((now_open, timedelta()), (was_open, timedelta(minutes=61)))
    ]
    return replace(belongings, emergency_access=rows[0])


def _assessment(patient: Patient) -> Assessment:
    now = datetime.now(UTC)
    return Assessment.objects.create(
        patient=patient,
        as_of_on=now.date(),
        assessed_at=now,
        ruleset="matrix",
        trend="unknown",
        facts={"signals": []},
        input_digest=bytes(32),
    )


def _nudge(patient: Patient) -> Nudge:
    now = datetime.now(UTC)
    return Nudge.objects.create(
        patient=patient, local_date=now.date(), kind="matrix", decided_at=now, was_sent=True
    )


def _step(user: User, name: str) -> CopingStep:
    values = {"words": f"{name} hums a tune", "cues": ["payday"], "order": 1, "is_archived": False}
    actor, now = actor_for(user), datetime.now(UTC)
    return store_item(actor=actor, kind=CopingStep, item_id=uuid4(), values=values, now=now).row


def _contact(user: User, name: str) -> SupportContact:
    values = {
        "name": f"{name}-Sponsor-Okonkwo",
        "relation": "sponsor",
        "phone": "",
        "email": "",
        "languages": [],
        "situations": ["asked"],
        "words": f"{name} would like a call",
        "order": 1,
    }
    actor, now = actor_for(user), datetime.now(UTC)
    return store_item(actor=actor, kind=SupportContact, item_id=uuid4(), values=values, now=now).row


def _decision(patient: Patient) -> Decision:
    now = datetime.now(UTC)
    return Decision.objects.create(
        patient=patient,
        at=now,
        local_date=now.date(),
        kind="nudge",
        source="matrix",
        options=["general"],
        chosen="general",
        reason="no_own_step",
    )


def _rename(patient: Patient, name: str) -> None:
    patient.given_name, patient.family_name = name, f"{name}-Quillfeather"
    patient.external_ref = f"clinic-{name}-4711"
    patient.save()


def _check_in(user: User, **items: Any) -> CheckIn:
    now = datetime.now(UTC).replace(microsecond=0)
    body = CheckInBody(id=uuid4(), kind="daily", local_date=now.date(), recorded_at=now, **items)
    return receive_check_in(actor=actor_for(user), body=body, now=now).check_in


def _with_code(patient: Patient, code: str, name: str) -> Belongings:
    _rename(patient, name)
    EnrolmentCode.objects.create(
        patient=patient,
        code_hash=hash_code(code),
        expires_at=datetime.now(UTC) + EnrolmentCode.LIFE,
    )
    return Belongings(patient=patient)


def _forgot_the_password(user: User) -> None:
    now = datetime.now(UTC)
    PasswordReset.objects.create(
        email=user.email,
        purpose=ResetPurpose.FORGOTTEN,
        requested_at=now,
        due_at=now,
        expires_at=now + timedelta(minutes=30),
        code_hash=hash_code(RESET_CODE),
        sent_at=now,
    )


def _told(clinician: Clinician) -> UUID:
    """The message about an alert that this clinician was sent."""
    return Notification.objects.get(recipient=clinician.user, kind="alert").pk


def _address_of(clinician: Clinician) -> UUID:
    """A number that waits for its code."""
    now = datetime.now(UTC)
    point = ContactPoint.objects.create(
        user=clinician.user,
        channel="sms",
        address="+15550100123",
        added_at=now,
        code_hash=hash_code(RESET_CODE),
        code_expires_at=now + timedelta(minutes=30),
    )
    return point.pk


RIVERSIDE = frozenset({"patient", "other patient", "patient in an emergency", "patient to enrol"})
HILLSIDE = frozenset({"patient elsewhere", "patient to enrol elsewhere"})
# Whose names each caller may read. Those not named here may read nobody's.
KNOWS: dict[str, frozenset[str]] = {
    "patient": frozenset({"patient"}),
    "other patient": frozenset({"other patient"}),
    "patient elsewhere": frozenset({"patient elsewhere"}),
    "therapist": frozenset({"patient", "patient to enrol"}),
    "former member": frozenset({"patient in an emergency"}),
    "therapist of others": frozenset({"other patient"}),
    "therapist elsewhere": HILLSIDE,
    "on call": RIVERSIDE,
    "supervisor": RIVERSIDE,
    "administrator": RIVERSIDE,
    "administrator elsewhere": HILLSIDE,
}
# And what is recorded about them, all but these too.
NOT_CLINICAL = frozenset({"administrator", "administrator elsewhere"})
