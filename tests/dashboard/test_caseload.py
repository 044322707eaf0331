"""The caseload page: whose names, in which order, with which reason, at what cost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backend.accounts.models import AuditEvent, Patient
from backend.aftercare import services as aftercare
from backend.aftercare.models import Alert
from backend.tracking.models import CheckIn
from tests.dashboard.browsing import browser_of, import_days, raise_alert, shown, today_of
from tests.people import People, actor_for, make_patient, make_tie

MOST_QUERIES = 20


def names_in_order(page: str, *patients: Patient) -> list[str]:
    found = [(page.index(f"patient-{p.pk}"), p.given_name) for p in patients]
    return [name for _place, name in sorted(found)]


def test_only_ones_own_patients_are_there(people: People, desk: Client) -> None:
    page = shown(desk.get("/desk/"))
    assert people.patient.given_name in page
    for other in (people.other_patient, people.elsewhere_patient):
        assert other.given_name not in page
        assert str(other.pk) not in page


def test_a_therapist_without_patients_is_told_so(people: People) -> None:
    page = shown(browser_of(people.stranger.user).get("/desk/"))
    assert "Nobody is on your caseload yet." in page
    assert people.patient.given_name not in page


def test_who_was_discharged_is_gone(people: People, desk: Client) -> None:
    Patient.objects.filter(pk=people.patient.pk).update(discharged_at=timezone.now())
    assert people.patient.given_name not in shown(desk.get("/desk/"))


def test_an_alert_leads_with_its_reason_its_due_time_and_its_line(
    people: People, desk: Client
) -> None:
    today = today_of(people.patient)
    import_days(people.patient, days=20, last=today - timedelta(days=1))
    raise_alert(people.patient, local_date=(today - timedelta(days=1)).isoformat())
    page = shown(desk.get("/desk/"))
    assert "1 person is waiting for an answer to an alert." in page
    assert "Reported craving 9 of 10." in page
    assert "due in 3 h" in page
    assert 'aria-label="Craving, 30 days up to' in page
    assert page.count('class="spark-line"') == 1


def test_the_line_draws_the_signal_that_its_sentence_names(people: People, desk: Client) -> None:
    today = today_of(people.patient)
    import_days(people.patient, days=20, last=today - timedelta(days=1))
    raise_alert(people.patient, local_date=today.isoformat(), mood=1)
    page = shown(desk.get("/desk/"))
    signal = "Craving" if "Reported craving 9 of 10." in page else "Mood"
    assert f'aria-label="{signal}, 30 days up to' in page


def test_the_order_is_who_waits_most_then_who_was_seen_then_silence(people: People) -> None:
    organisation, today = people.organisation, today_of(people.patient)
    high, critical, seen, silent, calm = (
        make_patient(organisation, name) for name in ("hugo", "carla", "sonia", "silvio", "ada")
    )
    for patient in (high, critical, seen, silent, calm):
        make_tie(patient, people.therapist)
    raise_alert(high)
    raise_alert(critical, not_safe=True, craving=None)
    alert = raise_alert(seen, not_safe=True, craving=None)
    aftercare.acknowledge_alert(
        actor=actor_for(people.therapist.user),
        patient_id=seen.pk,
        alert_id=alert.pk,
        act_id=alert.pk,
        now=timezone.now(),
    )
    import_days(silent, days=12, last=today - timedelta(days=6))
    import_days(calm, days=12, last=today - timedelta(days=1))
    page = shown(browser_of(people.therapist.user).get("/desk/"))
    order = names_in_order(page, high, critical, seen, silent, calm)
    assert order == ["Carla", "Hugo", "Sonia", "Silvio", "Ada"]
    assert "No check-in for 6 days." in page
    assert "6 days ago" in page


def test_an_acknowledged_critical_alert_does_not_lead_by_a_medium_one(people: People) -> None:
    """What was seen already lends its severity to nothing that still waits."""
    both, high = (make_patient(people.organisation, name) for name in ("bettina", "hugo"))
    for patient in (both, high):
        make_tie(patient, people.therapist)
    alert = raise_alert(both, not_safe=True, craving=None)
    aftercare.acknowledge_alert(
        actor=actor_for(people.therapist.user),
        patient_id=both.pk,
        alert_id=alert.pk,
        act_id=alert.pk,
        now=timezone.now(),
    )
    raise_alert(both, confidence=2, craving=None)
    raise_alert(high)
    page = shown(browser_of(people.therapist.user).get("/desk/"))
    assert names_in_order(page, both, high) == ["Hugo", "Bettina"]


def test_what_is_overdue_says_for_how_long(people: People, desk: Client) -> None:
    alert = raise_alert(people.patient)
    Alert.objects.filter(pk=alert.pk).update(due_at=timezone.now() - timedelta(hours=2, minutes=5))
    page = shown(desk.get("/desk/"))
    assert "overdue 2 h" in page
    assert "due in" not in page


@pytest.mark.parametrize(
    ("wanted", "is_found"), [("ali", True), ("DOE alice", True), ("bob", False), ("alice x", False)]
)
def test_the_search_finds_by_every_word_without_scripts(
    people: People, desk: Client, wanted: str, is_found: bool
) -> None:
    page = shown(desk.post("/desk/", {"wanted": wanted}))
    assert "<!doctype html>" in page
    assert (f"patient-{people.patient.pk}" in page) is is_found
    assert ("1 person found." if is_found else "0 people found.") in page


def test_a_refresh_is_the_list_alone_and_keeps_the_search(people: People, desk: Client) -> None:
    headers = {"HX-Request": "true"}
    page = shown(desk.post("/desk/refresh", {"wanted": "zzz"}, headers=headers))
    assert page.startswith('<section id="caseload"')
    assert "<!doctype" not in page
    assert people.patient.given_name not in page


def test_reading_the_caseload_is_audited_without_names(people: People, desk: Client) -> None:
    desk.get("/desk/")
    event = AuditEvent.objects.filter(action="caseload.read").latest("id")
    assert (event.actor_id, event.facts["count"]) == (people.therapist.user.pk, 1)
    assert people.patient.given_name not in str(event.facts)


def test_a_name_with_markup_is_only_text(people: People, desk: Client) -> None:
    Patient.objects.filter(pk=people.patient.pk).update(given_name="<script>x</script>")
    page = shown(desk.get("/desk/"))
    assert "<script>x" not in page
    assert "&lt;script&gt;x" in page


def test_the_number_of_queries_does_not_grow_with_the_patients(people: People) -> None:
    now = timezone.now()
    Patient.objects.bulk_create(
        Patient(
            organisation=people.organisation,
            given_name=f"P{number}",
            country="US",
            time_zone="America/New_York",
            enrolled_at=now,
        )
        for number in range(200)
    )
    crowd = list(Patient.objects.filter(given_name__startswith="P", user__isnull=True))
    assert len(crowd) == 200
    for patient in crowd:
        make_tie(patient, people.therapist)
    CheckIn.objects.bulk_create(
        CheckIn(
            id=patient.pk,
            patient=patient,
            kind="daily",
            local_date=now.date(),
            recorded_at=now,
            received_at=now,
            utc_offset_minutes=0,
            content_digest=b"x",
            mood=5,
        )
        for patient in crowd
    )
    Alert.objects.bulk_create(
        Alert(
            patient=patient,
            condition="craving",
            severity="high",
            reasons=[{"rule": "craving", "severity": "high", "facts": {"value": 9}}],
            opened_at=now,
            evidence_at=now,
            due_at=now,
            first_on=now.date(),
            last_on=now.date(),
        )
        for patient in crowd
    )
    browser = browser_of(people.therapist.user)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        page = shown(browser.get("/desk/"))
    assert page.count('class="line ') == 201
    assert len(asked) < MOST_QUERIES
