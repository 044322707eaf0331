"""The same people as the bench's, in the stock project's own tables."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime, timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.stock.check_in.settings")
django.setup()

# isort: split
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402

from bench.stock.check_in import models  # noqa: E402


def fill(*, people: int, history_days: int, history_ends_days_ago: int, per_therapist: int) -> None:
    """Patients numbered from 1, their tokens `bench-token-<number>`, a history, an open alert."""
    # Twice: what comes without migrations, here the app itself, would be made before what has some.
    call_command("migrate", verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)
    now = datetime.now(UTC)
    organisation = models.Organisation.objects.create(name="Bench", time_zone="America/New_York")
    staff = [
        _clinician(organisation, number + 1) for number in range(max(people // per_therapist, 1))
    ]
    users = User.objects.bulk_create(
        User(username=f"patient-{n}", password="!") for n in range(1, people + 1)
    )
    Token.objects.bulk_create(
        Token(user=user, key=f"bench-token-{n}") for n, user in enumerate(users, 1)
    )
    patients = models.Patient.objects.bulk_create(
        models.Patient(
            user=user,
            organisation=organisation,
            given_name=user.username,
            country="US",
            time_zone="America/New_York",
            enrolled_at=now - timedelta(days=120),
        )
        for user in users
    )
    models.CareTeamMember.objects.bulk_create(
        models.CareTeamMember(
            patient=patient, clinician=staff[n % len(staff)], started_on=now.date()
        )
        for n, patient in enumerate(patients)
    )
    models.Alert.objects.bulk_create(
        models.Alert(
            patient=patient,
            condition="craving",
            severity="high",
            opened_at=now,
            evidence_at=now,
            due_at=now,
        )
        for patient in patients
    )
    _fill_history(history_days, history_ends_days_ago)


def _clinician(organisation: models.Organisation, number: int) -> models.Clinician:
    user = User.objects.create(username=f"therapist-{number}", password="!")
    models.Device.objects.create(user=user, push_target=f"bench-{number}")
    return models.Clinician.objects.create(
        user=user, organisation=organisation, display_name=f"Therapist {number}"
    )


def _fill_history(days: int, ends_days_ago: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO stock_checkin (id, patient_id, kind, local_date, recorded_at,"
            " received_at, time_zone, is_late, revision, mood, craving, confidence, sleep_hours,"
            " exercise_kind, use_substances, withdrawal_substances, withdrawal_symptoms, not_safe,"
            " cues, helped, note, note_shared)"
            " SELECT gen_random_uuid(), id, 'daily', at::date, at, at, '', false, 1, 6, 3, 7, 7,"
            " '', '{}', '{}', '{}', false, '{}', '{}', '', false"
            " FROM generate_series(1, %(days)s) AS day,"
            " LATERAL (SELECT now() - (%(gap)s + %(days)s - day) * interval '1 day' AS at) AS m,"
            " stock_patient ORDER BY day",
            {"days": days, "gap": ends_days_ago},
        )
        cursor.execute("VACUUM ANALYZE")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("people", "history-days", "history-ends-days-ago", "per-therapist"):
        parser.add_argument(f"--{name}", type=int, required=True)
    fill(**vars(parser.parse_args()))
