"""What runs inside a copy of the project for the bench of the sweepers.

python -m bench.faults.sweeping fill COUNT
python -m bench.faults.sweeping sweep STOP_FILE
python -m bench.faults.sweeping acknowledge SHARE
"""

from __future__ import annotations

import bench.environment  # noqa: F401 - loads Django, so it comes first

# isort: split
import random
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from backend.accounts.actor import Actor, Role
from backend.accounts.models import Patient
from backend.aftercare.ladder import snapshot_for
from backend.aftercare.models import Alert, Condition
from backend.aftercare.services import acknowledge_alert, escalate_due
from backend.notifications.selectors import database_now

_SPREAD_S = 20.0


def fill(count: str) -> None:
    """That many open critical alerts, each overdue on the first level of its ladder."""
    now = datetime.now(UTC)
    patients = list(Patient.objects.select_related("organisation").order_by("pk"))
    rows = []
    for number in range(int(count)):
        patient = patients[number % len(patients)]
        rows.append(
            Alert(
                patient=patient,
                condition=list(Condition)[number // len(patients)],
                severity="critical",
                opened_at=now,
                evidence_at=now,
                due_at=now + timedelta(minutes=15),
                level_due_at=now - timedelta(seconds=1),
                **snapshot_for(patient, now=now).columns(),
                first_on=now.date(),
                last_on=now.date(),
            )
        )
    Alert.objects.bulk_create(rows)


def sweep(stop_file: str) -> None:
    """Escalates what is overdue, again and again, until the file is there."""
    while not Path(stop_file).exists():
        if not escalate_due(now=database_now()):
            time.sleep(0.05)


def acknowledge(share: str) -> None:
    """Says of that share of the alerts, spread over some seconds, that somebody has seen them."""
    dice = random.Random(5)
    chosen = [row for row in Alert.objects.order_by("pk") if dice.random() < float(share)]
    dice.shuffle(chosen)
    for alert in chosen:
        acknowledge_alert(
            actor=Actor(user_id=UUID(alert.ladder[0][0]), role=Role.CLINICIAN),
            patient_id=alert.patient_id,
            alert_id=alert.pk,
            act_id=uuid4(),
            now=database_now(),
        )
        time.sleep(_SPREAD_S / len(chosen))


COMMANDS: Mapping[str, Callable[[str], None]] = {
    "fill": fill,
    "sweep": sweep,
    "acknowledge": acknowledge,
}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](sys.argv[2])
