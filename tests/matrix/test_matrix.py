"""Every route x every method x every caller x whose, against the written tables.

Each question is asked of the real server inside this process; whatever it changed is undone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection, transaction
from django.http import HttpResponse
from django.urls import get_resolver
from pytest_django.plugin import DjangoDbBlocker

from backend.checks.routes import routes
from tests.matrix.calls import Ask, ask_server, verdict
from tests.matrix.table import Row, columns, kind_of, rest, rows
from tests.matrix.world import KNOWS, NOT_CLINICAL, World, make_world
from tests.people import password_hash

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# A refusal may be audited and counted, and a session that ended may be forgotten.
MAY_CHANGE = {"accounts_auditevent", "accounts_ratecounter", "django_session"}


State = dict[str, str]


def served() -> list[str]:
    """Every route of the resolver, as the tables write them."""
    found = [re.sub(r"<\w+:(\w+)>", r"{\1}", f"/{path}") for path, _ in routes(get_resolver())]
    assert len(found) == len(set(found))
    return found


def _unlisted() -> list[Row]:
    """A row for each method that has none, from the rules at the end of the document."""
    written = {row.call for row in rows()}
    found = []
    for route in sorted({row.route for row in rows()}):
        for method in METHODS:
            if f"{method} {route}" not in written:
                found += _by_rule(method, route)
    return found


def _by_rule(method: str, route: str) -> list[Row]:
    kind = kind_of(route)
    as_get = [row for row in rows() if row.call == f"GET {route}"]
    if as_get and method == "HEAD":
        return [Row(kind, f"HEAD {route}", row.whose, row.told) for row in as_get]
    if as_get and method == "OPTIONS" and kind in ("open", "closed"):
        # It never looks for what is named, so whoever is told "not there" is told what it is.
        told = {name: as_get[0].told[name].replace("404", "200") for name in as_get[0].told}
        return [Row(kind, f"OPTIONS {route}", "nobody", told)]
    rule = "another method"
    if method == "OPTIONS" and kind != "health":
        rule = "OPTIONS on a page" if kind == "page" else "OPTIONS where there is no GET"
    return [Row(kind, f"{method} {route}", "nobody", rest()[rule, kind].told)]


ROWS = (*rows(), *_unlisted())


@pytest.fixture(scope="module")
def quick_passwords() -> Iterator[None]:
    """The same hashing with the least work: hundreds of questions need one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Argon2PasswordHasher, "time_cost", 1)
        patch.setattr(Argon2PasswordHasher, "memory_cost", 64)
        password_hash.cache_clear()
        yield
    password_hash.cache_clear()


@pytest.fixture(scope="module")
def world(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, quick_passwords: None
) -> Iterator[World]:
    """Made once and never kept: both connections are rolled back at the end."""
    with django_db_blocker.unblock(), transaction.atomic(), transaction.atomic(using="audit"):
        try:
            yield make_world()
        finally:
            transaction.set_rollback(True)
            transaction.set_rollback(True, using="audit")


@pytest.fixture(scope="module")
def untouched(world: World) -> State:
    return state()


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def state() -> State:
    """A digest of every table but those that a refusal may touch."""
    with connection.cursor() as cursor:
        tables = sorted(set(connection.introspection.table_names(cursor)) - MAY_CHANGE)
        digest = "SELECT '{0}', md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), ''))"
        parts = [f'{digest.format(table)} FROM "{table}" t' for table in tables]
        cursor.execute(" UNION ALL ".join(parts))
        return dict(cursor.fetchall())


def shown(world: World, caller: str, asked: str, answer: HttpResponse) -> list[str]:
    """Whatever this answer tells of people whom this caller may not see, and did not know."""
    text = answer.content.decode("utf-8", "replace") + str(answer.headers)
    found = []
    for name, belongings in world.patients.items():
        hidden = set() if caller == name else belongings.private()
        is_known = name in KNOWS.get(caller, ())
        if not is_known:
            hidden |= belongings.listed()
        if not is_known or caller in NOT_CLINICAL:
            hidden |= belongings.shown_to_team()
        found += [word for word in hidden if word in text and word not in asked]
    return found


def is_refusal(told: str) -> bool:
    return told == "in" or int(told) >= 400


def ask(world: World, row: Row, name: str) -> list[str]:
    """What is wrong with the answer to this caller, in words; nothing when all is well."""
    question = Ask(row.method, row.route, row.whose, world, world.callers[name])
    asked, answer = ask_server(question)
    told, faults = verdict(question, answer), []
    if told != row.told[name]:
        faults.append(f"{name} is told {told}, not {row.told[name]}: {answer.content[:200]!r}")
    if leaked := shown(world, name, asked, answer):
        faults.append(f"{name} is shown {leaked}")
    return faults


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.call} ({row.whose})".replace(" ", "_"))
def test_every_caller_is_told_what_is_written(row: Row, world: World, untouched: State) -> None:
    faults = []
    with undone():
        refused = [name for name, told in row.told.items() if is_refusal(told)]
        for name in refused:
            faults += ask(world, row, name)
        if state() != untouched:
            faults += [fault for name in refused for fault in changed_by(world, row, name)]
    for name in row.told.keys() - set(refused):
        with undone():
            faults += ask(world, row, name)
    assert not faults, "\n".join([f"{row.call} ({row.whose})", *faults])


def changed_by(world: World, row: Row, name: str) -> list[str]:
    """Asks again, to say who changed what although they were refused."""
    before = state()
    ask(world, row, name)
    after = state()
    changed = [table for table in after if after[table] != before[table]]
    return [f"{name} is refused and still changes {changed}"] if changed else []


def test_every_route_has_its_rows() -> None:
    written = {row.route for row in rows()}
    missing = [route for route in served() if route not in written]
    assert not missing, f"docs/authorisation.md says nothing about {missing}"


def test_every_row_has_its_route() -> None:
    known = set(served())
    assert [row.call for row in rows() if row.route not in known] == []


def test_every_method_that_is_answered_has_its_rows() -> None:
    written = {row.call for row in rows()}
    for path, callback in routes(get_resolver()):
        declared = getattr(getattr(callback, "cls", None), "allowed_roles", {})
        route = re.sub(r"<\w+:(\w+)>", r"{\1}", f"/{path}")
        missing = [f"{method} {route}" for method in declared if f"{method} {route}" not in written]
        assert not missing, f"docs/authorisation.md says nothing about {missing}"


def test_no_question_is_asked_twice() -> None:
    questions = [(row.call, row.whose) for row in ROWS]
    assert len(questions) == len(set(questions))


def test_the_callers_are_those_of_the_document(world: World) -> None:
    assert list(columns().values()) == list(world.callers)


def test_there_are_thousands_of_cells() -> None:
    assert sum(len(row.told) for row in ROWS) > 1_000
