"""A new PostgreSQL: the script of the roles, then the migrations, then only what each may do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import errors

from local import launch, servers
from local.binaries import postgres_folder
from local.postgres import SUPERUSER, Postgres
from tests.deployment.reading import ROOT, environment, service

DATABASE = "handrail"


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A server with nothing but a superuser, then what the container does at its first start."""
    folder = tmp_path_factory.mktemp("roles")
    launch_folder = Path("/var/tmp") if os.geteuid() == 0 else folder
    home = launch_folder / f"handrail-roles-{os.getpid()}"
    server = Postgres(folder=home, log=folder / "log", durable=False, environment=os.environ)
    server.prepare()
    process = servers.start(server)
    try:
        yield prepare(server, folder)
    finally:
        launch.stop(process, server.program())
        server.close()
        subprocess.run(["rm", "-rf", str(home)], check=True)


def prepare(server: Postgres, folder: Path) -> dict[str, str]:
    secrets = folder / "secrets"
    make = ["sh", str(ROOT / "docker" / "make_secrets.sh"), str(secrets)]
    subprocess.run(make, check=True, capture_output=True)
    superuser = server.address.url(SUPERUSER, "postgres")
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE}")
    told = environment("postgres")
    programs = postgres_folder(os.environ)
    subprocess.run(
        ["sh", str(ROOT / "docker" / "postgres-roles.sh")],
        env={
            "PATH": f"{programs}:{os.environ['PATH']}",
            "SECRETS": str(secrets),
            "POSTGRES_USER": told["POSTGRES_USER"],
            "POSTGRES_DB": told["POSTGRES_DB"],
            "PGHOST": "127.0.0.1",
            "PGPORT": str(server.port),
            "PGPASSWORD": server.address.passwords[SUPERUSER],
        },
        check=True,
    )
    found = {}
    for role, name in (("owner", "database_owner_url"), ("web", "database_url")):
        parts = urlsplit((secrets / name).read_text())
        user = f"{parts.username}:{parts.password}"
        found[role] = parts._replace(netloc=f"{user}@127.0.0.1:{server.port}").geturl()
    migrate = service("migrate")["command"][1:]
    subprocess.run(
        [sys.executable, *migrate, "--verbosity", "0"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HANDRAIL_ENV": "test",
            "SECRET_KEY": "x" * 50,
            "DATABASE_OWNER_URL": found["owner"],
        },
        check=True,
    )
    return found


def test_the_owner_has_no_power_over_the_server(addresses: dict[str, str]) -> None:
    with psycopg.connect(addresses["owner"]) as connection:
        row = connection.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication"
            " FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    assert row == (False,) * 5


def test_the_web_role_reads_and_writes_rows_and_changes_no_table(
    addresses: dict[str, str],
) -> None:
    with psycopg.connect(addresses["web"], autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM accounts_patient").fetchone() == (0,)
        for statement in (
            "CREATE TABLE mine (id int)",
            "ALTER TABLE accounts_patient ADD COLUMN more int",
            "DELETE FROM accounts_auditevent",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(statement)


def test_passwords_are_kept_as_verifiers(addresses: dict[str, str]) -> None:
    parts = urlsplit(addresses["web"])
    wrong = parts._replace(netloc=parts.netloc.replace(str(parts.password), "guessed")).geturl()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(wrong)
