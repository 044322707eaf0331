"""What may be sent, and how it is answered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.utils import timezone
from rest_framework import serializers

from bench.stock.check_in.models import CheckIn

ZONES = available_timezones()  # it reads folders, so once
ITEMS = (
    "mood", "craving", "confidence", "sleep_hours", "sleep_quality", "exercise_minutes",
    "exercise_kind", "use_reported", "use_substances", "withdrawal_reported",
    "withdrawal_substances", "withdrawal_symptoms", "cues", "helped", "note",
)  # fmt: skip


class CheckInSerializer(serializers.ModelSerializer[CheckIn]):
    # The phone makes the id. A known one is answered with what stands, so it is not refused here.
    id = serializers.UUIDField()

    class Meta:
        model = CheckIn
        exclude = ["patient"]
        read_only_fields = ["received_at", "is_late", "revision"]
        extra_kwargs = {"sleep_hours": {"min_value": 0, "max_value": 24}}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        now = timezone.now()
        if not attrs.get("not_safe") and not any(
            attrs.get(name) not in (None, "", []) for name in ITEMS
        ):
            raise serializers.ValidationError("At least one item is needed.")
        if attrs.get("time_zone") and attrs["time_zone"] not in ZONES:
            raise serializers.ValidationError({"time_zone": "This time zone is not known."})
        if attrs["recorded_at"] > now + timedelta(minutes=10):
            raise serializers.ValidationError({"recorded_at": "This time has not come yet."})
        zone = ZoneInfo(self.context["request"].user.patient.time_zone)
        if attrs["local_date"] > max(attrs["recorded_at"].date(), now.astimezone(zone).date()):
            raise serializers.ValidationError({"local_date": "This day has not come yet."})
        if attrs["local_date"] < (now - timedelta(days=366)).date():
            raise serializers.ValidationError({"local_date": "This day is more than a year ago."})
        if attrs.get("use_reported") is False and attrs.get("use_substances"):
            raise serializers.ValidationError({"use_reported": "No use, yet details of it."})
        return attrs
