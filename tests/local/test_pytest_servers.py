"""Each test process has its own database, and nobody loses a real one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from local import pytest_servers
from local.pytest_servers import create_empty_database, own_variables
from tests.local.processes import ROOT, is_alive, kill, start_python, wait_for

URLS = {
    "DATABASE_OWNER_URL": "postgresql://o:p@127.0.0.1:1/real",
    "DATABASE_URL": "postgresql://w:p@127.0.0.1:1/real",
    "DATABASE_WORKER_URL": "postgresql://k:p@127.0.0.1:1/real",
    "REDIS_URL": "redis://:p@127.0.0.1:2/7",
}
SERVER_VARIABLES = (*URLS, "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_ADDOPTS")
TEST = """
import os, pathlib, time
import pytest
def test_one(i):
    pathlib.Path({seen!r}, os.environ["PYTEST_XDIST_WORKER"]).write_text(
        os.environ["DATABASE_URL"].rpartition("/")[2] + " " + os.environ["REDIS_URL"][-2:]
        + " " + os.environ["HANDRAIL_ENV"] + " " + os.environ["SECRET_KEY"])
    time.sleep({nap})
def pytest_generate_tests(metafunc):
    metafunc.parametrize("i", range(4))
"""


def test_each_process_gets_its_own_database_and_broker_number() -> None:
    main = own_variables(URLS)
    second = own_variables({**URLS, "PYTEST_XDIST_WORKER": "gw1"})
    assert main["DATABASE_URL"] == "postgresql://w:p@127.0.0.1:1/handrail_test_main"
    assert main["REDIS_URL"] == "redis://:p@127.0.0.1:2/0"
    assert second["DATABASE_OWNER_URL"] == "postgresql://o:p@127.0.0.1:1/handrail_test_gw1"
    assert second["DATABASE_WORKER_URL"] == "postgresql://k:p@127.0.0.1:1/handrail_test_gw1"
    assert second["REDIS_URL"] == "redis://:p@127.0.0.1:2/2"


@pytest.mark.parametrize("absent", ["", "none"])
def test_without_a_broker_none_is_made_up(absent: str) -> None:
    assert "REDIS_URL" not in own_variables({**URLS, "REDIS_URL": absent})


@pytest.mark.parametrize("name", ["handrail", "postgres", "test_handrail", "handrail_tests"])
def test_only_a_test_database_may_be_dropped(name: str) -> None:
    with pytest.raises(ValueError, match="handrail_test_"):
        create_empty_database(name)


def test_a_database_is_made_anew_although_somebody_is_connected() -> None:
    name = f"{pytest_servers.database_name()}_anew"
    first = create_empty_database(name)
    with psycopg.connect(first.owner) as connection:
        connection.execute("CREATE TABLE old ()")
    with psycopg.connect(first.web) as left_open:
        second = create_empty_database(name)
        with pytest.raises(psycopg.OperationalError):
            left_open.execute("SELECT 1")
    assert second == first
    with psycopg.connect(second.web) as connection:
        assert connection.execute("SELECT to_regclass('old')").fetchone() == (None,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE mine ()")


def arguments(folder: Path) -> list[str]:
    options = ["-p", "local.pytest_servers", "-p", "no:django", "-p", "no:cacheprovider"]
    return ["-m", "pytest", "-c", os.devnull, f"--rootdir={folder}", *options, "-q", "-n", "2"]


def test_two_workers_share_servers_but_no_database(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    seen.mkdir()
    (tmp_path / "test_it.py").write_text(TEST.format(seen=str(seen), nap=0.1))
    clean = {name: value for name, value in os.environ.items() if name not in SERVER_VARIABLES}
    ran = subprocess.run(
        [sys.executable, *arguments(tmp_path), str(tmp_path)],
        env={**clean, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    first, second = ((seen / name).read_text().split() for name in ("gw0", "gw1"))
    assert first[:3] == ["handrail_test_gw0", "/1", "test"]
    assert second[:3] == ["handrail_test_gw1", "/2", "test"]
    assert first[3] == second[3]


def test_kill_9_of_pytest_leaves_no_server(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TEST.format(seen=str(tmp_path), nap=60))
    code = (
        "import os, sys, pytest\n"
        f"[os.environ.pop(name, None) for name in {SERVER_VARIABLES!r}]\n"
        f"pytest.main({[*arguments(tmp_path)[2:], str(tmp_path)]!r})\n"
    )
    controller = start_python(tmp_path, code)
    assert wait_for(lambda: (tmp_path / "gw0").exists(), seconds=30)
    children = Path(f"/proc/{controller.pid}/task/{controller.pid}/children").read_text()
    pids = [int(pid) for pid in children.split()]
    names = {Path(f"/proc/{pid}/comm").read_text().strip() for pid in pids}
    assert {"postgres", "valkey-server"} <= names
    kill(controller)
    servers = [pid for pid in pids if is_alive(pid)]
    assert wait_for(lambda: not any(is_alive(pid) for pid in servers), seconds=30)


def test_half_of_the_database_addresses_is_refused(tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if name not in SERVER_VARIABLES}
    ran = subprocess.run(
        [sys.executable, *arguments(tmp_path), str(tmp_path)],
        env={**clean, "PYTHONPATH": str(ROOT), "DATABASE_URL": URLS["DATABASE_URL"]},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert "DATABASE_OWNER_URL" in ran.stderr
