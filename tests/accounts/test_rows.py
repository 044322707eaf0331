"""Rows read and written by SQL that is made once: the same as the ORM would, nothing beside."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from backend.accounts.models import AuditEvent, CareTeamMember, Organisation
from backend.rows import Upsert, array_of, every, one, shape, store
from tests.people import People

TIES = Upsert(CareTeamMember, "id", ("ended_on",))


def tie(people: People) -> CareTeamMember:
    return CareTeamMember(
        patient=people.patient,
        clinician=people.on_call,
        role="on_call",
        started_on=date(2026, 3, 2),
    )


def test_a_row_is_what_the_orm_reads(people: People) -> None:
    whole = shape(Organisation)
    row = one(
        f"SELECT {whole.listed('o')} FROM accounts_organisation o WHERE o.id = %s",
        [people.organisation.pk],
    )
    assert row is not None
    made, read = whole.made(row), Organisation.objects.get(pk=people.organisation.pk)
    names = [field.attname for field in Organisation._meta.concrete_fields]
    assert [getattr(made, n) for n in names] == [getattr(read, n) for n in names]


def test_a_column_that_was_not_read_is_fetched_when_asked_for(people: People) -> None:
    part = shape(Organisation, {"id", "time_zone"})
    row = one(
        f"SELECT {part.listed('o')}, 1 FROM accounts_organisation o WHERE o.id = %s",
        [people.organisation.pk],
    )
    assert row is not None
    assert part.made(row).get_deferred_fields() >= {"name", "monitoring_hours"}
    assert part.made(row).name == people.organisation.name


def test_a_row_that_stands_takes_the_named_columns_alone(people: People) -> None:
    row = tie(people)
    store((TIES, [row]))
    row.role, row.ended_on = "therapist", date(2026, 3, 9)
    store((TIES, [row]))
    stored = CareTeamMember.objects.get(pk=row.pk)
    assert (stored.role, stored.ended_on) == ("on_call", date(2026, 3, 9))


def test_a_row_that_may_not_stand_is_refused_with_everything_beside_it(people: People) -> None:
    row = tie(people)
    row.save()
    act = AuditEvent(action="test.rows", actor_role="system", object_id=str(row.pk))
    with pytest.raises(IntegrityError), transaction.atomic():
        store((Upsert(AuditEvent), [act]), (Upsert(CareTeamMember), [row]))
    assert not AuditEvent.objects.filter(action="test.rows").exists()


def test_a_time_of_storing_and_the_defaults_are_written_as_the_orm_writes_them(
    people: People,
) -> None:
    before = timezone.now()
    store((Upsert(AuditEvent), [AuditEvent(action="test.rows", actor_role="system")]))
    stored = AuditEvent.objects.get(action="test.rows")
    assert before <= stored.at <= timezone.now()
    assert (stored.facts, stored.was_allowed, stored.patient_id) == ({}, True, None)


def test_no_row_at_all_is_no_error(people: People) -> None:
    store((TIES, []), (Upsert(AuditEvent), []))
    assert not CareTeamMember.objects.filter(clinician=people.on_call).exists()


def test_an_array_holds_every_id_and_none(people: People) -> None:
    ids = [uuid4(), uuid4()]
    found = every("SELECT unnest(%s::uuid[])", [array_of(ids)])
    assert [value for (value,) in found] == ids
    assert every("SELECT unnest(%s::uuid[])", [array_of([])]) == []
