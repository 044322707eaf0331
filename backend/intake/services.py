"""The door for what a phone sends. Owns the transaction: stores through tracking, answers through
aftercare. A 2xx is answered only after the commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit
from backend.accounts.access import access_own_patient, access_patient
from backend.accounts.actor import Actor
from backend.accounts.models import Patient
from backend.aftercare import services as aftercare
from backend.aftercare.decision_rules import is_late
from backend.aftercare.models import AcuteReport, Alert
from backend.aftercare.selectors import (
    alert_of_check_in,
    alert_of_report,
    find_acute_report,
    rules_of_check_in,
)
from backend.intake.bodies import CheckInBody, to_report
from backend.intake.lenient import read_leniently
from backend.tracking.models import CheckIn, Source
from backend.tracking.reports import CheckInReport
from backend.tracking.selectors import (
    find_check_in,
    find_check_ins,
    says_the_same,
    was_erased,
)
from backend.tracking.services import NewCheckIn, StoredCheckIn, store_check_ins


@dataclass(frozen=True, slots=True)
class Received:
    """A stored check-in and what it called for. `is_new` is false for a replay.

    `rules` held, the most severe first; empty without an alert.
    """

    patient: Patient
    standing: CheckIn | StoredCheckIn
    alert: Alert | None
    is_new: bool
    rules: list[str]

    @property
    def check_in(self) -> CheckIn:
        """The stored row."""
        row = self.standing
        return row if isinstance(row, CheckIn) else row.row


@dataclass(frozen=True, slots=True)
class Refused:
    """What the acute part of a refused body called for; `rules` held, the most severe first."""

    patient: Patient
    alert: Alert | None
    rules: list[str]


def receive_check_in(*, actor: Actor, body: CheckInBody, now: datetime) -> Received:
    """Stores a check-in and decides about it, as one, once per id for ever.

    A replay answers the stored row and tells nobody again. Raises `Invalid`, `Gone` when it was
    withdrawn, and `Conflict` when the id stands with other content (with the stored copy) or with
    another person (without).
    """
    patient = access_own_patient(actor)
    report = to_report(body, patient_zone=patient.time_zone, now=now)
    (outcome,) = receive_reports(
        actor=actor, patient=patient, reports=[report], source=Source.APP, now=now
    )
    if isinstance(outcome, errors.DomainError):
        raise outcome
    return outcome


@transaction.atomic
def receive_imported(
    *, actor: Actor, patient_id: UUID, reports: Sequence[CheckInReport], now: datetime
) -> list[Received | errors.DomainError]:
    """Stores imported days of one patient: as of each day, alerts historical, no message to anyone.

    Answers for each report; a `Conflict` where the id stands with other content.
    """
    patient = access_patient(actor, patient_id, lock=True)
    return receive_reports(
        actor=actor, patient=patient, reports=reports, source=Source.IMPORT, now=now
    )


def receive_reports(
    *,
    actor: Actor,
    patient: Patient,
    reports: Sequence[CheckInReport],
    source: Source,
    now: datetime,
) -> list[Received | errors.DomainError]:
    """Stores what is new among these reports and decides about each, in the order of recording.

    Takes the patient's lock. What may be acute is stored and answered in one transaction; what is
    not is stored by one statement, which is a transaction by itself. One outcome for each report,
    in the order given; a refusal of one never touches another.
    """
    first: dict[UUID, CheckInReport] = {}
    for report in reports:
        first.setdefault(report.id, report)
    entries = [NewCheckIn(report, _late(patient, report, now=now)) for report in first.values()]
    store = partial(
        store_check_ins,
        actor=actor,
        patient_id=patient.pk,
        entries=entries,
        source=source,
        now=now,
        key=patient.key_on_arrival,
    )
    acute = [entry.report for entry in entries if aftercare.may_be_acute(entry.report)]
    if not acute:
        stored, responses = store(), {}
    else:
        with transaction.atomic():
            stored = store()
            acute.sort(key=lambda report: report.recorded_at)
            responses = aftercare.respond_to_check_ins(
                actor=actor,
                patient=patient,
                check_ins=[stored[report.id].row for report in acute if report.id in stored],
                now=now,
            )
    return _outcomes(patient, reports, stored, responses)


def _outcomes(
    patient: Patient,
    reports: Sequence[CheckInReport],
    stored: Mapping[UUID, StoredCheckIn],
    responses: Mapping[UUID, aftercare.Response],
) -> list[Received | errors.DomainError]:
    fresh = set(stored)
    if len(fresh) == len(reports):
        return [_received(patient, stored[r.id], responses.get(r.id)) for r in reports]
    outcomes: list[Received | errors.DomainError] = []
    with transaction.atomic():
        known = find_check_ins([report.id for report in reports if report.id not in stored])
        for report in reports:
            row, response = stored.get(report.id), responses.get(report.id)
            if row is not None and report.id in fresh:
                fresh.discard(report.id)
                outcomes.append(_received(patient, row, response))
            else:
                stood = row.row if row is not None else known.get(report.id)
                outcomes.append(_stood(patient, stood, report, response))
    return outcomes


def _late(patient: Patient, report: CheckInReport, *, now: datetime) -> bool:
    return is_late(
        recorded_at=report.recorded_at,
        received_at=now,
        on=report.local_date,
        enrolled_at=patient.enrolled_at,
    )


def _received(
    patient: Patient, row: StoredCheckIn, response: aftercare.Response | None
) -> Received:
    return Received(
        patient=patient,
        standing=row,
        alert=response.alert if response else None,
        is_new=True,
        rules=response.rules if response else [],
    )


def _stood(
    patient: Patient,
    row: CheckIn | None,
    report: CheckInReport,
    response: aftercare.Response | None,
) -> Received | errors.DomainError:
    """What is answered about an id that was taken, before this request or earlier in it."""
    if row is None and was_erased(report.id):
        return erased_check_in()
    # What is neither new nor shown is somebody else's: a phone is shown no row but its person's.
    if row is None or row.patient_id != patient.pk:
        return errors.Conflict("id_in_use", _("This id belongs to something else."))
    if row.withdrawn_at is not None:
        return errors.Gone("check_in_withdrawn", _("This check-in was taken back."))
    if not says_the_same(row, report):
        return conflict_with(row)
    alert = response.alert if response else alert_of_check_in(row.pk)
    rules = response.rules if response else rules_of_check_in(row.pk) if alert else []
    return Received(patient=patient, standing=row, alert=alert, is_new=False, rules=rules)


def erased_check_in() -> errors.Gone:
    """The refusal of what was erased: no phone brings it back, and nothing of it is heard."""
    return errors.Gone("erased", _("This was erased and cannot come back."))


def is_erased(error: Exception) -> bool:
    """Whether this refusal is about something that was erased: of that, nothing is kept again."""
    return isinstance(error, errors.DomainError) and error.code == "erased"


def conflict_with(row: CheckIn) -> errors.Conflict:
    """The refusal that carries the stored copy."""
    return errors.Conflict(
        "check_in_conflict",
        _("This check-in is stored with other content. Nothing was overwritten."),
        extra={"stored": row},
    )


@transaction.atomic
def receive_refused(*, actor: Actor, raw: bytes, error_code: str, now: datetime) -> Refused:
    """Hears the acute part of a body that was refused for another reason, once per client id.

    Stores nothing when nothing in it is acute. The corrected retry joins the same alert.
    """
    patient = access_own_patient(actor, lock=True)
    reading = read_leniently(raw)
    matches = aftercare.matches_for(
        patient, reading.facts, on=aftercare.local_date(patient, now=now)
    )
    known = find_acute_report(patient.pk, reading.client_id)
    said, alert = _said_already(patient, reading.client_id, known)
    rules = [match.rule.value for match in matches]
    if said.issuperset(rules):
        return Refused(patient=patient, alert=alert, rules=rules)
    report = _store_report(
        actor, patient, reading.client_id, said.union(rules), error_code, now=now
    )
    alert = aftercare.respond_to_refused(
        actor=actor, patient=patient, report=report, matches=matches, now=now
    )
    return Refused(patient=patient, alert=alert, rules=rules)


def _said_already(
    patient: Patient, client_id: UUID, known: AcuteReport | None
) -> tuple[set[str], Alert | None]:
    """The acute rules that this id raised before, by a stored check-in or a refused body."""
    if known is not None:
        return set(known.facts["rules"]), alert_of_report(known.pk)
    stored = find_check_in(client_id)
    if stored is None or stored.patient_id != patient.pk:
        return set(), None
    return set(rules_of_check_in(stored.pk)), alert_of_check_in(stored.pk)


def _store_report(
    actor: Actor,
    patient: Patient,
    client_id: UUID,
    rules: set[str],
    error_code: str,
    *,
    now: datetime,
) -> AcuteReport:
    report, _is_new = AcuteReport.objects.update_or_create(
        patient=patient,
        client_id=client_id,
        defaults={"facts": {"rules": sorted(rules)}},
        create_defaults={
            "facts": {"rules": sorted(rules)},
            "received_at": now,
            "error_code": error_code,
        },
    )
    audit.record(
        actor=actor,
        action="acute_report.store",
        patient_id=patient.pk,
        object_kind="acute_report",
        object_id=report.pk,
        facts={"code": error_code},
    )
    return report
