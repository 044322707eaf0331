"""A push target belongs to one person at a time: the last to register it."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from backend.accounts.models import AccessToken, AuditEvent, Device
from backend.accounts.selectors import live_devices
from tests.accounts.threads import at_once
from tests.contract.calls import Answer
from tests.people import People, actor_for, make_device
from tests.phones import Phone

TARGET = "target-of-one-phone"


def register(phone: Phone, installation: UUID, target: str = TARGET, **more: Any) -> Answer:
    return phone.put(f"/devices/{installation}", {"push_target": target, **more})


def live() -> list[Device]:
    return list(Device.objects.filter(unbound_at__isnull=True).order_by("pk"))


def test_a_new_phone_is_201_and_the_same_again_200(phone: Phone) -> None:
    installation = uuid4()
    assert register(phone, installation).status_code == 201
    assert register(phone, installation).status_code == 200
    assert [device.installation_id for device in live()] == [installation]


def test_the_answer_never_repeats_the_target(phone: Phone) -> None:
    answer = register(phone, uuid4())
    assert TARGET not in answer.content.decode()
    assert "push_target" not in answer.json()


def test_a_newer_target_replaces_the_older(phone: Phone) -> None:
    installation = uuid4()
    register(phone, installation, "target-number-one")
    answer = register(phone, installation, "target-number-two", target_kind="fid", platform="ios")
    (device,) = live()
    assert answer.status_code == 200
    assert (device.push_target, device.target_kind) == ("target-number-two", "fid")
    assert device.platform == "ios"


def test_the_token_remembers_its_phone(phone: Phone) -> None:
    register(phone, uuid4())
    assert AccessToken.objects.get().device == live()[0]


def test_a_target_that_moved_to_another_app_of_mine_moves(phone: Phone) -> None:
    register(phone, uuid4())
    newer = uuid4()
    register(phone, newer)
    assert [device.installation_id for device in live()] == [newer]
    assert phone.get("/trends").status_code == 200


def test_a_phone_handed_to_another_patient(people: People, phone: Phone) -> None:
    """The old binding and the old token are gone, and the target leads to the new person."""
    installation, other = uuid4(), people.other_patient.user
    assert other is not None
    register(phone, installation)
    assert register(Phone.of(other), installation).status_code == 201
    assert [device.user_id for device in live()] == [other.pk]
    assert live_devices(people.patient_user.pk) == []
    assert phone.get("/trends").status_code == 401


def test_only_the_handed_over_phone_is_lost(people: People, phone: Phone) -> None:
    tablet, other = Phone.of(people.patient_user), people.other_patient.user
    assert other is not None
    register(phone, installation := uuid4())
    register(tablet, uuid4(), "target-of-the-tablet")
    register(Phone.of(other), installation)
    assert tablet.get("/trends").status_code == 200
    assert [d.push_target for d in live_devices(people.patient_user.pk)] == ["target-of-the-tablet"]


def test_a_target_taken_by_a_new_app_is_taken_from_its_holder(people: People) -> None:
    old = make_device(people.patient_user, TARGET)
    register(Phone.of(people.therapist.user), uuid4())
    old.refresh_from_db()
    assert old.unbound_reason == "registered_elsewhere"
    assert [device.user_id for device in live()] == [people.therapist.user_id]


def test_an_unbound_phone_comes_back_as_a_new_row(phone: Phone, people: People) -> None:
    register(phone, installation := uuid4())
    phone.post("/sign-out")
    assert register(Phone.of(people.patient_user), installation).status_code == 201
    assert Device.objects.filter(installation_id=installation).count() == 2
    assert len(live()) == 1


def test_each_binding_is_audited(phone: Phone, people: People) -> None:
    register(phone, installation := uuid4())
    other = people.other_patient.user
    assert other is not None
    register(Phone.of(other), installation)
    actions = AuditEvent.objects.order_by("pk").values_list("action", "actor_id")
    assert list(actions) == [
        ("device.register", actor_for(people.patient_user).user_id),
        ("device.unbind", other.pk),
        ("device.register", other.pk),
    ]
    assert TARGET not in str(list(AuditEvent.objects.values()))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"push_target": ""},
        {"push_target": "short"},
        {"push_target": "x" * 1025},
        {"push_target": "with a space"},
        {"push_target": "nul-nul-nul\x00"},
        {"push_target": TARGET, "kind": "apns"},
        {"push_target": TARGET, "target_kind": "x"},
        {"push_target": TARGET, "platform": "x"},
        {"push_target": TARGET, "is_private": "yes"},
        {"push_target": TARGET, "user": "x"},
    ],
    ids=str,
)
def test_a_malformed_registration_binds_nothing(phone: Phone, body: dict[str, Any]) -> None:
    answer = phone.put(f"/devices/{uuid4()}", body)
    assert answer.status_code == 400
    assert live() == []


def test_a_phone_without_a_uuid_is_nowhere(phone: Phone) -> None:
    assert phone.put("/devices/mine", {"push_target": TARGET}).status_code == 404


def test_a_shared_phone_gets_no_messages(phone: Phone, people: People) -> None:
    register(phone, uuid4(), is_private=False)
    assert len(live()) == 1
    assert live_devices(people.patient_user.pk) == []


# Races ------------------------------------------------------------------------------------------


def test_one_phone_registering_twenty_times_at_once(committed_db: None, people: People) -> None:
    phone, installation = Phone.of(people.patient_user), uuid4()
    answers = at_once([lambda: register(phone, installation).status_code] * 20)
    assert sorted(answers) == [200] * 19 + [201]
    assert len(live()) == 1


def test_ten_pairs_of_phones_swapping_their_targets(committed_db: None, people: People) -> None:
    """Nobody waits for ever, and each target and each app ends with one person."""
    users = [people.patient_user, people.therapist.user]
    apps = [make_device(users[n % 2], f"target-number-{n}").installation_id for n in range(20)]
    phones = [Phone.of(users[n % 2]) for n in range(20)]
    answers = at_once(
        [partial(register, phones[n], apps[n], f"target-number-{n ^ 1}") for n in range(20)]
    )
    assert {answer.status_code for answer in answers} <= {200, 201}
    rows = [(device.installation_id, device.push_target) for device in live()]
    assert sorted(rows) == sorted((apps[n], f"target-number-{n ^ 1}") for n in range(20))


def test_one_target_claimed_by_twenty_apps_at_once(committed_db: None, people: People) -> None:
    users = [people.patient_user, people.therapist.user, people.stranger.user, people.on_call.user]
    phones = [Phone.of(users[n % 4]) for n in range(20)]
    answers = at_once([partial(register, phone, uuid4()) for phone in phones])
    assert {answer.status_code for answer in answers} <= {201, 401}
    assert len(live()) == 1
