"""Each rule about imports is held: a forbidden import, planted in a copy, is caught."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.architecture.source import PACKAGES, ROOT

LINTER = Path(sys.executable).parent / "lint-imports"


class Plant(NamedTuple):
    """A line that must not stand at the end of that file, and the contract that says so."""

    contract: str
    file: str
    line: str


PLANTS = (
    Plant("areas", "backend/tracking/services.py", "import backend.aftercare.selectors"),
    Plant("areas", "backend/aftercare/policy.py", "import backend.intake.bodies"),
    Plant("areas", "backend/notifications/models.py", "import backend.tracking.models"),
    Plant("areas", "backend/accounts/selectors.py", "import backend.notifications.push"),
    Plant("areas", "backend/rest.py", "import backend.accounts.actor"),
    Plant("areas", "backend/errors.py", "import backend.rest"),
    Plant("areas", "backend/errors.py", "import backend.queue"),
    Plant("areas", "backend/intake/bodies.py", "import backend.urls"),
    Plant("areas", "backend/accounts/tokens.py", "def late():\n    import backend.tracking.models"),
    Plant("areas", "backend/notifications/models.py", "import backend.program.models"),
    Plant("areas", "backend/intake/services.py", "import backend.privacy.services"),
    Plant("areas", "backend/privacy/services.py", "import backend.dashboard.views"),
    Plant("areas", "backend/dashboard/views.py", "import backend.fhir.views"),
    Plant("areas", "backend/somewhere.py", ""),
    Plant("inside", "backend/aftercare/selectors.py", "import backend.aftercare.services.alerts"),
    Plant("inside", "backend/tracking/models.py", "import backend.tracking.selectors"),
    Plant("inside", "backend/intake/services.py", "import backend.intake.api"),
    Plant("inside", "backend/accounts/services/devices.py", "import backend.accounts.api"),
    Plant("inside", "backend/notifications/selectors.py", "import backend.notifications.services"),
    Plant("inside", "backend/dashboard/services.py", "import backend.dashboard.views.caseload"),
    Plant("no-worker", "backend/queue.py", "import worker.app"),
    Plant("celery", "backend/notifications/services/queueing.py", "import celery"),
    Plant("celery", "backend/logs.py", "from kombu import Queue"),
    Plant("twilio", "worker/channels/sms.py", "import twilio.rest"),
    Plant("twilio", "backend/notifications/selectors.py", "import twilio"),
    Plant("web-push", "worker/channels/push.py", "import pywebpush"),
    Plant("areas", "backend/privacy/chain.py", "import backend.operations.invariants"),
    Plant("firebase", "backend/notifications/push.py", "import firebase_admin"),
    Plant("firebase", "worker/relay.py", "from firebase_admin import messaging"),
    Plant("pure", "backend/tracking/trends/ewma.py", "from django.utils import timezone"),
    Plant("pure", "backend/aftercare/decision_rules.py", "import backend.accounts.models"),
    Plant("pure", "backend/aftercare/policy.py", "import celery"),
    Plant("pure", "backend/aftercare/monitoring_hours.py", "from django.conf import settings"),
    Plant("pure", "backend/aftercare/schedules.py", "import backend.aftercare.models"),
    Plant("pure", "backend/aftercare/coping.py", "import django"),
    Plant("pure", "backend/aftercare/back_off.py", "import celery"),
    Plant("pure", "backend/notifications/budgets.py", "from django.conf import settings"),
    Plant("pure", "backend/notifications/quiet_hours.py", "import rest_framework"),
    Plant("pure", "backend/notifications/push.py", "import backend.queue"),
    Plant("pure", "backend/notifications/delivery_rules.py", "import django"),
    Plant("domain", "backend/tracking/services.py", "from rest_framework.request import Request"),
    Plant("domain", "backend/aftercare/selectors.py", "import backend.rest"),
    Plant("domain", "backend/accounts/models/people.py", "import backend.accounts.authentication"),
    Plant("rest", "backend/aftercare/promise.py", "import backend.rest"),
    Plant("rest", "backend/accounts/access.py", "from backend.permissions import ANONYMOUS"),
    Plant("rest", "worker/relay.py", "import backend.openapi"),
    Plant("framework", "backend/aftercare/ladder.py", "from rest_framework import status"),
    Plant("tools", "backend/accounts/demo.py", "import tests.people"),
    Plant("tools", "worker/loop.py", "from local import launch"),
    Plant("tools", "backend/intake/bodies.py", "import bench"),
)


def lint(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(LINTER), "--no-cache", "--no-logo", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources as they stand, with the linter's configuration."""
    folder = tmp_path_factory.mktemp("copy")
    unwanted = shutil.ignore_patterns("__pycache__", "data", "locale", "static", "node_modules")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=unwanted)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.fixture
def planted(copy: Path, request: pytest.FixtureRequest) -> Iterator[Plant]:
    """Adds the line, in a file and an area of its own where there is none, and takes it back."""
    plant: Plant = request.param
    file = copy / plant.file
    before = file.read_bytes() if file.exists() else None
    made_area = not file.parent.exists()
    file.parent.mkdir(exist_ok=True)
    (file.parent / "__init__.py").touch()
    needed = _missing_target(copy, plant.line)
    file.write_bytes((before or b"") + f"\n{plant.line}\n".encode())
    yield plant
    if needed is not None:
        shutil.rmtree(needed)
    if made_area:
        shutil.rmtree(file.parent)
    elif before is None:
        file.unlink()
    else:
        file.write_bytes(before)


def _missing_target(copy: Path, line: str) -> Path | None:
    """Makes the area that an import names, when it is still to come; returns it if it did so."""
    parts = line.removeprefix("import ").split(".")
    if len(parts) != 3 or (copy / "backend" / parts[1]).exists():
        return None
    area = copy / "backend" / parts[1]
    area.mkdir()
    (area / "__init__.py").touch()
    (area / f"{parts[2]}.py").touch()
    return area


def test_the_code_keeps_every_rule(copy: Path) -> None:
    finished = lint(copy)
    assert finished.returncode == 0, finished.stdout
    assert " 0 broken" in finished.stdout


@pytest.mark.parametrize("planted", PLANTS, indirect=True, ids=lambda p: f"{p.contract}:{p.file}")
def test_a_planted_import_is_caught(copy: Path, planted: Plant) -> None:
    finished = lint(copy, "--contract", planted.contract)
    assert finished.returncode == 1, finished.stdout
    assert "BROKEN" in finished.stdout
    module = planted.file.removesuffix(".py").replace("/", ".")
    shown = "".join(finished.stdout.split())
    assert module.removeprefix("backend.").replace("backend.", "") in shown


def test_every_rule_has_a_plant() -> None:
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = configuration["tool"]["importlinter"]["contracts"]
    assert {contract["id"] for contract in contracts} == {plant.contract for plant in PLANTS}
