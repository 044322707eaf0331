"""One viewset, and what storing a check-in sets off."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework import status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from backend.aftercare.decision_rules import is_late
from bench.stock.check_in.care import monitoring_statement, respond
from bench.stock.check_in.crisis_lines import CRISIS_LINES
from bench.stock.check_in.models import CheckIn, Patient
from bench.stock.check_in.serializers import CheckInSerializer


class CheckInViewSet(viewsets.ModelViewSet[CheckIn]):
    serializer_class = CheckInSerializer

    def get_queryset(self) -> QuerySet[CheckIn]:
        return CheckIn.objects.filter(patient=self.patient)

    @property
    def patient(self) -> Patient:
        patient: Patient = self.request.user.patient  # type: ignore[union-attr]
        return patient

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        with transaction.atomic():
            check_in, is_new = self.store(serializer.validated_data)
        return Response(
            self.answer(check_in),
            status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK,
        )

    @action(detail=False, methods=["post"])
    def batch(self, request: Request) -> Response:
        """Several in one request, each stored like a single one."""
        serializer: BaseSerializer[Any] = self.get_serializer(data=request.data, many=True)
        serializer.is_valid(raise_exception=True)
        with transaction.atomic():
            stored = [self.store(item)[0] for item in serializer.validated_data]
        return Response(
            {
                "results": CheckInSerializer(stored, many=True).data,
                "support": {"crisis_resources": CRISIS_LINES[self.patient.country]},
                "monitoring": monitoring_statement(self.patient),
            },
            status=status.HTTP_201_CREATED,
        )

    def store(self, data: dict[str, Any]) -> tuple[CheckIn, bool]:
        """The same id again answers the stored row."""
        values = {name: value for name, value in data.items() if name != "id"}
        late = is_late(
            recorded_at=values["recorded_at"],
            received_at=timezone.now(),
            on=values["local_date"],
            enrolled_at=self.patient.enrolled_at,
        )
        check_in, is_new = CheckIn.objects.get_or_create(
            id=data["id"], defaults={**values, "patient": self.patient, "is_late": late}
        )
        if is_new:
            respond(self.patient, check_in)
        elif check_in.patient_id != self.patient.pk:
            self.permission_denied(self.request)
        return check_in, is_new

    def answer(self, check_in: CheckIn) -> dict[str, Any]:
        return {
            "check_in": CheckInSerializer(check_in).data,
            "support": {"crisis_resources": CRISIS_LINES[self.patient.country]},
            "monitoring": monitoring_statement(self.patient),
        }
