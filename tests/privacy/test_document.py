"""`docs/privacy.md` names tests, commands and words that are really there."""

from __future__ import annotations

import re
from pathlib import Path

from backend.accounts.consent_texts import notice

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
TESTS = re.compile(r"`(tests/[\w/]+\.py)`( \(to come\))?")


def test_every_test_that_is_named_is_there() -> None:
    named = TESTS.findall(DOCUMENT)
    assert len(named) > 20
    assert [path for path, later in named if not later and not (ROOT / path).exists()] == []


def test_nothing_is_to_come_that_has_come() -> None:
    later = [path for path, later in TESTS.findall(DOCUMENT) if later]
    assert [path for path in later if (ROOT / path).exists()] == []


def test_every_requirement_names_a_test_or_says_why_there_is_none() -> None:
    table = DOCUMENT.partition("## The requirements")[2]
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    for requirement, where, covered in rows:
        assert TESTS.search(covered) or " - " in f" {where}", requirement


def test_the_notice_is_word_for_word_what_the_law_gives() -> None:
    words = "42 CFR part 2 prohibits unauthorized use or disclosure of these records."
    assert notice("en") == words
    assert words in DOCUMENT
