"""What a rule set would have said: a clinician tries it on one patient or on the caseload."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend import errors
from backend.accounts.access import access_clinician
from backend.accounts.actor import Role
from backend.accounts.authentication import actor_of
from backend.aftercare import services
from backend.aftercare.decision_rules import Thresholds
from backend.aftercare.replaying import Happening, RuleSet, Total
from backend.aftercare.services.replay import DAYS, LONGEST_DAYS, Replayed
from backend.openapi import problems
from backend.rest import HandrailView

CLINICIAN_ONLY = frozenset({Role.CLINICIAN})
MOST_A_MONTH = 30.0


Rating = Annotated[int, Meta(ge=0, le=10)]
PerMonth = Annotated[float, Meta(gt=0, le=MOST_A_MONTH)]


class Asked(Struct, forbid_unknown_fields=True):
    """The rule set that is tried; what is not given is as it is now."""

    days: Annotated[int, Meta(ge=7, le=LONGEST_DAYS)] = DAYS
    nudges_per_month: PerMonth = 1.0
    flags_per_month: PerMonth = 0.25
    craving: Rating = 8
    mood: Rating = 1
    mood_two_days: Rating = 2
    confidence: Rating = 3
    sleep_hours: Annotated[float, Meta(ge=0, le=24)] = 4.0
    surprise: Annotated[float, Meta(gt=0, le=50)] = 4.0

    @property
    def rules(self) -> RuleSet:
        return RuleSet(
            nudges_per_month=self.nudges_per_month,
            flags_per_month=self.flags_per_month,
            thresholds=Thresholds(
                craving=self.craving,
                mood=self.mood,
                mood_two_days=self.mood_two_days,
                confidence=self.confidence,
                sleep_hours=self.sleep_hours,
            ),
            surprise_limit=self.surprise,
        )


class TotalAnswer(Struct):
    """`load` is acute, flag (to the therapist) or nudge (to the patient)."""

    load: str
    reason: str
    count: int
    per_month: float


class HappeningAnswer(Struct):
    """`renews` says that it would have been the same alert again."""

    on: date
    load: str
    reason: str
    severity: str
    renews: bool


class ReplayAnswer(Struct):
    """What would have been said. `as_now` counts the same days under the rules as they are."""

    first_on: date
    last_on: date
    people: int
    patient_days: int
    ruleset: str
    totals: list[TotalAnswer]
    as_now: list[TotalAnswer]
    days: list[HappeningAnswer]


PARAMETERS = [
    OpenApiParameter("days", OpenApiTypes.INT, description=f"7 to {LONGEST_DAYS}; 90 unless told."),
    OpenApiParameter(
        "nudges_per_month", OpenApiTypes.FLOAT, description="Of the trend, wanted a patient-month."
    ),
    OpenApiParameter(
        "flags_per_month", OpenApiTypes.FLOAT, description="Of the trend, wanted a patient-month."
    ),
    *(
        OpenApiParameter(
            name, OpenApiTypes.INT, description="Threshold of the acute rule, 0 to 10."
        )
        for name in ("craving", "mood", "mood_two_days", "confidence")
    ),
    OpenApiParameter("sleep_hours", OpenApiTypes.FLOAT, description="Two nights below it."),
    OpenApiParameter("surprise", OpenApiTypes.FLOAT, description="Of a silence, in nats."),
]
TRIED = {
    "first_on": "2026-01-05",
    "last_on": "2026-04-04",
    "people": 1,
    "patient_days": 90,
    "ruleset": "trends-3",
    "totals": [
        {"load": "acute", "reason": "craving", "count": 3, "per_month": 1.0},
        {"load": "flag", "reason": "worsening", "count": 1, "per_month": 0.3333},
    ],
    "as_now": [{"load": "acute", "reason": "craving", "count": 1, "per_month": 0.3333}],
    "days": [
        {
            "on": "2026-02-11",
            "load": "acute",
            "reason": "craving",
            "severity": "high",
            "renews": False,
        }
    ],
}
CASELOAD = {**TRIED, "people": 40, "patient_days": 3600, "days": []}


def asked(request: Request) -> Asked:
    """The rule set in the query. Raises `Invalid` naming the part that is wrong."""
    given = {name: request.query_params[name] for name in request.query_params}
    try:
        return msgspec.convert(given, Asked, strict=False)
    except msgspec.ValidationError:
        raise errors.Invalid(
            "invalid_rules",
            _("These rules cannot be tried: a part is unknown or out of its range."),
        ) from None


def show(found: Replayed, now: Replayed, *, with_days: bool) -> ReplayAnswer:
    return ReplayAnswer(
        first_on=found.first_on,
        last_on=found.last_on,
        people=found.people,
        patient_days=found.patient_days,
        ruleset=found.ruleset,
        totals=_totals(found.totals),
        as_now=_totals(now.totals),
        days=[_show(happening) for happening in found.said] if with_days else [],
    )


def _totals(found: Sequence[Total]) -> list[TotalAnswer]:
    return [TotalAnswer(t.load.value, t.reason, t.count, t.per_month) for t in found]


def _show(happening: Happening) -> HappeningAnswer:
    return HappeningAnswer(
        on=happening.on,
        load=happening.load.value,
        reason=happening.reason,
        severity=happening.severity.value,
        renews=happening.renews,
    )


class PatientReplayView(HandrailView):
    allowed_roles = {"GET": CLINICIAN_ONLY}

    @extend_schema(
        operation_id="replay_patient",
        tags=["care team"],
        parameters=PARAMETERS,
        examples=[OpenApiExample("Craving from 7", value=TRIED, response_only=True)],
        responses={200: ReplayAnswer, **problems(400, 401, 403, 404)},
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """What a rule set would have said about a patient's last days, and what today's would.

        Each day is judged by what was known on it. Nothing is sent and nothing is stored.
        """
        what, now, actor = asked(request), timezone.now(), actor_of(request)
        found, as_now = (
            services.replay_patient(
                actor=actor, patient_id=patient_id, rules=rules, days=what.days, now=now
            )
            for rules in (what.rules, RuleSet())
        )
        return Response(show(found, as_now, with_days=True))


class CaseloadReplayView(HandrailView):
    allowed_roles = {"GET": CLINICIAN_ONLY}

    @extend_schema(
        operation_id="replay_caseload",
        tags=["care team"],
        parameters=PARAMETERS,
        examples=[OpenApiExample("A caseload", value=CASELOAD, response_only=True)],
        responses={200: ReplayAnswer, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """The load of a rule set on everyone whom this clinician may see, by tier and reason."""
        what, now, actor = asked(request), timezone.now(), actor_of(request)
        access_clinician(actor)
        found, as_now = (
            services.replay_caseload(actor=actor, rules=rules, days=what.days, now=now)
            for rules in (what.rules, RuleSet())
        )
        return Response(show(found, as_now, with_days=False))
