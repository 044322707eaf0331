"""`python docker/healthy.py web|relay|worker|beat [port]`: 0 while that service does its work.

Loads no Django: it runs every few seconds in each container. The relay and the workers are judged
by their heartbeats in the database, which a process writes only while it goes round its loop.
"""

from __future__ import annotations

import http.client
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import psycopg
import redis

PORT = 8000
PATIENCE_S = 4
STALE_AFTER_S: Mapping[str, int] = {"relay": 15, "worker": 60}


def value(name: str) -> str:
    """NAME, or what stands in the file that NAME_FILE names; empty when neither is set."""
    file = os.environ.get(f"{name}_FILE")
    return Path(file).read_text().strip() if file else os.environ.get(name, "")


def web(port: int) -> bool:
    """Whether it answers under the first name that it is to be reached by."""
    host = value("ALLOWED_HOSTS").split(",")[0].strip().lstrip(".")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.request("GET", "/healthz", headers={"Host": host})
    return connection.getresponse().status == http.client.OK


def has_heartbeat(process: str) -> bool:
    """Whether a process of this name went round its loop lately."""
    query = (
        "SELECT beat_at > now() - make_interval(secs => %s)"
        " FROM notifications_heartbeat WHERE process = %s"
    )
    with psycopg.connect(value("DATABASE_WORKER_URL"), connect_timeout=PATIENCE_S) as connection:
        row = connection.execute(query, [STALE_AFTER_S[process], process]).fetchone()
    return row is not None and bool(row[0])


def beat() -> bool:
    """Whether the broker that it writes to answers."""
    with redis.Redis.from_url(value("REDIS_URL"), socket_timeout=PATIENCE_S) as client:
        return bool(client.ping())


CHECKS: Mapping[str, Callable[[int], bool]] = {
    "web": web,
    "relay": lambda _port: has_heartbeat("relay"),
    "worker": lambda _port: has_heartbeat("worker"),
    "beat": lambda _port: beat(),
}


def main(arguments: list[str]) -> int:
    """1 when it does not, and when nobody can tell."""
    if not arguments or arguments[0] not in CHECKS:
        sys.stderr.write(f"one of: {', '.join(CHECKS)}\n")
        return 2
    try:
        port = int(arguments[1]) if len(arguments) > 1 else PORT
        return 0 if CHECKS[arguments[0]](port) else 1
    except (OSError, http.client.HTTPException, psycopg.Error, redis.RedisError) as error:
        # The class alone: a message of a library may quote an address with its password.
        sys.stderr.write(f"{arguments[0]}: {type(error).__name__}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
