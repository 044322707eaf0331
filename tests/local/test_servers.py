"""The real PostgreSQL and Valkey: who may enter, what survives, what is left behind."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import redis

from local import launch, postgres, servers, throw_away
from local.launch import LaunchError
from local.postgres import OWNER, ROLES, SUPERUSER, WEB, WORKER, Postgres
from local.throw_away import ThrowAwayServers
from local.valkey import Valkey
from tests.local.processes import is_alive, kill, start_python, wait_for


@pytest.fixture(scope="module")
def booted() -> Iterator[ThrowAwayServers]:
    running = ThrowAwayServers(os.environ, postgres=True, valkey=True)
    running.postgres.make_database()
    yield running
    running.close()


def durable_postgres(folder: Path) -> Postgres:
    log = folder / "postgres.log"
    return Postgres(folder=folder / "postgres", log=log, durable=True, environment=os.environ)


def test_roles_have_no_power_and_only_the_owner_creates_databases(
    booted: ThrowAwayServers,
) -> None:
    with psycopg.connect(booted.postgres.address.url(SUPERUSER, "postgres")) as connection:
        found = connection.execute(
            "SELECT rolname, rolcanlogin, rolcreatedb, rolsuper OR rolbypassrls OR rolcreaterole"
            " OR rolreplication FROM pg_roles WHERE rolname = ANY(%s) ORDER BY 1",
            [list(ROLES)],
        )
        assert found.fetchall() == [
            (OWNER, True, True, False),
            (WEB, True, False, False),
            (WORKER, True, False, False),
        ]


@pytest.mark.parametrize("role", [WEB, WORKER])
@pytest.mark.parametrize(
    "statement", ["CREATE TABLE mine ()", "CREATE SCHEMA mine", "CREATE TEMPORARY TABLE mine ()"]
)
def test_web_and_worker_create_nothing(booted: ThrowAwayServers, role: str, statement: str) -> None:
    with psycopg.connect(booted.postgres.address.url(role)) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)
        connection.rollback()


def test_the_owner_creates_tables(booted: ThrowAwayServers) -> None:
    with psycopg.connect(booted.postgres.address.url(OWNER)) as connection:
        connection.execute("CREATE TABLE made ()")
        connection.rollback()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("listen_addresses", "127.0.0.1"),
        ("unix_socket_directories", ""),
        ("TimeZone", "UTC"),
        ("server_encoding", "UTF8"),
        ("password_encryption", "scram-sha-256"),
        ("fsync", "off"),
        ("synchronous_commit", "on"),
    ],
)
def test_settings(booted: ThrowAwayServers, setting: str, value: str) -> None:
    with psycopg.connect(booted.postgres.address.url(SUPERUSER, "postgres")) as connection:
        found = connection.execute("SELECT current_setting(%s)", [setting]).fetchone()
        assert found == (value,)


def test_the_database_sorts_by_code_point(booted: ThrowAwayServers) -> None:
    with psycopg.connect(booted.postgres.address.url(WEB)) as connection:
        found = connection.execute("SELECT datcollate, datctype FROM pg_database").fetchall()
        assert set(found) == {("C.UTF-8", "C.UTF-8")}


@pytest.mark.parametrize("role", [SUPERUSER, *ROLES])
def test_nobody_enters_without_their_password(booted: ThrowAwayServers, role: str) -> None:
    port = booted.postgres.port
    for password in ("", "wrong", role):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(
                host="127.0.0.1", port=port, user=role, password=password, dbname="postgres"
            )


def test_every_password_is_its_own_and_in_a_private_file(booted: ThrowAwayServers) -> None:
    passwords = booted.postgres.address.passwords
    assert len(set(passwords.values())) == len(passwords) == 4
    files = [*(booted.folder / "postgres" / "secrets").iterdir(), booted.folder / "valkey/password"]
    assert len(files) == 5
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert not list(booted.folder.rglob("initdb-password"))


def test_no_password_is_in_a_process_list_or_a_log(booted: ThrowAwayServers) -> None:
    listed = subprocess.run(["ps", "axeww"], capture_output=True, text=True, check=True).stdout
    written = (booted.folder / "servers.log").read_text()
    valkey_password = (booted.folder / "valkey" / "password").read_text()
    assert "valkey-server" in listed
    for password in (valkey_password, *booted.postgres.address.passwords.values()):
        assert password not in listed
        assert password not in written


def test_valkey_wants_its_password_and_evicts_nothing(booted: ThrowAwayServers) -> None:
    with redis.Redis.from_url(booted.valkey.url()) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("bind") == {"bind": "127.0.0.1"}
    with (
        redis.Redis(port=booted.valkey.port) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()


def test_nothing_is_left_after_close() -> None:
    running = ThrowAwayServers(os.environ, postgres=True, valkey=True)
    url = running.postgres.address.url(SUPERUSER, "postgres")
    psycopg.connect(url).close()
    running.close()
    assert not running.folder.exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_kill_9_of_the_parent_leaves_no_server() -> None:
    code = (
        "import os, time\n"
        "from local.throw_away import ThrowAwayServers\n"
        "running = ThrowAwayServers(os.environ, postgres=True, valkey=True)\n"
        "print(running.folder)\n"
        "print(*(process.pid for _, process in running._running))\n"
        "time.sleep(60)\n"
    )
    parent = start_python(Path("/"), code)
    assert parent.stdout is not None
    folder = Path(parent.stdout.readline().strip())
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2
    assert all(is_alive(pid) for pid in pids)
    kill(parent)
    assert wait_for(lambda: not any(is_alive(pid) for pid in pids), seconds=5)

    throw_away.remove_abandoned()
    assert folder.exists(), "a folder this young may belong to somebody about to lock it"
    an_hour_ago = time.time() - 3600
    os.utime(folder, (an_hour_ago, an_hour_ago))
    throw_away.remove_abandoned()
    assert not folder.exists()


def test_a_folder_in_use_is_not_removed_however_old(booted: ThrowAwayServers) -> None:
    before = booted.folder.stat()
    os.utime(booted.folder, (0, 0))
    throw_away.remove_abandoned()
    os.utime(booted.folder, (before.st_atime, before.st_mtime))
    assert (booted.folder / "postgres" / "data" / "PG_VERSION").exists()


def test_durable_data_survive_a_crash_and_a_stale_pid_file(open_folder: Path) -> None:
    server = durable_postgres(open_folder)
    server.prepare()
    process = servers.start(server)
    server.make_roles()
    server.make_database()
    with psycopg.connect(server.address.url(OWNER)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
    process.kill()
    process.wait()
    server.close()
    # The pid of a process that lives, as a reused one would: PostgreSQL alone would refuse.
    pid_file = server._data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))

    again = durable_postgres(open_folder)
    again.prepare()
    process = servers.start(again)
    again.make_roles()
    again.make_database()
    with psycopg.connect(again.address.url(OWNER)) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)
    launch.stop(process, again.program())
    again.close()
    assert process.returncode == 0


def test_two_servers_never_share_a_folder(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "FORMER_ENDS_WITHIN", timedelta(seconds=0.2))
    first = durable_postgres(open_folder)
    first.prepare()
    process = servers.start(first)
    first.close()  # the server itself still holds the lock, as after a kill of its supervisor
    with pytest.raises(LaunchError, match="still uses"):
        durable_postgres(open_folder).prepare()
    launch.stop(process, first.program())
    second = durable_postgres(open_folder)
    second.prepare()
    second.close()


def test_a_broken_off_initdb_is_done_again(open_folder: Path) -> None:
    half = open_folder / "postgres" / "data-unfinished"
    half.mkdir(parents=True)
    (open_folder / "postgres").chmod(0o711)
    (half / "PG_VERSION").write_text("18\n")
    server = durable_postgres(open_folder)
    server.prepare()
    server.close()
    assert (open_folder / "postgres" / "data" / "global" / "pg_control").exists()
    assert not half.exists()


def test_a_taken_port_makes_it_try_another(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    valkey = Valkey(
        folder=open_folder / "valkey", log=open_folder / "log", durable=True, environment=os.environ
    )
    valkey.prepare()
    with psycopg.connect(os.environ["DATABASE_URL"].rpartition("/")[0] + "/postgres") as somebody:
        taken = somebody.info.port
        free = launch.free_port()
        ports = iter([taken, free])
        monkeypatch.setattr(launch, "free_port", lambda: next(ports))
        process = servers.start(valkey)
    assert valkey.port == free
    launch.stop(process, valkey.program())
    valkey.close()


def test_valkey_keeps_what_it_was_told(open_folder: Path) -> None:
    for written in (True, False):
        valkey = Valkey(
            folder=open_folder / "valkey",
            log=open_folder / "log",
            durable=True,
            environment=os.environ,
        )
        valkey.prepare()
        process = servers.start(valkey)
        with redis.Redis.from_url(valkey.url()) as client:
            if written:
                client.set("hint", "kept")
            assert client.get("hint") == b"kept"
        launch.stop(process, valkey.program())
        valkey.close()


def test_a_server_that_cannot_start_shows_its_log(open_folder: Path) -> None:
    server = durable_postgres(open_folder)
    server.prepare()
    with (server._data / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    with pytest.raises(LaunchError, match="no_such_setting"):
        servers.start(server)
    server.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends servers another account")
def test_a_folder_the_server_cannot_enter_sends_its_data_elsewhere(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "HOMES", open_folder / "homes")
    (open_folder / "closed").mkdir()
    (open_folder / "closed").chmod(0o700)
    for _ in range(2):
        server = durable_postgres(open_folder / "closed")
        server.prepare()
        process = servers.start(server)
        launch.stop(process, server.program())
        server.close()
    assert len(list((open_folder / "homes").iterdir())) == 1
    assert not (open_folder / "closed" / "postgres" / "data").exists()
