"""What a support contact has read on their page is a disclosure like any other, and a row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from backend.accounts.access import hold_patient, live_consents
from backend.accounts.consent_scopes import ConsentScope, registered
from backend.accounts.consent_texts import notice
from backend.accounts.models import Purpose, RecipientKind
from backend.accounts.recipients import Recipient
from backend.privacy.disclosure_models import Basis, Disclosure
from backend.row_security import acting_as_system

NOTICE_LANGUAGE = "en"  # 42 CFR 2.32 gives the words


def note_shown_to_contact(
    *,
    patient_id: UUID,
    contact_id: UUID,
    shown: Sequence[tuple[UUID, str, datetime]],
    now: datetime,
) -> None:
    """A row for each message that was read, once: its id, the scope it tells of, and when it was.

    Under the newest live consent for this contact and scope.
    """
    if not shown:
        return
    recipient = Recipient(RecipientKind.SUPPORT_CONTACT, name="", contact_id=contact_id)
    with acting_as_system("contact.disclose"), transaction.atomic():
        hold_patient(patient_id)
        ids = [message_id for message_id, _scope, _at in shown]
        known = set(Disclosure.objects.filter(pk__in=ids).values_list("pk", flat=True))
        for message_id, scope, at in shown:
            consents = live_consents(
                at=now,
                patient_id=patient_id,
                recipient=recipient,
                scope=ConsentScope(scope),
                purpose=Purpose.SUPPORT,
            )
            consent = consents.select_related("patient").order_by("-signed_at", "-pk").first()
            if consent is None or message_id in known:
                continue
            on = at.astimezone(ZoneInfo(consent.patient.time_zone)).date()
            Disclosure.objects.create(
                pk=message_id,
                patient_id=patient_id,
                basis=Basis.CONSENT.value,
                consent=consent,
                scopes=[scope],
                counts={registered()[ConsentScope(scope)].object_kind: 1},
                first_on=on,
                last_on=on,
                recipient_kind=consent.recipient_kind,
                recipient_name=consent.recipient_name,
                recipient_affiliation=consent.recipient_affiliation,
                purpose=Purpose.SUPPORT.value,
                disclosed_at=now,
                discloser_name=consent.discloser_name,
                notice=notice(NOTICE_LANGUAGE),
            )
