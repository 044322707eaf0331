"""One's own phones over HTTP: listing, revoking, saying that one is not private."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from backend.accounts.models import AccessToken, AuditEvent, Device, User
from tests.accounts.threads import at_once
from tests.notifications.outbox import NOON, RecordingSender, deliver, draft, queue
from tests.people import PASSWORD, People, make_device
from tests.phones import Phone


def bound(user: User, target: str = "", **more: Any) -> tuple[Phone, UUID]:
    """A signed-in phone that has registered itself."""
    phone, installation = Phone.of(user), uuid4()
    body = {"push_target": target or f"target-{installation}", **more}
    assert phone.put(f"/devices/{installation}", body).status_code == 201
    return phone, installation


def works(phone: Phone) -> bool:
    return bool(phone.get("/devices").status_code == 200)


def listed(phone: Phone) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in phone.get("/devices").json()["results"]}


# Listing ----------------------------------------------------------------------------------------


def test_my_live_phones_and_which_of_them_asks(people: People) -> None:
    phone, first = bound(people.patient_user)
    tablet, second = bound(people.patient_user, is_private=False)
    gone, third = bound(people.patient_user)
    gone.post("/sign-out")
    bound(people.therapist.user)
    rows = listed(phone)
    assert set(rows) == {str(first), str(second)}
    assert str(third) not in rows
    assert [rows[str(one)]["is_this_one"] for one in (first, second)] == [True, False]
    assert [rows[str(one)]["is_private"] for one in (first, second)] == [True, False]
    assert listed(tablet)[str(second)]["is_this_one"]


def test_the_list_never_shows_a_target(people: People) -> None:
    phone, _installation = bound(people.patient_user, "a-secret-target")
    assert b"a-secret-target" not in phone.get("/devices").content


# Revoking one -----------------------------------------------------------------------------------


def test_a_revoked_phone_is_refused_from_its_next_request_on(people: People) -> None:
    phone, _first = bound(people.patient_user)
    lost, second = bound(people.patient_user)
    assert [phone.request("DELETE", f"/devices/{second}").status_code for _ in range(2)] == [
        204,
        204,
    ]
    assert works(phone)
    assert not works(lost)
    assert lost.put(f"/devices/{second}", {"push_target": "target-again"}).status_code == 401
    assert Device.objects.get(installation_id=second).unbound_reason == "revoked"
    assert AuditEvent.objects.filter(action="device.revoke").count() == 1


def test_every_token_of_that_phone_ends(people: People) -> None:
    phone, _first = bound(people.patient_user)
    lost, second = bound(people.patient_user)
    again = Phone.of(people.patient_user)
    again.put(f"/devices/{second}", {"push_target": "target-again"})
    phone.request("DELETE", f"/devices/{second}")
    assert [works(one) for one in (phone, lost, again)] == [True, False, False]


def test_another_persons_phone_looks_like_none(people: People) -> None:
    theirs, installation = bound(people.therapist.user)
    phone = Phone.of(people.patient_user)
    for path in (f"/devices/{installation}", f"/devices/{uuid4()}"):
        answers = [
            phone.request("DELETE", path),
            phone.request("PATCH", path, {"is_private": False}),
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
    device = Device.objects.get(installation_id=installation)
    assert (device.unbound_at, device.is_private) == (None, True)
    assert works(theirs)


def test_my_old_tie_to_a_phone_now_anothers_touches_them_not(people: People) -> None:
    mine, installation = bound(people.patient_user)
    phone = Phone.of(people.patient_user)
    theirs = Phone.of(people.therapist.user)
    theirs.put(f"/devices/{installation}", {"push_target": "target-handed-on"})
    assert phone.request("DELETE", f"/devices/{installation}").status_code == 204
    assert (
        phone.request("PATCH", f"/devices/{installation}", {"is_private": False}).status_code == 404
    )
    assert not works(mine)
    assert works(theirs)
    assert Device.objects.get(user=people.therapist.user).unbound_at is None


# Everywhere -------------------------------------------------------------------------------------


def test_signing_out_everywhere_ends_all_of_mine_and_nobody_elses(people: People) -> None:
    phone, _first = bound(people.patient_user)
    tablet, _second = bound(people.patient_user)
    script, other = Phone.of(people.patient_user), Phone.of(people.therapist.user)
    assert phone.post("/sign-out-everywhere").status_code == 204
    assert [works(one) for one in (phone, tablet, script, other)] == [False] * 3 + [True]
    assert not Device.objects.filter(user=people.patient_user, unbound_at__isnull=True).exists()
    (event,) = AuditEvent.objects.filter(action="sign_out.everywhere")
    assert event.facts == {"tokens": 3, "devices": 2}


def test_it_ends_a_browsers_session_too(people: People) -> None:
    browsers = [Client(), Client()]
    for browser, clinician in zip(browsers, (people.therapist, people.stranger), strict=True):
        browser.force_login(clinician.user)
        session = browser.session
        session["signed_in_at"] = session["active_at"] = datetime.now(UTC).timestamp()
        session.save()
    before = [browser.get("/desk/").status_code for browser in browsers]
    Phone.of(people.therapist.user).post("/sign-out-everywhere")
    assert before == [200, 200]
    assert [browser.get("/desk/").status_code for browser in browsers] == [302, 200]


def test_one_can_sign_in_again_afterwards(people: People) -> None:
    phone, _installation = bound(people.patient_user)
    phone.post("/sign-out-everywhere")
    body = {"email": people.patient_user.email, "password": PASSWORD}
    assert Phone().post("/sign-in", body).status_code == 200


# Not private ------------------------------------------------------------------------------------


def test_a_phone_that_is_not_private_gets_nothing_more_queued_or_new(
    committed_db: None, people: People
) -> None:
    phone, installation = bound(people.patient_user, "the-shared-phone")
    make_device(people.patient_user, "the-private-phone")
    queue(draft(people.patient, people.patient_user))
    path = f"/devices/{installation}"
    answers = [phone.request("PATCH", path, {"is_private": False}) for _ in range(2)]
    queue(draft(people.patient, people.patient_user))
    sender = RecordingSender()
    deliver(sender, at=NOON)
    assert [answer.json()["is_private"] for answer in answers] == [False, False]
    assert sender.targets == ["the-private-phone"] * 2
    assert AuditEvent.objects.filter(action="device.privacy").count() == 1
    assert works(phone)


def test_it_can_be_said_by_put_and_taken_back(people: People) -> None:
    phone, installation = bound(people.patient_user)
    path, body = f"/devices/{installation}", {"push_target": f"target-{installation}"}
    shown = [
        phone.put(path, {**body, "is_private": False}),
        phone.put(path, body),
        phone.request("PATCH", path, {"is_private": True}),
    ]
    assert [answer.json()["is_private"] for answer in shown] == [False, False, True]


def test_a_new_target_or_sign_in_does_not_make_a_shared_phone_private(people: People) -> None:
    phone, installation = bound(people.patient_user, is_private=False)
    phone.post("/sign-out")
    again = Phone.of(people.patient_user)
    answer = again.put(f"/devices/{installation}", {"push_target": "target-number-two"})
    assert answer.status_code == 201
    assert answer.json()["is_private"] is False


def test_what_one_person_said_of_a_phone_is_not_the_next_ones(people: People) -> None:
    _phone, installation = bound(people.patient_user, is_private=False)
    theirs = Phone.of(people.therapist.user)
    answer = theirs.put(f"/devices/{installation}", {"push_target": "target-handed-on"})
    assert answer.json()["is_private"] is True


@pytest.mark.parametrize("body", [{}, {"is_private": None}, {"is_private": False, "x": 1}], ids=str)
def test_a_malformed_word_on_privacy_changes_nothing(people: People, body: dict[str, Any]) -> None:
    phone, installation = bound(people.patient_user)
    assert phone.request("PATCH", f"/devices/{installation}", body).status_code == 400
    assert Device.objects.get().is_private


# Races ------------------------------------------------------------------------------------------


def test_revoking_and_registering_at_once_leaves_no_revoked_phone_bound(
    committed_db: None, people: People
) -> None:
    phone, _first = bound(people.patient_user)
    pairs = [bound(people.patient_user) for _ in range(10)]
    calls = [
        call
        for lost, installation in pairs
        for call in (
            partial(phone.request, "DELETE", f"/devices/{installation}"),
            partial(lost.put, f"/devices/{installation}", {"push_target": f"new-{installation}"}),
        )
    ]
    answers = [answer.status_code for answer in at_once(calls)]
    assert set(answers[0::2]) == {204}
    assert set(answers[1::2]) <= {200, 401}
    for lost, installation in pairs:
        assert not works(lost)
        live = Device.objects.filter(installation_id=installation, unbound_at__isnull=True)
        assert not live.exists()


def test_twenty_general_sign_outs_at_once(committed_db: None, people: People) -> None:
    phones = [bound(people.patient_user)[0] for _ in range(20)]
    answers = at_once([partial(phone.post, "/sign-out-everywhere") for phone in phones])
    assert {answer.status_code for answer in answers} <= {204, 401}
    assert not AccessToken.objects.filter(revoked_at__isnull=True).exists()
