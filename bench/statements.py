"""What one request asks of PostgreSQL, read from the server's own log.

The log shows everything that arrives, however it was sent: by the ORM, by a cursor, prepared or
in a pipeline. Values come out as literals.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from local.postgres import WEB

_PREFIX = "@statement %u@"
_RECORD = re.compile(r"^@statement (\w*)@(\w+):  (.*)$")
_SENT = re.compile(r"^(?:statement|execute [^:]*): (.*)$", re.DOTALL)
_VALUE = re.compile(r"\$(\d+) = (NULL|'(?:[^']|'')*')")
# A length of time beside a time would otherwise be read as a time itself.
_DURATION = re.compile(r"'-?(?:\d+ days? ?)?(?:\d+:\d\d:\d\d(?:\.\d+)?)?'")
_PLACE = re.compile(r"\$(\d+)")
# Left out: the shape of the transaction is given by whoever runs these, and a look whether the
# connection still lives is no part of the work.
_BARE = re.compile(
    r"^(?:BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|START TRANSACTION|DEALLOCATE|SELECT 1$)", re.I
)
_SET_LOCAL = re.compile(r"SET LOCAL (handrail\.\w+) TO ('[^']*')")
_SET_CONFIG = re.compile(r"set_config\('(handrail\.\w+)', ('[^']*'), true\)")
_SETTLES_S = 0.3


def statements_of(request: Callable[[], object], log: Path) -> list[str]:
    """Everything that the web role sends while `request` runs, in its order."""
    with _logging_all():
        time.sleep(_SETTLES_S)
        began = log.stat().st_size
        request()
        time.sleep(_SETTLES_S)
        with log.open("rb") as opened:
            opened.seek(began)
            text = opened.read().decode()
    told = map(_told, _sent(text))
    return [sql for sql in told if not _BARE.match(sql)]


def _told(sql: str) -> str:
    """Who acts, as a statement whose values may be filled in: `SET` takes literals alone."""
    settings = [*_SET_LOCAL.findall(sql), *_SET_CONFIG.findall(sql)]
    if not settings:
        return sql
    calls = (f"set_config('{name}', concat({value}), true)" for name, value in settings)
    return f"SELECT {', '.join(calls)}"


@contextmanager
def _logging_all() -> Iterator[None]:
    settings = {"log_statement": "all", "log_line_prefix": _PREFIX}
    with psycopg.connect(os.environ["BENCH_SUPERUSER_URL"], autocommit=True) as connection:
        for name, value in settings.items():
            connection.execute(f"ALTER SYSTEM SET {name} = '{value}'".encode())
        connection.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            for name in settings:
                connection.execute(f"ALTER SYSTEM RESET {name}".encode())
            connection.execute("SELECT pg_reload_conf()")


def _sent(text: str) -> list[str]:
    found: list[str] = []
    for user, level, message in _records(text):
        if user != WEB:
            continue
        sent = _SENT.match(message)
        if level == "LOG" and sent:
            found.append(sent[1].strip().rstrip(";"))
        elif level == "DETAIL" and found and "$1 = " in message:
            found[-1] = _with_values(found[-1], message)
    return found


def _records(text: str) -> Iterator[tuple[str, str, str]]:
    """User, level and message; a line that starts with a tab goes on with the one before."""
    current: tuple[str, str, str] | None = None
    for line in text.splitlines():
        started = _RECORD.match(line)
        if started:
            if current:
                yield current
            current = (started[1], started[2], started[3])
        elif current and line.startswith("\t"):
            current = (*current[:2], f"{current[2]}\n{line[1:]}")
    if current:
        yield current


def _with_values(sql: str, detail: str) -> str:
    values = {int(number): _typed(value) for number, value in _VALUE.findall(detail)}
    parts = re.split(r"('(?:[^']|'')*')", sql)
    return "".join(
        part if index % 2 else _PLACE.sub(lambda place: values.get(int(place[1]), place[0]), part)
        for index, part in enumerate(parts)
    )


def _typed(value: str) -> str:
    is_duration = value != "''" and _DURATION.fullmatch(value)
    return f"{value}::interval" if is_duration else value
