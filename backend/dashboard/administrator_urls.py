"""The administrator's addresses. No name ever stands in one."""

from __future__ import annotations

from django.urls import path

from backend.dashboard.views import audit

app_name = "administrator"

urlpatterns = [
    path("", audit.choose, name="page"),
    path("patients/<uuid:patient_id>/audit", audit.patient_audit, name="audit"),
]
