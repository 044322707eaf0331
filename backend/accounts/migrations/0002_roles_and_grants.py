"""What the web and worker roles may do, now and with every table that comes later.

The owner role migrates and owns; web and worker read and write rows and can change no table.
The audit log takes inserts alone.
"""

from __future__ import annotations

from django.db import migrations

RUNTIME_ROLES = ("handrail_web", "handrail_worker")


def grants() -> list[str]:
    roles = ", ".join(RUNTIME_ROLES)
    return [
        f"GRANT USAGE ON SCHEMA public TO {roles}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {roles}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {roles}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public"
        f" GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {roles}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {roles}",
        f"REVOKE UPDATE, DELETE, TRUNCATE ON accounts_auditevent FROM {roles}",
        f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON django_migrations FROM {roles}",
    ]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_people_and_access")]

    operations = [migrations.RunSQL(sql=grants(), reverse_sql=migrations.RunSQL.noop)]
