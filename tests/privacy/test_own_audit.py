"""What a patient reads of who did what with their data."""

from __future__ import annotations

from uuid import uuid4

import pytest

from backend.accounts import audit
from backend.accounts.actor import Actor
from backend.notifications.models import Notification
from tests.people import People, actor_for, make_device, make_tie
from tests.phones import Phone, check_in_body
from tests.privacy.listing import DAY, at, audit_path, results


def test_a_patient_reads_who_did_what(people: People, phone: Phone) -> None:
    assert phone.post("/check-ins", check_in_body(mood=6)).status_code == 201
    assert Phone.of(people.therapist.user).get(f"/patients/{people.patient.pk}/trends")
    assert Phone.of(people.administrator.user).get(audit_path(people)).status_code == 200
    audit.record(
        actor=Actor.system("assess_due"), action="assessment.store", patient_id=people.patient.pk
    )
    shown = [(line["who"], line["role"], line["what"]) for line in results(phone, "/me/audit")]
    assert shown == [
        ("Handrail itself", "system", "Worked out your trend from your check-ins."),
        (
            "An administrator of your organisation",
            "administrator",
            "Read this list of who saw your data.",
        ),
        ("Bob", "clinician", "Read your trend."),
        ("You", "patient", "Saved a check-in."),
    ]


def test_a_clinician_who_opens_a_message_about_an_alert_is_on_the_list(
    people: People, phone: Phone
) -> None:
    make_device(people.therapist.user)
    assert phone.post("/check-ins", check_in_body(craving=10)).status_code == 201
    told = Notification.objects.get(recipient=people.therapist.user)
    opened = Phone.of(people.therapist.user).get(f"/me/notifications/{told.pk}")
    assert opened.status_code == 200
    newest = results(phone, "/me/audit")[0]
    assert (newest["who"], newest["what"]) == (
        "Bob",
        "Opened a message about one of your alerts.",
    )


def test_a_patient_reads_it_in_their_language(people: People) -> None:
    people.patient_user.language = "es"
    people.patient_user.save()
    phone = Phone.of(people.patient_user)
    assert Phone.of(people.therapist.user).get(f"/patients/{people.patient.pk}/trends")
    (line,) = results(phone, "/me/audit", language="es")
    assert (line["who"], line["what"]) == ("Bob", "Leyó su tendencia.")


def test_a_patient_reads_nothing_about_another(people: People, phone: Phone) -> None:
    make_tie(people.other_patient, people.stranger)
    for patient, clinician in (
        (people.other_patient, people.stranger),
        (people.elsewhere_patient, people.elsewhere_therapist),
    ):
        path = f"/patients/{patient.pk}/trends"
        assert Phone.of(clinician.user).get(path).status_code == 200
    assert results(phone, "/me/audit") == []


def test_an_act_without_words_yet_still_says_what_it_was(people: People, phone: Phone) -> None:
    for action in ("something.read", "something.change"):
        at(DAY, by=actor_for(people.therapist.user), action=action, people=people)
    assert {line["what"] for line in results(phone, "/me/audit?to=2026-03-02")} == {
        "Opened the record.",
        "Changed something in the record.",
    }


def test_the_own_list_is_the_patients_alone(people: People) -> None:
    for user in (people.therapist.user, people.administrator.user):
        assert Phone.of(user).get("/me/audit").status_code == 403
    assert Phone().get("/me/audit").status_code == 401


def test_a_read_that_cannot_be_audited_shows_nothing(
    people: People, office: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise RuntimeError(uuid4())

    monkeypatch.setattr(audit, "record", refuse)
    assert office.get(audit_path(people)).status_code == 500
