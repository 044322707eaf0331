"""The SQL of row-level security: which rows of a table the web and worker roles see and write.

Migrations call these. Whom a clinician may see is said once, in the functions that
`accounts/0009_row_security` makes; what is emitted here only calls them.
"""

from __future__ import annotations

OWN = "nullif(current_setting('handrail.patient_id', true), '')::uuid"
"""The patient that the acting account is."""

ACCOUNT = "nullif(current_setting('handrail.user_id', true), '')::uuid"
"""The acting account."""

SYSTEM = "current_setting('handrail.role', true) = 'system'"
CLINICIAN = "current_setting('handrail.role', true) = 'clinician'"
ADMINISTRATOR = "current_setting('handrail.role', true) = 'administrator'"
# In parentheses of its own it is asked once a statement, not once a row: sweeps read millions.
SYSTEM_ONCE = "(SELECT current_setting('handrail.role', true)) = 'system'"

ADMINISTERS = f"({ADMINISTRATOR} AND handrail_administers(patient_id))"
"""Whether the acting administrator's organisation is that of the row's patient."""


def seen(column: str) -> str:
    """Whether the acting account may see the patient whose id this is.

    The care team is read once a statement; who sees a whole organisation is asked row by row,
    because an organisation may be large and a statement is mostly about one of its patients.
    """
    shown = f"{column} IN (SELECT handrail_shown_patients()) OR handrail_sees_widely({column})"
    return f"{SYSTEM_ONCE} OR {column} = {OWN} OR ({CLINICIAN} AND ({shown}))"


def written(column: str) -> str:
    """Whether the acting account may write about that patient; an emergency only lets one read."""
    return f"{SYSTEM} OR {column} = {OWN} OR ({CLINICIAN} AND handrail_writes({column}))"


def cover(table: str, column: str = "patient_id", *, or_else: str = "") -> list[str]:
    """The policies of a table whose `column` is a patient's id. `or_else` lets in rows besides."""
    besides = f" OR {or_else}" if or_else else ""
    return cover_by_rule(table, seen(column) + besides, written(column) + besides)


def cover_through(table: str, column: str, parent: str) -> list[str]:
    """The policies of a table whose rows are seen with the row of `parent` that `column` names."""
    found = f"EXISTS (SELECT FROM {parent} parent WHERE parent.id = {table}.{column})"
    return cover_by_rule(table, f"{SYSTEM_ONCE} OR {found}")


def cover_account(table: str, column: str = "user_id") -> list[str]:
    """The policies of what belongs to one account: its own. Those of staff are shown to anybody:
    whose turn it is to be told depends on who can be reached."""
    return [
        *cover_by_rule(table, f"{column} = {ACCOUNT} OR {SYSTEM_ONCE}"),
        f"CREATE POLICY staff_rows ON {table} FOR SELECT TO handrail_web"
        f" USING (handrail_patient_of({column}) IS NULL)",
    ]


def cover_by_rule(table: str, rule: str, check: str = "") -> list[str]:
    """Forces row-level security: web sees what `rule` says and writes what `check` does.

    Worker does both in its jobs alone. Whoever migrates owns the tables and sees all of them:
    migrations, and the functions that ask whom a clinician may see, act for nobody.
    """
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY web_rows ON {table} TO handrail_web"
        f" USING ({rule}) WITH CHECK ({check or rule})",
        f"CREATE POLICY worker_rows ON {table} TO handrail_worker USING ({SYSTEM_ONCE})",
        f"CREATE POLICY owner_rows ON {table} TO CURRENT_USER USING (true)",
    ]


def uncover(table: str) -> list[str]:
    """Takes back what any of these did."""
    return [
        *(
            f"DROP POLICY IF EXISTS {name}_rows ON {table}"
            for name in ("web", "worker", "owner", "staff")
        ),
        f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
    ]
