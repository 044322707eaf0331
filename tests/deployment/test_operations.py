"""docs/operations.md cannot lie about what there is to configure and to run."""

from __future__ import annotations

import re

import pytest
from django.db import connection

from tests.deployment.reading import (
    OURS,
    REFUSED,
    ROOT,
    environment,
    interpolations,
    service,
    settings_variables,
)

PAGE = (ROOT / "docs" / "operations.md").read_text()
ROWS = re.findall(r"^\| `([A-Z_]+)` \| (.+?) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
COMPOSE_ONLY = {"WEB_PORT"}


def test_every_variable_stands_in_the_table_once_and_no_other() -> None:
    names = [name for name, *_ in ROWS]
    assert len(names) == len(set(names))
    assert set(names) == set(settings_variables())


@pytest.mark.parametrize(("name", "default"), [(row[0], row[1]) for row in ROWS])
def test_its_default_is_the_one_of_the_settings(name: str, default: str) -> None:
    real = settings_variables()[name]
    if real is REFUSED:  # another one for each environment
        assert name in ("ALLOWED_HOSTS", "EMAIL_BACKEND")
        assert default in ("none", "SMTP")
    elif real == "":
        assert default == "none"
    else:
        assert default == f"`{real}`"


@pytest.mark.parametrize(("name", "who"), [(row[0], row[2]) for row in ROWS])
def test_who_needs_it_is_who_compose_gives_it_to(name: str, who: str) -> None:
    told = {s for s in OURS if {name, f"{name}_FILE"} & set(environment(s))}
    if who in ("nobody", "all", "set for you"):
        assert who != "nobody" or not told
        return
    assert set(who.split(", ")) == told


def test_what_compose_reads_is_explained() -> None:
    assert all(f"`{name}`" in PAGE for name in interpolations() | COMPOSE_ONLY)


@pytest.mark.parametrize("name", [name for name in OURS if name != "migrate"])
def test_the_table_of_services_has_the_real_commands(name: str) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| {name} |"))
    command = " ".join(service(name)["command"])
    shown = row.split("`")[1]
    assert command.startswith(shown)


def test_every_file_it_names_exists() -> None:
    for path in re.findall(r"(?:docker|requirements)/[\w.-]+\w", PAGE):
        assert (ROOT / path).exists(), path


def test_every_table_that_it_asks_exists_with_its_columns(db: None) -> None:
    queries = re.findall(r"^    (SELECT .+?);", PAGE, re.MULTILINE | re.DOTALL)
    assert len(queries) == 6
    with connection.cursor() as cursor:
        for query in queries:
            cursor.execute(query)
