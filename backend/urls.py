"""Every address, in one place. Patient routes mean oneself; clinicians name the patient."""

from __future__ import annotations

from django.urls import include, path
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from backend import health
from backend.accounts.api import clinicians as staff
from backend.accounts.api import consents, devices, mfa, passwords, signing_in
from backend.accounts.api import patients as administration
from backend.aftercare.api import (
    baselines,
    caseload,
    clinicians,
    coping_steps,
    escalation_ladder,
    holidays,
    invitations,
    monitoring,
    nudges,
    on_call,
    outlook,
    patients,
    prompt_settings,
    rules,
    support_contacts,
)
from backend.dashboard.views import contact
from backend.dashboard.views import signing_in as desk_signing_in
from backend.intake.api import bundle, check_ins, sync
from backend.notifications import api as notifications
from backend.operations import api as operations
from backend.permissions import ANONYMOUS
from backend.privacy.api import audit, disclosures, emergency_access, erasure, exports
from backend.program.api import drug_tests, episodes, sessions
from backend.tracking import api as tracking

OPEN = {"GET": frozenset({ANONYMOUS})}


class PatientsView(caseload.CaseloadView, administration.AddPatientView):
    """One address: clinicians read their caseload, administrators add to the list."""

    allowed_roles = {
        **caseload.CaseloadView.allowed_roles,
        **administration.AddPatientView.allowed_roles,
    }


# Addresses are tried in this order, so what phones send all day stands first.
api = [
    path("check-ins", check_ins.CheckInsView.as_view()),
    path("sync", sync.SyncView.as_view()),
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
    path("web-push-key", notifications.WebPushKeyView.as_view()),
    path("check-ins/<uuid:check_in_id>", check_ins.CheckInView.as_view()),
    path("me/safety-bundle", bundle.SafetyBundleView.as_view()),
    path("trends", patients.OwnTrendsView.as_view()),
    path("help", patients.HelpView.as_view()),
    path("me/help", patients.OwnHelpView.as_view()),
    path("me/coping-steps", coping_steps.CopingStepsView.as_view()),
    path("me/coping-steps/<uuid:step_id>", coping_steps.CopingStepView.as_view()),
    path("me/support-contacts", support_contacts.SupportContactsView.as_view()),
    path("me/support-contacts/<uuid:contact_id>", support_contacts.SupportContactView.as_view()),
    path(
        "me/support-contacts/<uuid:contact_id>/preview",
        support_contacts.ContactPreviewView.as_view(),
    ),
    path(
        "me/support-contacts/<uuid:contact_id>/invitation",
        invitations.InvitationView.as_view(),
    ),
    path("me/support-contacts/<uuid:contact_id>/call", invitations.CallView.as_view()),
    path("me/prompt-settings", prompt_settings.PromptSettingsView.as_view()),
    path("me/nudges/<uuid:nudge_id>/dismiss", nudges.DismissView.as_view()),
    path("me/nudges/<uuid:nudge_id>/snooze", nudges.SnoozeView.as_view()),
    path("me/nudges/<uuid:nudge_id>/rate", nudges.RateView.as_view()),
    path("me/contact-points", notifications.ContactPointsView.as_view()),
    path("me/contact-points/<uuid:point_id>", notifications.ContactPointView.as_view()),
    path("me/contact-points/<uuid:point_id>/verify", notifications.ContactCodeView.as_view()),
    path("me/notifications/receipts", notifications.ReceiptsView.as_view()),
    path("me/notifications/<uuid:notification_id>", patients.OwnMessageView.as_view()),
    path("patients", PatientsView.as_view()),
    path("patients/<uuid:patient_id>/check-ins", tracking.PatientCheckInsView.as_view()),
    path("patients/<uuid:patient_id>/trends", clinicians.PatientTrendsView.as_view()),
    path("patients/<uuid:patient_id>/outlook", outlook.OutlookView.as_view()),
    path("patients/<uuid:patient_id>/replay", rules.PatientReplayView.as_view()),
    path("patients/<uuid:patient_id>/decisions", nudges.DecisionsView.as_view()),
    path("patients/<uuid:patient_id>/baselines", baselines.BaselinesView.as_view()),
    path("replay", rules.CaseloadReplayView.as_view()),
    path("patients/<uuid:patient_id>/enrolment-codes", administration.EnrolmentCodesView.as_view()),
    path("patients/<uuid:patient_id>/care-team", staff.CareTeamView.as_view()),
    path(
        "patients/<uuid:patient_id>/care-team/<uuid:clinician_id>",
        staff.CareTeamMemberView.as_view(),
    ),
    path("patients/<uuid:patient_id>/audit", audit.PatientAuditView.as_view()),
    path("me/audit", audit.OwnAuditView.as_view()),
    path("mass-reads", audit.MassReadsView.as_view()),
    path("consent-texts", consents.ConsentTextsView.as_view()),
    path("me/consents", consents.OwnConsentsView.as_view()),
    path("me/consents/<uuid:consent_id>/revoke", consents.RevokeConsentView.as_view()),
    path("patients/<uuid:patient_id>/consents", consents.PatientConsentsView.as_view()),
    path("me/leave-monitoring", monitoring.LeaveMonitoringView.as_view()),
    path("me/resume-monitoring", monitoring.ResumeMonitoringView.as_view()),
    path("me/erasure", erasure.OwnErasureView.as_view()),
    path("me/exports", exports.OwnExportsView.as_view()),
    path("me/exports/<uuid:export_id>", exports.OwnExportView.as_view()),
    path("exports/<uuid:link>", exports.FetchedExportView.as_view()),
    path("patients/<uuid:patient_id>/legal-hold", erasure.LegalHoldView.as_view()),
    path("me/disclosures", disclosures.OwnDisclosuresView.as_view()),
    path("patients/<uuid:patient_id>/disclosures", disclosures.DisclosuresView.as_view()),
    path(
        "patients/<uuid:patient_id>/emergency-disclosures",
        disclosures.EmergencyDisclosuresView.as_view(),
    ),
    path(
        "patients/<uuid:patient_id>/emergency-access",
        emergency_access.EmergencyAccessView.as_view(),
    ),
    path("emergency-accesses", emergency_access.EmergencyAccessesView.as_view()),
    path(
        "emergency-accesses/<uuid:emergency_access_id>/review",
        emergency_access.ReviewView.as_view(),
    ),
    path("me/sessions", sessions.OwnSessionsView.as_view()),
    path("patients/<uuid:patient_id>/episodes", episodes.EpisodesView.as_view()),
    path(
        "patients/<uuid:patient_id>/episodes/<uuid:episode_id>/phases",
        episodes.PhasesView.as_view(),
    ),
    path(
        "patients/<uuid:patient_id>/episodes/<uuid:episode_id>/end",
        episodes.EpisodeEndView.as_view(),
    ),
    path("patients/<uuid:patient_id>/sessions", sessions.SessionsView.as_view()),
    path("patients/<uuid:patient_id>/session-series", sessions.SessionSeriesView.as_view()),
    path("patients/<uuid:patient_id>/sessions/<uuid:session_id>", sessions.SessionView.as_view()),
    path(
        "patients/<uuid:patient_id>/sessions/<uuid:session_id>/move",
        sessions.MoveView.as_view(),
    ),
    path(
        "patients/<uuid:patient_id>/sessions/<uuid:session_id>/attendance",
        sessions.AttendanceView.as_view(),
    ),
    path("patients/<uuid:patient_id>/drug-tests", drug_tests.DrugTestsView.as_view()),
    path("patients/<uuid:patient_id>/drug-tests/<uuid:test_id>", drug_tests.DrugTestView.as_view()),
    path("clinicians", staff.CliniciansView.as_view()),
    path("clinicians/<uuid:clinician_id>/remove-second-step", staff.RemoveSecondStepView.as_view()),
    path("holidays", holidays.HolidaysView.as_view()),
    path("escalation-ladder", escalation_ladder.EscalationLadderView.as_view()),
    path("escalation-ladder/versions", escalation_ladder.LadderVersionsView.as_view()),
    path("on-call", on_call.OnCallView.as_view()),
    path("on-call-shifts", on_call.OnCallShiftsView.as_view()),
    path("on-call-shifts/<uuid:shift_id>", on_call.OnCallShiftView.as_view()),
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
    path("api/v1/", include(api)),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", operations.metrics_page),
    path("operator/", include("backend.dashboard.operator_urls")),
    path("administrator/", include("backend.dashboard.administrator_urls")),
    path("", desk_signing_in.home),
    path("desk/", include("backend.dashboard.urls")),
    path("contact/<str:link>", contact.page, name="contact"),
    path("fhir/", include("backend.fhir.urls")),
    path("api/openapi.json", SchemaView.as_view(), name="openapi"),
    path("api/docs", SwaggerView.as_view(), name="api-docs"),
]

handler404 = "backend.health.not_found"
handler500 = "backend.health.server_error"
