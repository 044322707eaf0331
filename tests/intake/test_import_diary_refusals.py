"""What of a diary is left out, told by its line, and what is refused before anything is stored."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError

from tests.intake.import_diary_files import (
    LOW,
    MAPPING,
    Import,
    counted,
    diary_text,
    everything,
    imported,
    row,
    yesterday,
)
from tests.people import People, make_clinician


@pytest.fixture
def diary(people: People, tmp_path: Path) -> Import:
    return Import(tmp_path, people.organisation, {"therapist": people.therapist.user.email})


def test_a_day_that_is_not_over_is_left_out(diary: Import) -> None:
    diary.write([row("a", 1)])
    diary.run()
    diary.write([row("a", 1), row("a", 2)])
    assert counted(diary.run())["bad rows"] == 1
    assert len(imported()) == 1


def test_a_day_that_stands_with_other_content_is_told_and_kept(
    diary: Import, capsys: pytest.CaptureFixture[str]
) -> None:
    diary.write([row("a", 1), row("a", 2)])
    diary.run()
    diary.write([row("a", 1), row("a", 2, LOW)])
    assert counted(diary.run())["bad rows"] == 1
    assert "line 3: this day is stored with other content" in capsys.readouterr().err
    assert [day.mood for day in imported()] == [8, 8]


def test_a_changed_reference_does_not_take_over_somebodys_days(
    diary: Import, capsys: pytest.CaptureFixture[str]
) -> None:
    diary.write([row("a", 1)])
    diary.run()
    diary.write([row("a", 1)], mapping=MAPPING.replace("evening:", "other:"))
    assert counted(diary.run())["stored now"] == 0
    assert "belongs to another patient" in capsys.readouterr().err
    assert len(imported()) == 1


def test_bad_rows_are_told_by_line_and_the_good_ones_go_in(
    diary: Import, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        *diary_text([row("a", 1)]).splitlines(),
        "a\t2\ttoo\tfew",
        "\t3\t1\t0\t1\t7\t1",
        "a\tsoon\t1\t0\t1\t7\t1",
        "a\t4\tverymuch\t0\t1\t7\t1",
        "a\t5\t9\t0\t1\t7\t1",
        "a\t6\t1\t0\t1\t31\t1",
        "a\t1\t1\t0\t1\t7\t1",
        'a\t7\t1\t0\t1\t"7"x\t1',
        "a\t900000\t1\t0\t1\t7\t1",
        "a\t8\t1\t0\t1\t7\t1",
        "",
        "b\t8\t1\t0\t1\t7\t1",
    ]
    diary.write_text("\n".join(lines) + "\n")
    counts = counted(diary.run())
    assert (counts["people"], counts["stored now"], counts["bad rows"]) == (2, 3, 9)
    told = dict(
        line.removeprefix("line ").split(": ", 1)
        for line in capsys.readouterr().err.splitlines()
        if line.startswith("line ")
    )
    assert sorted(told, key=int) == [str(line) for line in range(3, 12)]
    assert told["3"] == "has 4 columns, the header has 7"
    assert told["4"] == "who: not an id"
    assert told["5"] == "day: not a day"
    assert told["6"] == "good: not a number"
    assert told["7"] == "good, bad: beyond the ends of its scale"
    assert told["8"] == "slept: beyond the ends of its scale"
    assert told["9"] == "is the same day as line 2"
    assert told["10"].startswith("is not well-formed")
    assert told["11"].endswith("from this person's other days")
    assert "verymuch" not in "".join(told.values())


def test_a_good_row_counts_where_an_earlier_one_of_its_day_was_bad(diary: Import) -> None:
    diary.write([row("a", 1, ("x", 0)), row("a", 1)])
    counts = counted(diary.run())
    assert (counts["stored now"], counts["bad rows"]) == (1, 1)


def test_what_is_asked_for_wrongly_is_said_before_anything_is_stored(
    people: People, diary: Import
) -> None:
    diary.write([row("a", 1)])
    before = everything()
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"organisation": "Nowhere"}, "no such organisation. These are there: Hillside, Riverside"),
        ({"therapist": None}, "has several therapists: name one with --therapist"),
        ({"therapist": people.elsewhere_therapist.user.email}, "no clinician of this organisation"),
        ({"anchor_date": yesterday() + timedelta(days=1)}, "so before today"),
        ({"map": diary.folder / "none.toml"}, "cannot be read"),
    ]
    for options, message in wrong:
        with pytest.raises(CommandError, match=message):
            diary.run(**options)
    assert everything() == before


def test_files_that_cannot_be_read_are_refused_whole(diary: Import) -> None:
    before = everything()
    whole = diary_text([row("a", day) for day in range(400)])
    diary.write_text(whole, packed=True)
    cut = diary.file.read_bytes()[:-200]
    diary.file.write_bytes(cut)
    with pytest.raises(CommandError, match="cannot be read: Compressed file ended"):
        diary.run()
    diary.write_text(whole.replace("slept", "rested", 1))
    with pytest.raises(CommandError, match=r"has no column slept; it has: who, day.*rested"):
        diary.run()
    diary.write([row("", 1), row("a", "x")])
    with pytest.raises(CommandError, match="none of its 2 rows could be read"):
        diary.run()
    diary.file.unlink()
    with pytest.raises(CommandError, match="No such file"):
        diary.run()
    assert everything() == before


def test_an_organisation_may_be_named_unless_two_have_that_name(
    people: People, diary: Import
) -> None:
    diary.write([row("a", 1)])
    assert counted(diary.run(organisation="Riverside"))["stored now"] == 1
    make_clinician(people.organisation, "zoe")
    people.elsewhere_patient.organisation.name = "Riverside"
    people.elsewhere_patient.organisation.save()
    with pytest.raises(CommandError, match="2 organisations of that name: use an id"):
        diary.run(organisation="Riverside")
