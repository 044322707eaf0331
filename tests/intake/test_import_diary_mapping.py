"""The mapping: honest numbers, and a clear refusal of what cannot be meant."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from backend.intake.diaries.answers import Reader, Unreadable
from backend.intake.diaries.mapping import MappingError, load_mapping, parse_mapping
from tests.intake.import_diary_files import MAPPING

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "diaries"


def read_one(item: str, values: dict[str, str], *, name: str = "mood", file: str = "") -> Any:
    """The item that a mapping of it alone makes of these values."""
    head = MAPPING.split("[unreported]")[0]
    document = tomllib.loads(f"{head}\n{file}\n[items.{name}]\n{item}")
    answers = Reader(parse_mapping(document)).read(values)
    return answers.items[name] if answers.items else None


@pytest.mark.parametrize(
    ("raw", "mood"),
    [("-3", 0), ("-2", 2), ("-1", 3), ("0", 5), ("1", 7), ("2", 8), ("3", 10), ("0.5", 6)],
)
def test_a_scale_is_mapped_in_a_straight_line_and_rounded(raw: str, mood: int) -> None:
    assert read_one('column = "x"\nfrom = [-3, 3]', {"x": raw}) == mood


def test_a_scale_may_run_the_other_way() -> None:
    assert read_one('column = "x"\nfrom = [4, 0]\nto = [0, 10]', {"x": "4"}) == 0
    assert read_one('column = "x"\nfrom = [4, 0]\nto = [0, 10]', {"x": "1"}) == 8


@pytest.mark.parametrize(
    ("raw", "hours"),
    [("7.6", 7.5), ("7.625", 7.75), ("10.0917", 10.0), ("1.5833", 1.5), ("0.1", 0.0), ("24", 24.0)],
)
def test_sleep_is_rounded_to_quarter_hours(raw: str, hours: float) -> None:
    assert read_one('column = "x"\nunit = "hours"', {"x": raw}, name="sleep_hours") == hours


def test_durations_are_converted() -> None:
    assert read_one('column = "x"\nunit = "minutes"', {"x": "400"}, name="sleep_hours") == 6.75
    hours = 'column = "x"\nunit = "hours"'
    assert read_one(hours, {"x": "1.5"}, name="exercise_minutes") == 90


def test_what_lies_beyond_a_scale_is_clipped_only_where_the_mapping_says_so() -> None:
    scale = 'column = "x"\nfrom = [0, 4]'
    with pytest.raises(Unreadable, match="x: beyond the ends"):
        read_one(scale, {"x": "5"})
    assert read_one(f"{scale}\nclip = true", {"x": "5"}) == 10
    assert read_one(f"{scale}\nclip = true", {"x": "-1"}) == 0


@pytest.mark.parametrize(
    ("how", "mood"), [("sum", 8), ("difference", 4), ("mean", 4), ("lowest", 2), ("highest", 6)]
)
def test_columns_are_combined(how: str, mood: int) -> None:
    item = f'columns = ["x", "y"]\ncombine = "{how}"'
    assert read_one(item, {"x": "6", "y": "2"}) == mood
    assert read_one(item, {"x": "6", "y": "NA"}) is None


def test_missing_is_missing_however_it_is_written() -> None:
    item = 'column = "x"\nmissing = [0, "none"]'
    for text in ("", "NA", "0", "0.0", "-0", "none"):
        assert read_one(item, {"x": text}) is None
    assert read_one(item, {"x": "1"}) == 1


@pytest.mark.parametrize("text", ["nan", "inf", "1_0", "0x1", "٣", "1e999", "5 points", "9" * 99])
def test_what_is_no_number_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(Unreadable, match="x: not a number"):
        read_one('column = "x"', {"x": text}, file='[file]\nmissing = [""]')


def test_a_decimal_comma_is_read_where_it_is_the_files() -> None:
    item = 'column = "x"\nunit = "hours"'
    assert read_one(item, {"x": "7,25"}, name="sleep_hours", file='[file]\ndecimal = ","') == 7.25
    with pytest.raises(Unreadable):
        read_one(item, {"x": "7,25"}, name="sleep_hours")


def test_answers_flags_and_texts_are_read() -> None:
    yes_no = 'column = "x"\nanswers = { 1 = true, 0 = false }'
    assert read_one(yes_no, {"x": "1.0"}, name="use_reported") is True
    assert read_one(yes_no, {"x": "0"}, name="use_reported") is False
    with pytest.raises(Unreadable, match="without a meaning"):
        read_one(yes_no, {"x": "2"}, name="use_reported")
    flags = 'flags = { drank = "alcohol", smoked = "nicotine" }'
    assert read_one(flags, {"drank": "1", "smoked": "0"}, name="use_substances") == ["alcohol"]
    assert read_one('column = "x"', {"x": "A walk."}, name="note") == "A walk."
    with pytest.raises(Unreadable, match="not a text"):
        read_one('column = "x"', {"x": "a\x00b"}, name="note")


def test_a_constant_alone_is_no_answer() -> None:
    document = tomllib.loads(MAPPING + '[items.exercise_kind]\nvalue = "walk"')
    reader = Reader(parse_mapping(document))
    empty = {"good": "NA", "bad": "NA", "drinks": "1", "slept": "0"}
    assert reader.read(empty).items is None
    said = reader.read({**empty, "slept": "6"}).items
    assert said == {"exercise_kind": "walk", "sleep_hours": 6.0}


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("[items.mood]", "[items.happiness]", "items.happiness: is not an item of the check-in"),
        ("from = [-3, 3]", "from = [3, 3]", "items.mood: from needs two different ends"),
        ("from = [-3, 3]", "from = [-3, 3]\nto = [0, 11]", "to goes from 0 to 10 at most"),
        ("from = [-3, 3]", "form = [-3, 3]", "unknown field `form`"),
        ("from = [-3, 3]", "from = [-3]", "at `$.items"),
        ('combine = "sum"', "", "columns and combine belong together"),
        ('combine = "sum"', 'combine = "guess"', "Invalid enum value 'guess'"),
        ('combine = "sum"', 'combine = "sum"\nvalue = 3', "exactly one of column, columns"),
        ('unit = "hours"', "", "items.sleep_hours: needs its unit: hours or minutes"),
        ("adults = true", "adults = false", "person.adults: Handrail is for adults"),
        ("Evening {number:02d}", "Evening", "person.given_name: needs"),
        ("Evening {number:02d}", "{number.__class__}", "person.given_name: needs"),
        ('"evening:"', '""', "person.reference: needs a prefix"),
        ('"evening-study"', '" "', "source: needs a name"),
        ("[day]", '[file]\nencoding = "utf-99"\n[day]', "file.encoding: is not known"),
        ("[day]", '[file]\ndelimiter = "||"\n[day]', "file.delimiter: is one character"),
        ("[items.mood]", '[items.use_reported]\ncolumn = "x"\n[items.mood]', "needs answers"),
        (
            "[items.mood]",
            '[items.use_substances]\nflags = { x = "tea" }\n[items.mood]',
            "is no answer to it: Invalid enum value 'tea'",
        ),
        ("[items.mood]", "[items.craving]\nvalue = 99\n[items.mood]", "99 is no answer to it"),
        ("[day]", "[day", "is not TOML"),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    assert before in MAPPING
    path = tmp_path / "mapping.toml"
    path.write_text(MAPPING.replace(before, after))
    with pytest.raises(MappingError) as refused:
        load_mapping(path)
    assert message in str(refused.value)


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(MAPPING.replace("from = [-3, 3]", "from = [3, 3]").replace("true", "false"))
    with pytest.raises(MappingError) as refused:
        load_mapping(path)
    assert "person.adults" in str(refused.value)
    assert "items.mood" in str(refused.value)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_the_examples_are_valid_and_invent_nothing(path: Path) -> None:
    mapping = load_mapping(path)
    assert mapping.source == path.stem
    assert set(mapping.items) <= {"mood", "sleep_hours", "sleep_quality"}


def test_the_examples_are_there() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.toml")} >= {"jang2024", "flueckiger2014"}


def test_the_examples_read_what_their_scales_end_in() -> None:
    jang = load_mapping(EXAMPLES / "jang2024.toml")
    empty = dict.fromkeys(jang.columns, "0")
    worn = {**empty, "sleep_duration": "8.1"}
    assert Reader(jang).read(worn).items is None  # filled up with zeros, the band was worn
    worst = {**worn, "negative_feeling": "-3"}
    assert Reader(jang).read(worst).items == {"mood": 0, "sleep_hours": 8.0}
    best = {**empty, "positive_feeling": "3"}
    assert Reader(jang).read(best).items == {"mood": 10}
    students = load_mapping(EXAMPLES / "flueckiger2014.toml")
    day = {"id": "1", "day": "1", "pa": "7", "na": "1", "sq": "2"}
    assert Reader(students).read(day).items == {"mood": 10, "sleep_quality": 2}
