"""A ladder of one's own: who, after how long, by which ways; versions, floors, and snapshots."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from backend.accounts.models import AuditEvent
from backend.aftercare.ladder import snapshot_for
from backend.aftercare.ladder_rules import STANDARD, Rung, Who, faults
from backend.aftercare.models import Alert, EscalationLadder
from backend.aftercare.promise import monitoring_promise
from backend.aftercare.services import escalate_due
from backend.notifications.models import ContactPoint, Notification
from backend.notifications.services import announce_channels, beat
from tests.aftercare.reporting import NOON, report
from tests.people import People, make_device
from tests.phones import Phone

MINUTE = timedelta(minutes=1)
REVIEW_ON = (timezone.now() + timedelta(days=90)).date().isoformat()


def rung(who: str, critical: int = 5, high: int = 60, **more: Any) -> dict[str, Any]:
    return {"who": who, "silent_minutes": {"critical": critical, "high": high}, **more}


SUPERVISOR = rung("clinical_supervisor", 10, 120)


def body(*rungs: dict[str, Any], **more: Any) -> dict[str, Any]:
    decided = {"reason": "Nights are short.", "decided_by": "Dr. Ada Lind", "review_on": REVIEW_ON}
    return {"rungs": list(rungs), **decided, **more}


@pytest.fixture
def office(people: People) -> Phone:
    return Phone.of(people.administrator.user)


def put(office: Phone, *rungs: dict[str, Any], base: int = 0, **more: Any) -> Any:
    return office.request(
        "PUT", "/escalation-ladder", body(*rungs, **more), **{"If-Match": f'"{base}"'}
    )


def codes(answer: Any) -> set[tuple[str, str]]:
    assert answer.status_code == 400, answer.content
    return {(one["pointer"], one["code"]) for one in answer.json()["errors"]}


def told() -> list[str]:
    rows = Notification.objects.filter(kind="alert").order_by("created_at", "key")
    return [row.recipient.clinician.display_name for row in rows]


# What an administrator sets -----------------------------------------------------------------------


def test_without_one_it_is_the_standard_ladder(office: Phone, people: People):
    shown = office.get("/escalation-ladder").json()
    assert (shown["version"], shown["review_on"]) == (0, None)
    assert [one["who"] for one in shown["rungs"]] == ["care_team", "on_call", "clinical_supervisor"]
    assert {str(one["silent_minutes"]) for one in shown["rungs"]} == {
        "{'critical': 10, 'high': 120}"
    }
    assert list(faults(STANDARD)) == []
    snapshot = snapshot_for(people.patient, now=NOON)
    assert snapshot.people == [
        [str(one.user_id)] for one in (people.therapist, people.on_call, people.supervisor)
    ]
    assert snapshot.version is None


def test_each_change_is_a_version_with_reason_name_and_review_day(office: Phone):
    first = put(office, rung("on_call"), SUPERVISOR)
    assert (first.status_code, first.json()["version"], first["ETag"]) == (200, 1, '"1"')
    assert first.json()["decided_by"] == "Dr. Ada Lind"
    assert office.get("/escalation-ladder").json() == first.json()
    again = put(office, rung("on_call"), SUPERVISOR)
    assert (again.status_code, again.json()["version"]) == (200, 1)
    stale = put(office, rung("care_team"), SUPERVISOR)
    assert (stale.status_code, stale.json()["code"]) == (409, "ladder_changed")
    assert stale.json()["stored"]["version"] == 1
    assert put(office, rung("care_team"), SUPERVISOR, base=1).json()["version"] == 2
    versions = office.get("/escalation-ladder/versions").json()["results"]
    assert [one["version"] for one in versions] == [2, 1]
    assert AuditEvent.objects.filter(action="organisation.set_ladder").count() == 2


def test_a_version_cannot_be_changed_or_taken_away(office: Phone):
    put(office, SUPERVISOR)
    for change in (
        lambda: EscalationLadder.objects.update(reason="another"),
        lambda: EscalationLadder.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_without_if_match_nothing_is_set(office: Phone):
    refused = office.put("/escalation-ladder", body(SUPERVISOR))
    assert (refused.status_code, EscalationLadder.objects.count()) == (428, 0)


@pytest.mark.parametrize(
    ("rungs", "expected"),
    [
        ([], ("/rungs", "empty_ladder")),
        ([SUPERVISOR, rung("on_call")], ("/rungs/1/who", "last_rung_not_supervisor")),
        ([rung("on_call", 16), SUPERVISOR], ("/rungs/0/silent_minutes/critical", "out_of_bounds")),
        ([rung("on_call", 1), SUPERVISOR], ("/rungs/0/silent_minutes/critical", "out_of_bounds")),
        ([rung("on_call", 5, 241), SUPERVISOR], ("/rungs/0/silent_minutes/high", "out_of_bounds")),
        (
            [rung("on_call", channels=["email"]), SUPERVISOR],
            ("/rungs/0/channels", "wakes_nobody"),
        ),
        (
            [rung("on_call", channels=["push", "push"]), SUPERVISOR],
            ("/rungs/0/channels", "contradiction"),
        ),
        ([rung("named"), SUPERVISOR], ("/rungs/0/clinician_ids", "named_mismatch")),
        ([rung("on_call"), rung("on_call"), SUPERVISOR], ("/rungs/1/who", "contradiction")),
        (
            [rung("care_team", 15), rung("therapist", 15), rung("on_call", 15),
             rung("case_manager", 15), SUPERVISOR],
            ("/rungs", "supervisor_too_late"),
        ),
    ],
)  # fmt: skip
def test_below_the_floors_nothing_is_set(office: Phone, rungs: Any, expected: tuple[str, str]):
    assert expected in codes(put(office, *rungs))
    assert EscalationLadder.objects.count() == 0


def test_named_people_are_ones_own_and_may_see_the_patient(office: Phone, people: People):
    for who, code in (
        (people.elsewhere_therapist, "not_in_organisation"),
        (people.therapist, "sees_no_patients"),
    ):
        named = rung("named", clinician_ids=[str(who.pk)])
        assert codes(put(office, named, SUPERVISOR)) == {("/rungs/0/clinician_ids/0", code)}
    assert put(office, rung("named", clinician_ids=[str(people.on_call.pk)]), SUPERVISOR).json()[
        "rungs"
    ][0]["clinician_ids"] == [str(people.on_call.pk)]


@pytest.mark.parametrize("days", [-1, 0, 400])
def test_the_day_of_review_lies_within_a_year(office: Phone, days: int):
    on = (timezone.now() + timedelta(days=days - 1)).date().isoformat()
    assert {code for _, code in codes(put(office, SUPERVISOR, review_on=on))} <= {
        "in_the_past",
        "too_many_days",
    }


def test_nobody_else_sets_it_and_another_organisation_keeps_its_own(people: People, office: Phone):
    for caller in (people.patient_user, people.therapist.user, people.supervisor.user):
        assert put(Phone.of(caller), SUPERVISOR).status_code == 403
    put(office, SUPERVISOR)
    elsewhere = Phone.of(people.elsewhere_therapist.user)
    assert elsewhere.get("/escalation-ladder").json()["version"] == 0
    assert Phone.of(people.therapist.user).get("/escalation-ladder").json()["version"] == 1


# What an alert makes of it ------------------------------------------------------------------------


def phones(people: People) -> None:
    for clinician in (people.therapist, people.on_call, people.supervisor):
        make_device(clinician.user)


def test_an_alert_climbs_by_its_times_and_not_by_what_comes_later(people: People, office: Phone):
    phones(people)
    put(office, rung("on_call", 5, 20), rung("care_team", 5, 30), SUPERVISOR)
    alert = report(people, craving=9).alert
    assert alert is not None
    assert (alert.ladder_version, told()) == (1, ["Dana"])
    put(office, rung("on_call", 2, 15), SUPERVISOR, base=1)
    assert escalate_due(now=NOON + 19 * MINUTE) == 0
    assert escalate_due(now=NOON + 20 * MINUTE) == 1
    assert escalate_due(now=NOON + 49 * MINUTE) == 0
    assert escalate_due(now=NOON + 50 * MINUTE) == 1
    assert told() == ["Dana", "Bob", "Sam"]


def test_worse_evidence_takes_the_times_of_its_severity(people: People, office: Phone):
    phones(people)
    put(office, rung("on_call", 3, 20), SUPERVISOR)
    report(people, craving=9)
    report(people, not_safe=True)
    alert = Alert.objects.get(condition="safety")
    assert alert.level_due_at == NOON + 3 * MINUTE


def test_an_alert_from_before_the_upgrade_keeps_the_standard_times(people: People):
    phones(people)
    report(people, craving=9)
    Alert.objects.update(rungs=None)
    assert escalate_due(now=NOON + timedelta(hours=2)) == 1
    assert told() == ["Bob", "Dana"]


def test_a_rung_is_told_by_its_ways_alone(people: People, office: Phone):
    phones(people)
    put(office, rung("on_call", channels=["sms"]), SUPERVISOR)
    alert = report(people, craving=9).alert
    assert alert is not None
    # Dana has a phone and no number, so her rung cannot be told in its way and is passed over.
    assert (alert.level, told()) == (1, ["Dana", "Sam"])
    ways = Notification.objects.filter(kind="alert").order_by("key").values_list("ways", flat=True)
    assert list(ways) == [["sms"], None]


def number_of(people: People) -> None:
    ContactPoint.objects.create(
        user=people.on_call.user,
        channel="sms",
        address="+15550100199",
        added_at=NOON,
        verified_at=NOON,
    )


@pytest.mark.parametrize("works", [True, False])
def test_the_promise_counts_no_phone_for_a_rung_that_is_told_without_one(
    people: People, office: Phone, works: bool
):
    phones(people)
    number_of(people)
    beat(process="relay", now=NOON)
    announce_channels(channels=["sms"] if works else [], now=NOON)
    put(office, rung("on_call", channels=["sms"]), SUPERVISOR)
    alert = report(people, craving=9).alert
    assert alert is not None and alert.level == 0
    said = monitoring_promise(people.patient, alert=alert, is_late=False, language="en", now=NOON)
    assert said.told is works
    assert ("obody has been told" in said.statement) is not works


def test_nobody_stands_on_two_rungs(people: People, office: Phone):
    put(
        office,
        rung("therapist"),
        rung("care_team"),
        rung("named", clinician_ids=[str(people.supervisor.pk)]),
        SUPERVISOR,
    )
    snapshot = snapshot_for(people.patient, now=NOON)
    assert snapshot.people == [[str(people.therapist.user_id)], [str(people.supervisor.user_id)]]
    assert [one["who"] for one in snapshot.rungs] == ["therapist", "named"]


def test_the_rules_are_pure():
    wrong = Rung(Who.NAMED, {"critical": 0, "high": 0})
    assert {code for _where, code in faults([wrong])} == {
        "named_mismatch",
        "out_of_bounds",
        "last_rung_not_supervisor",
    }
