"""What the database lets this process do. Asks the server, so it runs only where one is named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

AUDIT_TABLES = (
    "accounts_auditevent",
    "privacy_auditseal",
    "accounts_consent",
    "accounts_consentrevocation",
    "accounts_emergencyaccess",
    "accounts_emergencyaccessreview",
    "privacy_disclosure",
)

# The audit tables are asked for by name and may be missing: then nothing has been migrated yet.
_FACTS = """
SELECT r.rolsuper, r.rolbypassrls,
       EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')
                 AND pg_has_role(r.oid, c.relowner, 'USAGE')),
       current_setting('synchronous_commit') <> 'off',
       (SELECT COALESCE(bool_or(has_table_privilege(to_regclass(name), may)), false)
        FROM unnest(%(audit)s::text[]) name, unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) may),
       EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'patient_id'
               WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT a.attisdropped
                 AND NOT (c.relrowsecurity AND c.relforcerowsecurity))
FROM pg_roles r WHERE r.rolname = current_user
"""


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """What one connection's PostgreSQL role may do."""

    is_superuser: bool
    bypasses_row_security: bool
    owns_tables: bool
    commits_synchronously: bool
    can_change_audit: bool
    finds_unguarded_tables: bool


def read_facts(alias: str) -> RoleFacts:
    """One query. Raises Django's database errors."""
    with connections[alias].cursor() as cursor:
        cursor.execute(_FACTS, {"audit": list(AUDIT_TABLES)})
        row = cursor.fetchone()
    return RoleFacts(*row[: len(fields(RoleFacts))])


def judge(facts: RoleFacts) -> Iterator[CheckMessage]:
    """What is unsafe for the roles that serve requests and run jobs."""
    if facts.is_superuser or facts.bypasses_row_security:
        yield Error(
            "This process connects as a superuser or past row-level security.",
            "Use a role made with NOSUPERUSER NOBYPASSRLS.",
            id="handrail.E010",
        )
    if facts.owns_tables:
        yield Error(
            "This process connects as the owner of the tables.",
            "Only `manage.py migrate` connects as the owner; give web and worker their own roles.",
            id="handrail.E011",
        )
    if not facts.commits_synchronously:
        yield Error(
            "synchronous_commit is off: an answered check-in could be lost in a crash.",
            "Leave synchronous_commit on for the roles of web and worker.",
            id="handrail.E012",
        )
    if facts.can_change_audit:
        yield Error(
            "This process may change or delete rows of the audit log, its seals, or consents.",
            f"REVOKE UPDATE, DELETE, TRUNCATE ON {', '.join(AUDIT_TABLES)} from its role.",
            id="handrail.E013",
        )
    if facts.finds_unguarded_tables:
        yield Error(
            "Row-level security is not forced on every table with a patient in it.",
            "Run `manage.py migrate`, and see postgresql/row_policies.py for a table of your own.",
            id="handrail.E014",
        )


@register(Tags.database)
def roles_are_narrow(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Only for web and worker: the owner role migrates and has to own."""
    if settings.DATABASE_ROLE == "owner" or "default" not in (databases or ()):
        return []
    return list(judge(read_facts("default")))
