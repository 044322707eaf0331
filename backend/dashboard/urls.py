"""The addresses of the desk. No name and no search ever stands in one."""

from __future__ import annotations

from django.urls import path

from backend.dashboard.views import (
    alerts,
    attendance,
    caseload,
    on_call,
    patients,
    planning,
    second_step,
    security,
    signing_in,
)

app_name = "desk"

ALERT = "patients/<uuid:patient_id>/alerts/<uuid:alert_id>"
SESSION = "patients/<uuid:patient_id>/sessions/<uuid:session_id>"

urlpatterns = [
    path("", caseload.caseload, name="caseload"),
    path("refresh", caseload.refresh, name="refresh"),
    path("on-call", on_call.on_call, name="on-call"),
    path("sign-in", signing_in.sign_in, name="sign-in"),
    path("second-step", second_step.second_step, name="second-step"),
    path("security", security.security, name="security"),
    path("sign-out", signing_in.sign_out, name="sign-out"),
    path("language", signing_in.language, name="language"),
    path("patients/<uuid:patient_id>", patients.patient, name="patient"),
    path("patients/<uuid:patient_id>/news", patients.news, name="news"),
    path("patients/<uuid:patient_id>/sessions", planning.sessions, name="sessions"),
    path(f"{SESSION}/move", planning.move, name="move-session"),
    path(f"{SESSION}/call-off", planning.call_off, name="call-off"),
    path(f"{SESSION}/attendance", attendance.record, name="attendance"),
    path(f"{ALERT}/acknowledge", alerts.perform, {"kind": "acknowledge"}, name="acknowledge"),
    path(f"{ALERT}/act", alerts.perform, {"kind": "act"}, name="act"),
    path(f"{ALERT}/resolve", alerts.perform, {"kind": "resolve"}, name="resolve"),
]
