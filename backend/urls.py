"""Every address, in one place. Patient routes mean oneself; clinicians name the patient."""

from __future__ import annotations

from django.urls import include, path
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from backend import health
from backend.accounts.api import clinicians as staff
from backend.accounts.api import devices, mfa, passwords, signing_in
from backend.accounts.api import patients as administration
from backend.aftercare.api import baselines, caseload, clinicians, patients, rules
from backend.dashboard.views import signing_in as desk_signing_in
from backend.intake.api import bundle, check_ins, sync
from backend.notifications import api as notifications
from backend.permissions import ANONYMOUS
from backend.privacy import api as privacy
from backend.tracking import api as tracking

OPEN = {"GET": frozenset({ANONYMOUS})}


class PatientsView(caseload.CaseloadView, administration.AddPatientView):
    """One address: clinicians read their caseload, administrators add to the list."""

    allowed_roles = {
        **caseload.CaseloadView.allowed_roles,
        **administration.AddPatientView.allowed_roles,
    }


api = [
    path("sign-in", signing_in.SignInView.as_view()),
    path("sign-in/mfa", mfa.SecondStepView.as_view()),
    path("sign-in/mfa/enrolment", mfa.MfaEnrolmentView.as_view()),
    path("mfa/recovery-codes", mfa.RecoveryCodesView.as_view()),
    path("sign-out", signing_in.SignOutView.as_view()),
    path("sign-out-everywhere", signing_in.SignOutEverywhereView.as_view()),
    path("enrol", signing_in.EnrolView.as_view()),
    path("password", passwords.PasswordView.as_view()),
    path("password-reset", passwords.PasswordResetView.as_view()),
    path("password-reset/confirm", passwords.PasswordResetConfirmView.as_view()),
    path("devices", devices.DevicesView.as_view()),
    path("devices/<uuid:installation_id>", devices.DeviceView.as_view()),
    path("check-ins", check_ins.CheckInsView.as_view()),
    path("check-ins/<uuid:check_in_id>", check_ins.CheckInView.as_view()),
    path("sync", sync.SyncView.as_view()),
    path("me/safety-bundle", bundle.SafetyBundleView.as_view()),
    path("trends", patients.OwnTrendsView.as_view()),
    path("help", patients.HelpView.as_view()),
    path("me/help", patients.OwnHelpView.as_view()),
    path("me/notifications/receipts", notifications.ReceiptsView.as_view()),
    path("me/notifications/<uuid:notification_id>", patients.OwnMessageView.as_view()),
    path("patients", PatientsView.as_view()),
    path("patients/<uuid:patient_id>/check-ins", tracking.PatientCheckInsView.as_view()),
    path("patients/<uuid:patient_id>/trends", clinicians.PatientTrendsView.as_view()),
    path("patients/<uuid:patient_id>/replay", rules.PatientReplayView.as_view()),
    path("patients/<uuid:patient_id>/baselines", baselines.BaselinesView.as_view()),
    path("replay", rules.CaseloadReplayView.as_view()),
    path("patients/<uuid:patient_id>/enrolment-codes", administration.EnrolmentCodesView.as_view()),
    path("patients/<uuid:patient_id>/care-team", staff.CareTeamView.as_view()),
    path(
        "patients/<uuid:patient_id>/care-team/<uuid:clinician_id>",
        staff.CareTeamMemberView.as_view(),
    ),
    path("patients/<uuid:patient_id>/audit", privacy.PatientAuditView.as_view()),
    path("me/audit", privacy.OwnAuditView.as_view()),
    path("mass-reads", privacy.MassReadsView.as_view()),
    path("clinicians", staff.CliniciansView.as_view()),
    path("administration/patients", administration.PatientsView.as_view()),
    path("patients/<uuid:patient_id>/alerts", clinicians.AlertsView.as_view()),
    path(
        "patients/<uuid:patient_id>/alerts/<uuid:alert_id>/acknowledge",
        clinicians.AcknowledgeView.as_view(),
    ),
    path("patients/<uuid:patient_id>/alerts/<uuid:alert_id>/act", clinicians.ActView.as_view()),
    path(
        "patients/<uuid:patient_id>/alerts/<uuid:alert_id>/resolve",
        clinicians.ResolveView.as_view(),
    ),
]


class SchemaView(SpectacularJSONAPIView):
    authentication_classes = ()
    allowed_roles = OPEN


class SwaggerView(SpectacularSwaggerSplitView):
    authentication_classes = ()
    allowed_roles = OPEN
    http_method_names = ("get", "head")  # it has a page to show and no answer to OPTIONS
    url_name = "openapi"


urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("api/v1/", include(api)),
    path("", desk_signing_in.home),
    path("desk/", include("backend.dashboard.urls")),
    path("fhir/", include("backend.fhir.urls")),
    path("api/openapi.json", SchemaView.as_view(), name="openapi"),
    path("api/docs", SwaggerView.as_view(), name="api-docs"),
]

handler404 = "backend.health.not_found"
handler500 = "backend.health.server_error"
