"""A diary becomes patients and check-ins, once, and what cannot be read is told by its line."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import time_machine
from django.core.management.base import CommandError

from backend.accounts.models import AuditEvent, CareTeamMember, Patient
from backend.intake.diaries import importing
from backend.tracking.models import CheckIn
from tests.intake.import_diary_files import (
    GOOD,
    LOW,
    MAPPING,
    MIDDLE,
    NEW_YORK,
    Import,
    counted,
    diary_text,
    everything,
    imported,
    row,
    yesterday,
)
from tests.people import People


@pytest.fixture
def diary(people: People, tmp_path: Path) -> Import:
    # The organisation has two therapists, so one is named.
    return Import(tmp_path, people.organisation, {"therapist": people.therapist.user.email})


def test_people_and_days_go_in_with_their_values(people: People, diary: Import) -> None:
    diary.write([row("a", 1, GOOD, 7.6), row("a", 2, MIDDLE), row("a", 5, LOW), row("b", 1)])
    printed = diary.run()
    patient = Patient.objects.get(external_ref="evening:a")
    assert (patient.given_name, patient.organisation) == ("Evening 01", people.organisation)
    assert (patient.user, patient.enrolled_at) == (None, None)
    stored = imported()
    assert [day.mood for day in stored] == [8, 5, 2]
    assert [day.sleep_hours for day in stored] == [Decimal("7.50")] * 3
    assert {(day.craving, day.use_reported, day.note) for day in stored} == {(None, None, "")}
    assert {(day.source, day.kind, day.time_zone) for day in stored} == {
        ("import", "daily", "America/New_York")
    }
    assert counted(printed)["days without a row"] == 2
    assert [day.local_date for day in stored] == [
        yesterday() - timedelta(days=back) for back in (4, 3, 0)
    ]
    assert stored[-1].recorded_at == datetime.combine(yesterday(), time(20), tzinfo=NEW_YORK)


def test_by_default_the_files_last_day_is_yesterday_and_people_stay_in_step(diary: Import) -> None:
    diary.write([row("a", 1), row("a", 2), row("b", 1), row("b", 9)])
    diary.run()
    assert imported("a")[0].local_date == imported("b")[0].local_date
    assert imported("b")[-1].local_date == yesterday()


def test_each_persons_last_day_may_be_yesterday(diary: Import) -> None:
    mapping = MAPPING.replace('column = "day"', 'column = "day"\nanchor = "person"')
    diary.write([row("a", 1), row("a", 2), row("b", 1), row("b", 9)], mapping=mapping)
    diary.run()
    assert imported("a")[-1].local_date == imported("b")[-1].local_date == yesterday()


def test_dates_keep_their_distances_and_an_anchor_may_be_named(diary: Import) -> None:
    mapping = MAPPING.replace('column = "day"', 'column = "day"\nformat = "%d.%m.%Y"')
    diary.write([row("a", "27.02.2020"), row("a", "01.03.2020")], mapping=mapping)
    diary.run(anchor_date=date(2026, 3, 1))
    assert [day.local_date for day in imported()] == [date(2026, 2, 26), date(2026, 3, 1)]


def test_every_stored_thing_is_audited(people: People, diary: Import) -> None:
    diary.write([row("a", 1), row("a", 2)])
    diary.run()
    rows = AuditEvent.objects.filter(actor_name="import_diary", actor_role="system")
    patient = Patient.objects.get(external_ref="evening:a")
    for action, count in (("patient.add", 1), ("care_team.join", 1), ("check_in.store", 2)):
        found = rows.filter(action=action, patient_id=patient.pk)
        assert found.count() == count, action
    tie = CareTeamMember.objects.get(patient=patient)
    assert (tie.clinician, tie.role) == (people.therapist, "therapist")


def test_a_second_import_changes_nothing_and_says_so(diary: Import) -> None:
    diary.write([row("a", day, LOW) for day in range(1, 40)] + [row("b", 3)])
    first = counted(diary.run())
    assert (first["stored now"], first["already there"]) == (40, 0)
    before = everything()
    printed = diary.run()
    assert "Nothing changed" in printed
    second = counted(printed)
    assert (second["stored now"], second["already there"], second["bad rows"]) == (0, 40, 0)
    assert everything() == before


def test_on_a_later_day_what_is_there_keeps_its_dates(diary: Import) -> None:
    mapping = MAPPING.replace('column = "day"', 'column = "day"\nanchor = "person"')
    diary.write([row("a", 1), row("a", 2)], mapping=mapping)
    diary.run()
    before = [day.local_date for day in imported()]
    diary.write([row("a", 1), row("a", 2), row("a", 3)], mapping=mapping)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=3), tick=False):
        printed = diary.run()
        assert counted(printed)["stored now"] == 1
        assert [day.local_date for day in imported()] == [*before, before[-1] + timedelta(days=1)]
        with pytest.raises(CommandError, match="is there already, with its last day on"):
            diary.run(anchor_date=before[0])


def test_people_who_are_new_on_a_later_day_stay_in_step_with_the_others(diary: Import) -> None:
    diary.write([row("a", 1), row("a", 2)])
    diary.run()
    diary.write([row("a", 1), row("a", 2), row("b", 2)])
    with time_machine.travel(datetime.now(UTC) + timedelta(days=3), tick=False):
        diary.run()
    assert imported("b")[0].local_date == imported("a")[1].local_date


def test_zero_filled_days_and_zero_sleep_are_missing(diary: Import) -> None:
    empty = ["a", 2, 0, 0, 0, 8.2, 999]
    blank = ["a", 3, "", "NA", "0.0", 8.2, 999]
    diary.write([row("a", 1), empty, blank, row("a", 4, (0, 0), 0), ["b", 1, 0, 0, 0, 7, 5]])
    counts = counted(diary.run())
    assert (counts["reported days"], counts["unreported days"], counts["people"]) == (2, 3, 2)
    assert [(day.mood, day.sleep_hours) for day in imported()] == [(8, Decimal("7.50")), (5, None)]
    assert not imported("b")  # still a patient, of whom nothing is known
    assert Patient.objects.filter(external_ref="evening:b").exists()
    assert counts["trend unknown"] == 2


def test_a_dry_run_says_the_same_and_stores_nothing(diary: Import) -> None:
    diary.write([row("a", 1), row("a", 2), row("b", "never")])
    before = everything()
    printed = diary.run(dry_run=True)
    counts = counted(printed)
    assert (counts["would be stored"], counts["people"], counts["bad rows"]) == (2, 1, 1)
    assert "dry run" in printed
    assert everything() == before


def test_a_file_that_is_not_sorted_by_person_gives_the_same(diary: Import) -> None:
    diary.write([row("a", 3), row("b", 1), row("a", 1), row("b", 2), row("a", 2)])
    assert counted(diary.run())["stored now"] == 5
    assert (len(imported("a")), len(imported("b"))) == (3, 2)
    assert counted(diary.run())["already there"] == 5


@pytest.mark.parametrize("delimiter", [",", ";", "|", "\t"])
def test_the_delimiter_is_found_and_gzip_is_opened(diary: Import, delimiter: str) -> None:
    text = diary_text([row("a", 1), row("a", 2)], delimiter)
    diary.write_text("\ufeff" + text, packed=delimiter == "|")
    assert counted(diary.run())["stored now"] == 2


def test_a_long_history_goes_in_by_parts(diary: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "DAYS_AT_ONCE", 7)
    diary.write([row("a", day) for day in range(1, 31)])
    counts = counted(diary.run())
    assert (counts["stored now"], counts["people"]) == (30, 1)
    assert len(imported()) == 30


def test_another_organisation_is_untouched_and_may_import_the_same(
    people: People, diary: Import
) -> None:
    diary.write([row("a", 1), row("a", 2)])
    diary.run()
    elsewhere = people.elsewhere_therapist.organisation
    others = Patient.objects.filter(organisation=elsewhere)
    assert others.count() == 1
    second = Import(diary.folder, elsewhere)  # it has one therapist, who is taken
    assert counted(second.run())["stored now"] == 2
    assert others.count() == 2
    tie = CareTeamMember.objects.get(patient__organisation=elsewhere, patient__user=None)
    assert tie.clinician == people.elsewhere_therapist
    assert CheckIn.objects.filter(patient__organisation=people.organisation).count() == 2


def test_a_tie_that_was_ended_is_not_made_again(people: People, diary: Import) -> None:
    diary.write([row("a", 1)])
    diary.run()
    CareTeamMember.objects.filter(patient__external_ref="evening:a").delete()
    diary.write([row("a", 1), row("a", 2)])
    diary.run()
    assert not CareTeamMember.objects.filter(patient__external_ref="evening:a").exists()


def test_the_progress_is_plain_lines_where_no_terminal_is(
    diary: Import, capsys: pytest.CaptureFixture[str]
) -> None:
    diary.write([row("a", 1)])
    diary.run()
    told = capsys.readouterr().err
    assert "100%  1 of 1 people, 1 days" in told
    assert "\r" not in told
