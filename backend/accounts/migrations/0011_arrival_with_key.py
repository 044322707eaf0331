"""Who comes with a token is told with the patient's own key, wrapped; and whether a key still stands.

So a note can be sealed before the patient's row is held. Whether its key was destroyed meanwhile is
asked once the row is held: a function that is volatile reads what was committed during the wait.

The first runs as the owner of the tables, so that row-level security may show nobody to a request that
has not said who it is, and answers for the one token it was given. It names every table with its
schema, because whoever may connect may make temporary tables.
"""

from __future__ import annotations

from importlib import import_module

from django.db import migrations

arrival = import_module("backend.accounts.migrations.0010_arrival")

SIGNATURE = arrival.SIGNATURE
CREATE = """
CREATE FUNCTION handrail_arrive(
    given_hash bytea, given_now timestamptz, today date, counted_as text, counted_at timestamptz
) RETURNS TABLE (
    t_id uuid, t_user_id uuid, t_device_id uuid,
    u_id uuid, u_role text, u_language text,
    p_id uuid, p_organisation_id uuid, p_user_id uuid, p_country text, p_time_zone text,
    p_enrolled_at timestamptz, p_discharged_at timestamptz, p_left_monitoring_at timestamptz,
    o_id uuid, o_time_zone text, o_monitoring_hours jsonb,
    has_care_team boolean, k_key_id text, k_wrapped bytea, tries integer
) LANGUAGE plpgsql SECURITY DEFINER AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH came AS MATERIALIZED (
        SELECT t.id, t.user_id, t.device_id, u.id AS account_id, u.role::text, u.language::text,
            p.id AS patient_id, p.organisation_id, p.user_id AS patient_user_id, p.country::text,
            p.time_zone::text, p.enrolled_at, p.discharged_at, p.left_monitoring_at,
            o.id AS operator_id, o.time_zone::text AS operator_zone, o.monitoring_hours,
            EXISTS (
                SELECT 1 FROM public.accounts_careteammember m
                JOIN public.accounts_clinician c ON c.id = m.clinician_id
                JOIN public.accounts_user cu ON cu.id = c.user_id AND cu.is_active
                WHERE m.patient_id = p.id AND m.started_on <= today
                    AND (m.ended_on IS NULL OR m.ended_on > today)) AS has_team,
            k.key_id::text, k.wrapped
        FROM public.accounts_accesstoken t
        JOIN public.accounts_user u ON u.id = t.user_id
        LEFT JOIN public.accounts_patient p ON p.user_id = u.id AND u.role = 'patient'
        LEFT JOIN public.accounts_organisation o ON o.id = p.organisation_id
        LEFT JOIN public.accounts_patientkey k ON k.patient_id = p.id
        WHERE t.token_hash = given_hash AND t.revoked_at IS NULL AND t.expires_at > given_now
            AND u.is_active
    ), counted AS (
        -- The same key as `rate_limits.spend` makes of an account.
        INSERT INTO public.accounts_ratecounter AS r (key, window_at, count)
        SELECT counted_as || ':' || left(encode(sha256(came.user_id::text::bytea), 'hex'), 48),
            counted_at, 1
        FROM came WHERE counted_as <> ''
        ON CONFLICT (key, window_at) DO UPDATE SET count = r.count + 1
        RETURNING r.count
    )
    SELECT came.*, counted.count FROM came LEFT JOIN counted ON true;
END $$
"""


KEY_SIGNATURE = "handrail_key_stands(uuid, bytea)"
CREATE_KEY_STANDS = """
CREATE FUNCTION handrail_key_stands(owner_id uuid, given bytea) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN EXISTS (SELECT 1 FROM public.accounts_patientkey k
        WHERE k.patient_id = owner_id AND k.wrapped = given);
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_arrival")]

    operations = [
        migrations.RunSQL(
            sql=[
                f"DROP FUNCTION {SIGNATURE}",
                CREATE,
                f"REVOKE ALL ON FUNCTION {SIGNATURE} FROM PUBLIC",
                f"GRANT EXECUTE ON FUNCTION {SIGNATURE} TO handrail_web",
                CREATE_KEY_STANDS,
            ],
            reverse_sql=[
                f"DROP FUNCTION {KEY_SIGNATURE}",
                f"DROP FUNCTION {SIGNATURE}",
                arrival.CREATE,
                f"REVOKE ALL ON FUNCTION {SIGNATURE} FROM PUBLIC",
                f"GRANT EXECUTE ON FUNCTION {SIGNATURE} TO handrail_web",
            ],
        )
    ]
