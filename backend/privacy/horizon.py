"""Up to where the audit log is settled: below it, no row can appear any more.

Ids come from a sequence, so a transaction that commits late brings an id below later ones. Every
writer takes a lock on the table before it takes an id, and holds it to its end; so once those who
held it when we looked have ended, nothing of theirs is still to come. Nobody waits for us.
"""

from __future__ import annotations

import time

from django.db import connection

PATIENCE_S = 5.0
PAUSE_S = 0.05

# A transaction's id alone would not do: a writer takes the row's id before it has one.
_WRITERS = """
SELECT virtualtransaction FROM pg_locks
WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND relation = 'accounts_auditevent'::regclass AND pid IS DISTINCT FROM pg_backend_pid()
"""


def settled_id(*, patience_s: float = PATIENCE_S) -> int | None:
    """The highest id that is settled; None where a writer outlasts our patience, or with no rows.

    Outside of a transaction, so that each question sees what has been committed by then.
    """
    newest = _newest_id()
    waiting = _writers() if newest is not None else set()
    deadline = time.monotonic() + patience_s
    while waiting and time.monotonic() < deadline:
        time.sleep(PAUSE_S)
        waiting &= _writers()
    return None if waiting else newest


def _newest_id() -> int | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM accounts_auditevent")
        newest: int | None = cursor.fetchone()[0]
    return newest


def _writers() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(_WRITERS)
        return {name for (name,) in cursor.fetchall()}
