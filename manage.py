#!/usr/bin/env python
"""Django's entry point. Commands that change the schema connect as the owner role.

Beside a system that `make run` started, it finds the environment and the addresses by itself.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OWNER_COMMANDS = {"migrate", "makemigrations", "sqlmigrate", "showmigrations"}


def use_own_environment() -> None:
    """Any Python will do to call this file: the project's own takes over where it lacks Django."""
    own = ROOT / ".venv" / "bin" / "python"
    if importlib.util.find_spec("django") is None and own.exists():
        os.execv(own, [str(own), *sys.argv])  # noqa: S606 - our own interpreter, our own arguments


def use_running_system() -> None:
    """Takes the addresses of the system on this state folder where none are given."""
    given = Path(os.environ.get("HANDRAIL_STATE") or ROOT / ".state") / "manage.json"
    if {"DATABASE_URL", "DATABASE_URL_FILE"} & os.environ.keys() or not given.exists():
        return
    for name, value in json.loads(given.read_text()).items():
        os.environ.setdefault(name, value)


def main() -> None:
    use_own_environment()
    use_running_system()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")
    if len(sys.argv) > 1 and sys.argv[1] in OWNER_COMMANDS:
        os.environ["HANDRAIL_DATABASE_ROLE"] = "owner"
    from django.core.management import execute_from_command_line

    from backend.row_security import acting_as, acting_as_system

    # The owner sees every row as it is, and some of its statements stand in no transaction.
    is_owner = os.environ.get("HANDRAIL_DATABASE_ROLE") == "owner"
    with acting_as(None) if is_owner else acting_as_system("command"):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
