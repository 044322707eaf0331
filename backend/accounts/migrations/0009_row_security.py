"""Row-level security as the second lock: whom a clinician may see, and the tables of this area.

The functions run as the owner of the tables, so that a policy may ask about care teams without
being bound by the policies of care teams. They name every table with its schema, because whoever
may connect may make temporary tables.
"""

from __future__ import annotations

from django.db import migrations

from backend.postgresql.row_policies import (
    ACCOUNT,
    ADMINISTERS,
    ADMINISTRATOR,
    CLINICIAN,
    OWN,
    SYSTEM,
    cover,
    cover_account,
    cover_by_rule,
    cover_through,
    uncover,
)

WIDE = "c.roles::text[] && ARRAY['on_call', 'clinical_supervisor']"
TODAY = "(now() AT TIME ZONE 'UTC')::date"
# The organisation must match even on the team: a tie left over from a move opens nothing.
TEAM = (
    "SELECT m.patient_id FROM public.accounts_careteammember m"  # noqa: S608 - own constants
    " JOIN public.accounts_clinician c ON c.id = m.clinician_id JOIN public.accounts_patient p"
    " ON p.id = m.patient_id AND p.organisation_id = c.organisation_id"
    f" WHERE c.user_id = {ACCOUNT} AND m.started_on <= {TODAY}"
    f" AND (m.ended_on IS NULL OR m.ended_on > {TODAY})"
)
EMERGENCY = (
    "SELECT e.patient_id FROM public.accounts_emergencyaccess e"  # noqa: S608 - own constants
    " JOIN public.accounts_clinician c ON c.id = e.clinician_id JOIN public.accounts_patient p"
    " ON p.id = e.patient_id AND p.organisation_id = c.organisation_id"
    f" WHERE c.user_id = {ACCOUNT} AND e.ends_at > now()"
)
FUNCTIONS = {
    "handrail_shown_patients()": ("SETOF uuid", f"QUERY {TEAM} UNION ALL {EMERGENCY}"),
    "handrail_sees_widely(patient uuid)": (
        "boolean",
        "EXISTS (SELECT FROM public.accounts_patient p"
        " JOIN public.accounts_clinician c ON c.organisation_id = p.organisation_id"
        f" WHERE p.id = patient AND c.user_id = {ACCOUNT} AND {WIDE})",
    ),
    "handrail_writes(patient uuid)": (
        "boolean",
        f"public.handrail_sees_widely(patient) OR EXISTS ({TEAM} AND m.patient_id = patient)",
    ),
    "handrail_wide_organisation()": (
        "uuid",
        "(SELECT c.organisation_id FROM public.accounts_clinician c"  # noqa: S608
        f" WHERE c.user_id = {ACCOUNT} AND {WIDE})",
    ),
    "handrail_administered_organisation()": (
        "uuid",
        "(SELECT a.organisation_id FROM public.accounts_administrator a"  # noqa: S608
        f" WHERE a.user_id = {ACCOUNT})",
    ),
    "handrail_administers(patient uuid)": (
        "boolean",
        "EXISTS (SELECT FROM public.accounts_patient p JOIN public.accounts_administrator a"
        f" ON a.organisation_id = p.organisation_id WHERE p.id = patient AND a.user_id = {ACCOUNT})",
    ),
    # Who a token belongs to is asked before anybody acts.
    "handrail_patient_of(account uuid)": (
        "uuid",
        "(SELECT p.id FROM public.accounts_patient p WHERE p.user_id = account)",
    ),
}  # fmt: skip

LISTED = f"({ADMINISTRATOR} AND organisation_id = (SELECT handrail_administered_organisation()))"
PATIENT_SEEN = (
    f"id = {OWN} OR user_id = {ACCOUNT} OR {SYSTEM}"
    f" OR ({CLINICIAN} AND (id IN (SELECT handrail_shown_patients())"
    f" OR organisation_id = (SELECT handrail_wide_organisation()))) OR {LISTED}"
)
PATIENT_WRITTEN = f"id = {OWN} OR {SYSTEM} OR ({CLINICIAN} AND handrail_writes(id)) OR {LISTED}"
AUDIT_SEEN = f"actor_id = {ACCOUNT} OR patient_id = {OWN} OR {SYSTEM}"
# Nobody writes in another's name. While somebody signs in, nobody acts yet.
AUDIT_WRITTEN = f"actor_id = {ACCOUNT} OR {ACCOUNT} IS NULL"
OPENED_BY_ME = (
    f"({CLINICIAN} AND clinician_id IN"  # noqa: S608 - own constants
    f" (SELECT id FROM accounts_clinician WHERE user_id = {ACCOUNT}))"
)


def function(signature: str, returns: str, body: str) -> str:
    return (
        f"CREATE FUNCTION {signature} RETURNS {returns} LANGUAGE plpgsql STABLE SECURITY DEFINER"
        f" PARALLEL SAFE AS $$ BEGIN RETURN {body}; END $$"
    )


def functions() -> list[str]:
    made = [function(name, returns, body) for name, (returns, body) in FUNCTIONS.items()]
    closed = [f"REVOKE ALL ON FUNCTION {_called(name)} FROM PUBLIC" for name in FUNCTIONS]
    opened = [f"GRANT EXECUTE ON FUNCTION {_called(name)} TO handrail_web" for name in FUNCTIONS]
    return [*made, *closed, *opened]


def _called(signature: str) -> str:
    return signature.replace("patient uuid", "uuid").replace("account uuid", "uuid")


COVERED = {
    "accounts_patient": cover_by_rule("accounts_patient", PATIENT_SEEN, PATIENT_WRITTEN),
    "accounts_careteammember": cover("accounts_careteammember", or_else=ADMINISTERS),
    "accounts_enrolmentcode": cover("accounts_enrolmentcode", or_else=ADMINISTERS),
    "accounts_patientkey": cover("accounts_patientkey"),
    "accounts_consent": cover("accounts_consent"),
    "accounts_consentrevocation": cover_through(
        "accounts_consentrevocation", "consent_id", "accounts_consent"
    ),
    "accounts_emergencyaccess": cover(
        "accounts_emergencyaccess", or_else=f"{OPENED_BY_ME} OR {ADMINISTERS}"
    ),
    "accounts_emergencyaccessreview": cover_through(
        "accounts_emergencyaccessreview", "emergency_access_id", "accounts_emergencyaccess"
    ),
    "accounts_device": cover_account("accounts_device"),
    "accounts_auditevent": cover_by_rule("accounts_auditevent", AUDIT_SEEN, AUDIT_WRITTEN),
}


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_patient_keys")]

    operations = [
        migrations.RunSQL(
            sql=functions(),
            reverse_sql=[f"DROP FUNCTION {_called(name)}" for name in FUNCTIONS],
        ),
        *(migrations.RunSQL(sql=sql, reverse_sql=uncover(table)) for table, sql in COVERED.items()),
    ]
