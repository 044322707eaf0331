"""Reads of what care did. Callers hold a patient that `access_*` gave them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from django.db.models import F, Max, Q, QuerySet

from backend.accounts.access import live_consents, not_found
from backend.accounts.consent_scopes import TELLS_OF
from backend.accounts.models import Patient, Purpose, RecipientKind
from backend.accounts.recipients import Recipient
from backend.aftercare.back_off import PAUSES, Answer
from backend.aftercare.models import (
    AcuteReport,
    Alert,
    AlertEvidence,
    AlertStatus,
    ContactAnswer,
    ContactInvitation,
    CopingStep,
    Decision,
    Nudge,
    Prompt,
    PromptKind,
    PromptSchedule,
    SupportContact,
)
from backend.aftercare.policy import EVENING
from backend.notifications.models import Notification
from backend.rows import among, array_of, every, shape
from backend.sealing import UnreadableError
from backend.tracking.models import CheckIn, CheckInKind

logger = structlog.get_logger(__name__)

Item = TypeVar("Item", CopingStep, SupportContact)
SEALED: Mapping[type[CopingStep | SupportContact], Sequence[str]] = {
    CopingStep: ("words",),
    SupportContact: ("name", "phone", "email", "words"),
}
CUES_WITHIN = timedelta(days=3)


def alert_of_check_in(check_in_id: UUID) -> Alert | None:
    """The one alert that this check-in is evidence for."""
    return Alert.objects.filter(evidence__check_in_id=check_in_id).first()


def alert_of_report(report_id: UUID) -> Alert | None:
    """The one alert that this acute report is evidence for."""
    return Alert.objects.filter(evidence__acute_report_id=report_id).first()


def rules_of_check_in(check_in_id: UUID) -> list[str]:
    """The acute rules that held for this check-in, the most severe first."""
    evidence = AlertEvidence.objects.filter(check_in_id=check_in_id).first()
    return list(evidence.rules) if evidence else []


def rules_said_before(patient_id: UUID, client_id: UUID) -> set[str]:
    """The acute rules that this id raised already, as a stored check-in or as a refused body."""
    report = find_acute_report(patient_id, client_id)
    said = set(rules_of_check_in(client_id))
    return said | set(report.facts["rules"]) if report else said


def rules_refused_before(patient_id: UUID, client_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """For each of these ids the acute rules that a refused body raised under it, where one did."""
    return dict(
        every(
            "SELECT client_id, ARRAY(SELECT jsonb_array_elements_text(facts -> 'rules'))"
            " FROM aftercare_acutereport WHERE patient_id = %s AND client_id = ANY(%s::uuid[])",
            [patient_id, array_of(client_ids)],
        )
    )


def hold_open_alerts(patient_id: UUID) -> list[Alert]:
    """This patient's alerts that nobody has resolved, held until the transaction ends."""
    return [_ALERT.made(row) for row in every(_HOLD_OPEN, [patient_id])]


_ALERT = shape(Alert)
_HOLD_OPEN = (
    f"SELECT {_ALERT.listed('a')} FROM aftercare_alert a"  # noqa: S608 - model columns
    " WHERE a.patient_id = %s AND a.status <> 'resolved' FOR UPDATE"
)


def find_acute_report(patient_id: UUID, client_id: UUID) -> AcuteReport | None:
    """What an acute body under this id has set off, whether or not it was stored."""
    return AcuteReport.objects.filter(patient_id=patient_id, client_id=client_id).first()


def alerts_of(patient_id: UUID) -> QuerySet[Alert]:
    """Open ones first, by due time; then the newest."""
    return (
        Alert.objects.filter(patient_id=patient_id)
        .select_related("acknowledged_by__clinician", "resolved_by__clinician")
        .order_by(F("resolved_at").desc(nulls_first=True), "due_at", "-opened_at")
    )


def alerts_opened_between(patient_id: UUID, first: date, last: date) -> QuerySet[Alert]:
    """Alerts about one of these days, both included, the newest first."""
    rows = Alert.objects.filter(patient_id=patient_id, first_on__lte=last, last_on__gte=first)
    return rows.order_by("-opened_at", "-pk")


def open_alerts(patient_ids: Collection[UUID]) -> QuerySet[Alert]:
    """Alerts of these patients that nobody has resolved yet, acknowledged ones included."""
    theirs = among(Alert, "patient_id", patient_ids)
    return Alert.objects.filter(theirs).exclude(status=AlertStatus.RESOLVED)


def find_alert(patient_id: UUID, alert_id: UUID) -> Alert:
    """Raises `NotFound` for another patient's alert as for none."""
    alert = alerts_of(patient_id).filter(pk=alert_id).prefetch_related("acts").first()
    if alert is None:
        raise not_found()
    return alert


def find_own_notification(user_id: UUID, notification_id: UUID) -> Notification:
    """Raises `NotFound` for another account's message as for none."""
    row = Notification.objects.filter(pk=notification_id, recipient_id=user_id).first()
    if row is None:
        raise not_found()
    return row


def own_items(kind: type[Item], patient_id: UUID) -> list[Item]:
    """What of that kind this patient has, in their own order, and that opens."""
    rows = kind._default_manager.filter(patient_id=patient_id, removed_at=None)
    return readable(rows.order_by("order", "created_at", "pk"))


def readable(rows: Iterable[Item]) -> list[Item]:
    """Those whose words open. One that does not is logged, and keeps nobody from the others."""
    return [row for row in rows if _opens(row)]


def _opens(row: CopingStep | SupportContact) -> bool:
    try:
        for name in SEALED[type(row)]:
            getattr(row, name)
    except UnreadableError as error:
        logger.error("own_item_unreadable", patient_id=str(row.patient_id), exc_info=error)
        return False
    return True


def find_own_contact(patient_id: UUID, contact_id: UUID) -> SupportContact:
    """Raises `NotFound` for somebody else's, and for one that was removed."""
    rows = SupportContact.objects.filter(patient_id=patient_id, removed_at=None)
    row = rows.filter(pk=contact_id).first()
    if row is None:
        raise not_found()
    return row


def answers_to_nudges(patient_id: UUID) -> list[Answer]:
    """What the patient did with the nudges they answered last, as far back as a pause can go."""
    return _answers(Nudge.objects.filter(patient_id=patient_id, was_sent=True))


def _answers(rows: QuerySet[Nudge] | QuerySet[Prompt]) -> list[Answer]:
    answered = rows.filter(Q(dismissed_at__isnull=False) | Q(rated_at__isnull=False))
    return [
        Answer(max(filter(None, (dismissed_at, rated_at))), was_dismissed=rated_at is None)
        for dismissed_at, rated_at in answered.order_by("-decided_at").values_list(
            "dismissed_at", "rated_at"
        )[: max(PAUSES)]
    ]


def answers_to_prompts(patient_id: UUID) -> list[Answer]:
    """The same of prompts; a check-in after one that was put aside does not undo it."""
    rows = Prompt.objects.filter(patient_id=patient_id, was_sent=True)
    return _answers(rows)


@dataclass(frozen=True, slots=True)
class LastPrompts:
    """Of each kind of prompt the latest date that was dealt with, and the latest that was sent."""

    last_on: Mapping[str, date]
    sent_on: Mapping[str, date]


def last_prompts(patient_id: UUID) -> LastPrompts:
    """Both by one look."""
    rows = (
        Prompt.objects.filter(patient_id=patient_id)
        .values("kind")
        .annotate(last=Max("local_date"), sent=Max("local_date", filter=Q(was_sent=True)))
    )
    found = {row["kind"]: (row["last"], row["sent"]) for row in rows}
    return LastPrompts(
        last_on={kind: last for kind, (last, _sent) in found.items()},
        sent_on={kind: sent for kind, (_last, sent) in found.items() if sent is not None},
    )


def last_daily_on(patient_id: UUID) -> date | None:
    """The latest date that a daily check-in of this patient is about."""
    rows = CheckIn.objects.filter(
        patient_id=patient_id, kind=CheckInKind.DAILY, withdrawn_at__isnull=True
    )
    return rows.order_by("-local_date").values_list("local_date", flat=True).first()


def schedules_of(patient: Patient, *, now: datetime) -> list[PromptSchedule]:
    """The patient's own, and the evening prompt as it will be for who has chosen nothing yet."""
    rows = list(PromptSchedule.objects.filter(patient=patient).order_by("kind"))
    if any(row.kind == PromptKind.CHECK_IN for row in rows):
        return rows
    today = now.astimezone(ZoneInfo(patient.time_zone)).date()
    evening = PromptSchedule(kind=PromptKind.CHECK_IN, at=EVENING, starts_on=today)
    return [evening, *rows]


def recent_cues(patient_id: UUID, *, on: date) -> list[str]:
    """The cues of the last days' check-ins."""
    rows = CheckIn.objects.filter(
        patient_id=patient_id,
        withdrawn_at__isnull=True,
        local_date__gt=on - CUES_WITHIN,
        local_date__lte=on,
    )
    return sorted({cue for cues in rows.values_list("cues", flat=True) for cue in cues})


def cues_of_check_in(patient_id: UUID, check_in_id: UUID) -> list[str]:
    """What this patient said had set it off; nothing where there is no such check-in of theirs."""
    rows = CheckIn.objects.filter(pk=check_in_id, patient_id=patient_id)
    return rows.values_list("cues", flat=True).first() or []


def step_of_nudge(nudge_id: UUID | None) -> str:
    """The words of the step that it shows, as they are now; empty where none can be shown."""
    rows = CopingStep.objects.filter(nudges=nudge_id, removed_at=None, is_archived=False)
    step = rows.first() if nudge_id else None
    try:
        return step.words if step else ""
    except UnreadableError as error:
        logger.error("own_item_unreadable", exc_info=error)
        return ""


def decisions_page(
    patient_id: UUID, *, size: int, before: tuple[datetime, UUID] | None
) -> QuerySet[Decision]:
    """The newest first, one more than `size` so that the caller knows of a next page."""
    rows = Decision.objects.filter(patient_id=patient_id)
    if before is not None:
        at, last_id = before
        rows = rows.filter(Q(at__lt=at) | Q(at=at, pk__lt=last_id))
    return rows.order_by("-at", "-pk")[: size + 1]


def consented_situations(contact: SupportContact, *, at: datetime) -> frozenset[str]:
    """The situations that live consents of the patient for this contact, for support, cover.

    A situation is covered where the consent names it, and with it the part of the record that it
    tells of; the patient's own call for somebody tells of none.
    """
    recipient = Recipient(RecipientKind.SUPPORT_CONTACT, name="", contact_id=contact.pk)
    consents = live_consents(
        at=at, patient_id=contact.patient_id, recipient=recipient, purpose=Purpose.SUPPORT
    )
    granted = list(consents.values_list("scopes", "situations"))
    return frozenset(
        situation
        for situation, scope in TELLS_OF.items()
        if any(
            situation in named and (scope is None or scope in scopes) for scopes, named in granted
        )
    )


def find_live_invitation(contact_id: UUID) -> ContactInvitation | None:
    """The question to this contact that has not ended, answered or not."""
    return ContactInvitation.objects.filter(contact_id=contact_id, ended_at=None).first()


def invitation_behind(link_hash: bytes, *, at: datetime) -> ContactInvitation | None:
    """The live one of a link, with its contact and patient.

    Until it is answered with yes it ends with its days; a yes lasts until it is taken back.
    """
    rows = ContactInvitation.objects.select_related("contact", "patient").filter(
        link_hash=link_hash, ended_at=None, contact__removed_at=None
    )
    return rows.filter(Q(answer=ContactAnswer.YES) | Q(expires_at__gt=at)).first()
