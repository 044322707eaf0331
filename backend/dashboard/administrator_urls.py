"""The administrator's addresses. No name ever stands in one."""

from __future__ import annotations

from django.urls import path

from backend.dashboard.views import audit, ladder, on_call

app_name = "administrator"

urlpatterns = [
    path("", audit.choose, name="page"),
    path("ladder", ladder.ladder, name="ladder"),
    path("ladder/change", ladder.change, name="change-ladder"),
    path("on-call", on_call.plan, name="on-call"),
    path("on-call/holidays", on_call.holidays, name="holidays"),
    path("on-call/shifts/<uuid:shift_id>/take-back", on_call.take_back, name="take-back"),
    path("patients/<uuid:patient_id>/audit", audit.patient_audit, name="audit"),
]
