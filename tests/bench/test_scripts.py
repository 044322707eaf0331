"""Captured statements become scripts that name another person and another row each time."""

from __future__ import annotations

import re
from uuid import UUID

from bench.scripts import Blank, script
from bench.statements import _sent as sent
from bench.statements import _typed as typed

PERSON = UUID("000000a2-0000-4000-8000-000000000007")
MADE = UUID("45910fb0-11d1-41cf-a87c-f445d6ebc6d9")
KNOWN = re.compile("000000[ab]")
NAMED = [Blank(str(PERSON), "(person)"), Blank(PERSON.hex, "(plain person)")]


def body(*statements: str, blanks: list[Blank] = NAMED) -> list[str]:
    lines = script(statements, blanks=blanks, people=9, is_known=KNOWN).splitlines()
    assert lines[:3] == ["\\set p random(1, 9)", "\\set n random(1, 9000000000000000000)", "BEGIN;"]
    assert lines[-1] == "COMMIT;"
    return lines[3:-1]


def test_what_names_nobody_stays_as_it_was_sent() -> None:
    statement = "SELECT 1 FROM t WHERE a = 'b' AND c = '{}'::text[]"
    assert body(statement) == [f"{statement};"]


def test_a_persons_id_becomes_an_expression_with_the_type_of_the_literal() -> None:
    (line,) = body(f"SELECT * FROM p WHERE id = '{PERSON.hex}'::uuid OR id = '{PERSON}'")
    assert "id =  ((plain person))::uuid OR id =  ((person))::uuid" in line
    assert PERSON.hex not in line


def test_an_id_inside_json_is_replaced_and_no_colon_is_left_in_a_literal() -> None:
    (line,) = body(f"""SELECT jsonb('[{{"id":"{PERSON}","not_safe":false}}]')""")
    assert "|| (person) ||" in line
    assert line.endswith("::jsonb);")
    assert not re.search(r"(?<!:):(?!:|n\b|p\b)", line)


def test_an_id_that_the_request_made_is_new_in_each_run_and_the_same_throughout() -> None:
    first, second = body(
        f"INSERT INTO t VALUES ('{MADE.hex}'::uuid)", f"INSERT INTO u VALUES ('row:{MADE}')"
    )
    assert ":n::bigint" in first
    assert ":n::bigint" in second
    assert "0000000140008000" in first
    assert "00000001-4000-8000-" in second
    assert MADE.hex not in first + second


def test_an_id_that_was_there_before_and_is_not_the_persons_stays() -> None:
    other = "000000b2-0000-4000-8000-000000000001"
    assert body(f"SELECT '{other}'::uuid") == [f"SELECT '{other}'::uuid;"]


def test_quotes_and_backslashes_survive() -> None:
    (line,) = body(rf"SELECT E'it''s \\ {PERSON}'")
    assert line == r"SELECT ( E'it''s \\ ' || (person));"


LOG = """\
@statement handrail_web@LOG:  statement: BEGIN
@statement handrail_web@LOG:  execute <unnamed>: SELECT a
\tFROM b WHERE c = $1 AND d > $2 AND e = '$1'
@statement handrail_web@DETAIL:  Parameters: $1 = 'it''s', $2 = NULL
@statement postgres@LOG:  statement: SELECT 'not ours'
@statement handrail_web@LOG:  statement: INSERT INTO t VALUES (1);
"""


def test_the_log_gives_what_the_web_role_sent_with_its_values() -> None:
    assert sent(LOG) == [
        "BEGIN",
        "SELECT a\nFROM b WHERE c = 'it''s' AND d > NULL AND e = '$1'",
        "INSERT INTO t VALUES (1)",
    ]


def test_only_a_duration_is_given_a_type() -> None:
    assert typed("'00:00:30'") == "'00:00:30'::interval"
    assert typed("'1 day 02:00:00'") == "'1 day 02:00:00'::interval"
    assert typed("'2026-01-01 00:00:30+00'") == "'2026-01-01 00:00:30+00'"
    assert typed("''") == "''"
