"""What the routes that take check-ins share: a refusal for any reason is still heard and helped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from django.core.exceptions import RequestDataTooBig
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from django.utils.translation import get_language
from msgspec import Struct
from rest_framework.request import Request

from backend import errors
from backend.accounts.actor import Role
from backend.accounts.authentication import actor_of
from backend.accounts.hot_reads import Arrival
from backend.accounts.models import Patient
from backend.aftercare.models import Alert
from backend.aftercare.promise import Promise, monitoring_promise, not_saved
from backend.aftercare.support import Support, crisis_lines, support_answer
from backend.intake import services
from backend.rest import HandrailView, asked_country, describe
from backend.tracking.models import CheckIn
from backend.tracking.shapes import CheckInAnswer, show_check_in

logger = structlog.get_logger(__name__)

PATIENT_ONLY = frozenset({Role.PATIENT})
CHANGING = frozenset({"POST", "PATCH"})
# How much of a body that is too large to be read whole is searched for a cry for help.
SEARCHED_BYTES = 64 * 1024


class Monitoring(Struct):
    """Who will see this and when. Show `statement` as it is; `told` is never true for comfort."""

    statement: str
    told: bool
    expected_by: Any = None


class ReceivedAnswer(Struct):
    check_in: CheckInAnswer
    support: Support
    monitoring: Monitoring


def language_of(request: Request) -> str:
    # Not of `request.user`: where nobody could be found out, asking would try once more, and fail.
    arrival: Arrival | None = getattr(request, "arrival", None)
    return arrival.token.user.language if arrival else (get_language() or "en")[:2]


def show_monitoring(promise: Promise) -> Monitoring:
    return Monitoring(
        statement=promise.statement, told=promise.told, expected_by=promise.expected_by
    )


def promise_for(
    patient: Patient, alert: Alert | None, *, language: str, is_late: bool = False
) -> Monitoring:
    return show_monitoring(
        monitoring_promise(
            patient, alert=alert, is_late=is_late, language=language, now=timezone.now()
        )
    )


def show_received(
    request: Request,
    patient: Patient,
    check_in: CheckIn,
    alert: Alert | None,
    rules: Sequence[str],
) -> ReceivedAnswer:
    """A stored check-in with the help and the promise that go with it."""
    language = language_of(request)
    return ReceivedAnswer(
        check_in=show_check_in(check_in),
        support=support_answer(
            patient,
            rules=rules,
            substances=check_in.use_substances,
            country=asked_country(request),
            language=language,
            now=timezone.now(),
            cues=check_in.cues,
        ),
        monitoring=promise_for(patient, alert, language=language, is_late=check_in.is_late),
    )


class HeardView(HandrailView):
    """A route whose every error carries the crisis lines and says whether to keep the item."""

    heard: services.Refused | None = None

    def acute_bodies(self, raw: bytes) -> list[bytes]:
        """The check-ins inside a refused body, to be read leniently one by one."""
        return [raw]

    def hear(self, request: Request, error: Exception) -> None:
        """Reads a refused body again for what is acute in it.

        Raises what the database said when it went away meanwhile: a refusal tells the phone to
        forget the body, which may only be said once it was heard.
        """
        if getattr(request.user, "role", None) != Role.PATIENT or services.is_erased(error):
            return
        try:
            for raw in self.acute_bodies(raw_body(request)):
                heard = services.receive_refused(
                    actor=actor_of(request),
                    raw=raw,
                    error_code=describe(error)[1],
                    now=timezone.now(),
                )
                if self.heard is None or heard.alert is not None:
                    self.heard = heard
        except (OperationalError, InterfaceError):
            raise
        except (DatabaseError, errors.DomainError) as second:
            # The first error is answered either way, with the public lines.
            logger.error("refused_body_not_heard", exc_info=second)

    def extend_problem(self, request: Request, problem: dict[str, Any]) -> None:
        language = language_of(request)
        stored = problem.pop("stored", None)
        if isinstance(stored, CheckIn):
            problem["stored"] = show_check_in(stored)
        home = self.heard.patient.country if self.heard else ""
        countries = [code for code in (asked_country(request), home) if code]
        problem["crisis_resources"] = crisis_lines(countries, language=language)
        problem["keep"] = problem["status"] in (401, 429) or problem["status"] >= 500
        if request.method not in CHANGING:
            return
        if self.heard is None or self.heard.alert is None:
            problem["monitoring"] = show_monitoring(not_saved(language))
            return
        patient, alert = self.heard.patient, self.heard.alert
        problem["monitoring"] = promise_for(patient, alert, language=language)
        problem["support"] = support_answer(
            patient,
            rules=self.heard.rules,
            substances=(),
            country=asked_country(request),
            language=language,
            now=timezone.now(),
        )


def raw_body(request: Request) -> bytes:
    """The body as it came; of one too large to be read whole, the first part."""
    try:
        return request._request.body
    except RequestDataTooBig:
        return request._request.read(SEARCHED_BYTES)
