"""Which tables hold rows of patients, asked of the database itself."""

from __future__ import annotations

from collections.abc import Mapping

from tests.conftest import owner_connection

# Holds rows of patients and is not covered, and why that is right.
UNCOVERED: Mapping[str, str] = {}
# Covered although nothing in their structure says that they hold rows of patients.
BESIDES = frozenset({"accounts_device", "notifications_contactpoint"})

_COLUMNS = """
SELECT c.relname, a.attname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')
"""
_KEYS = """
SELECT c.relname, a.attname, f.relname
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class f ON f.oid = k.confrelid
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
WHERE k.contype = 'f'
"""
_COVERED = """
SELECT c.relname FROM pg_class c
WHERE c.relrowsecurity AND c.relforcerowsecurity AND ARRAY['handrail_web', 'handrail_worker'] <@ (
    SELECT array_agg(r.rolname::text) FROM pg_policy p JOIN pg_roles r ON r.oid = ANY (p.polroles)
    WHERE p.polrelid = c.oid AND p.polcmd = '*' AND NOT p.polqual IS NULL)
"""


def tables_with_patients() -> set[str]:
    """`accounts_patient`, and whatever leads to it by keys or by the name of a column.

    Names count as well, because the history that a trigger keeps of a table has its columns and
    none of its keys.
    """
    with owner_connection() as session:
        columns = session.execute(_COLUMNS).fetchall()
        keys = session.execute(_KEYS).fetchall()
    found = {"accounts_patient"}
    names = {"patient_id"}
    while True:
        leading = {table for table, column in columns if column in names}
        leading |= {table for table, _column, other in keys if other in found}
        # A key to a patient's row is named after it; keys to accounts and organisations are not.
        names_now = names | {column for _table, column, other in keys if other in found}
        if leading <= found and names_now == names:
            return found
        found |= leading
        names = names_now


def covered_tables() -> set[str]:
    """Forced, with policies for both roles that serve."""
    with owner_connection() as session:
        return {name for (name,) in session.execute(_COVERED)}
