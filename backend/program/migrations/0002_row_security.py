"""Row-level security on the treatment that a patient attends."""

from __future__ import annotations

from django.db import migrations

from backend.postgresql.row_policies import cover, cover_through, uncover

COVERED = {
    "program_episodeofcare": cover("program_episodeofcare"),
    "program_phase": cover_through("program_phase", "episode_id", "program_episodeofcare"),
    "program_sessionseries": cover("program_sessionseries"),
    "program_programsession": cover("program_programsession"),
    "program_attendance": cover("program_attendance"),
    "program_drugtest": cover("program_drugtest"),
}


class Migration(migrations.Migration):
    dependencies = [
        ("program", "0001_treatment_attended"),
        ("accounts", "0009_row_security"),
    ]

    operations = [
        migrations.RunSQL(sql=sql, reverse_sql=uncover(table)) for table, sql in COVERED.items()
    ]
