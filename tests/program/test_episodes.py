"""An episode of care through the API: its phases, its end, and what stands in the way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from backend.accounts.models import AuditEvent
from backend.program.models import EpisodeOfCare, Phase
from tests.people import People, make_tie
from tests.phones import Phone
from tests.program.attending import in_programme, kept, planned

NOW = datetime.now(UTC)
TODAY = (NOW - timedelta(days=1)).date()


@pytest.fixture
def therapist(people: People) -> Phone:
    return Phone.of(people.therapist.user)


def path(people: People, rest: str = "") -> str:
    return f"/patients/{people.patient.pk}/episodes{rest}"


def body(**items: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "started_on": str(TODAY - timedelta(days=40)),
        "phase": "intensive_outpatient",
        **items,
    }


def test_it_begins_once_however_often_it_is_sent(people: People, therapist: Phone) -> None:
    sent = body(treated_substances=["opioids", "alcohol"])
    answers = [therapist.post(path(people), sent) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["treated_substances"] == ["alcohol", "opioids"]
    assert [phase["kind"] for phase in answers[0].json()["phases"]] == ["intensive_outpatient"]
    (event,) = AuditEvent.objects.filter(action="episode_of_care.start")
    assert (event.patient_id, event.object_id) == (people.patient.pk, sent["id"])
    others: list[dict[str, Any]] = [{"phase": "step_down"}, {"treated_substances": []}]
    for other in others:
        answer = therapist.post(path(people), {**sent, **other})
        assert (answer.status_code, answer.json()["code"]) == (409, "id_conflict")
        assert answer.json()["stored"]["id"] == sent["id"]
    assert EpisodeOfCare.objects.count() == 1


def test_one_is_open_at_a_time(people: People, therapist: Phone) -> None:
    assert therapist.post(path(people), body()).status_code == 201
    answer = therapist.post(path(people), body())
    assert (answer.status_code, answer.json()["code"]) == (409, "episode_open")


def test_a_phase_ends_where_the_next_begins(people: People, therapist: Phone) -> None:
    episode = in_programme(people.patient, now=NOW)
    phases = path(people, f"/{episode.pk}/phases")
    step = {"id": str(uuid4()), "kind": "step_down", "started_on": str(TODAY)}
    assert [therapist.post(phases, step).status_code for _ in range(2)] == [201, 200]
    first, second = therapist.get(path(people)).json()["results"][0]["phases"]
    assert first["ended_on"] == str(TODAY - timedelta(days=1))
    assert (second["kind"], second["ended_on"]) == ("step_down", None)
    answer = therapist.post(phases, {**step, "kind": "aftercare"})
    assert (answer.status_code, answer.json()["code"]) == (409, "id_conflict")
    earlier = {**step, "id": str(uuid4()), "started_on": str(TODAY)}
    answer = therapist.post(phases, earlier)
    assert answer.json()["errors"][0]["code"] == "contradiction"
    far = {**step, "id": str(uuid4()), "started_on": str(TODAY + timedelta(days=400))}
    assert therapist.post(phases, far).json()["errors"][0]["code"] == "too_far_ahead"
    assert Phase.objects.count() == 2


def test_its_end_calls_off_what_is_still_to_come(people: People, therapist: Phone) -> None:
    episode = in_programme(people.patient, now=NOW)
    was = kept(people.patient, NOW - timedelta(days=3), "attended", at=NOW)
    coming = planned(people.patient, NOW + timedelta(days=3), now=NOW)
    end = path(people, f"/{episode.pk}/end")
    answer = therapist.put(end, {"ended_on": str(TODAY + timedelta(days=3))})
    assert answer.json()["errors"][0]["code"] == "in_the_future"
    answer = therapist.put(end, {"ended_on": str(TODAY - timedelta(days=50))})
    assert answer.json()["errors"][0]["code"] == "contradiction"
    for _ in range(2):
        assert therapist.put(end, {"ended_on": str(TODAY)}).status_code == 200
    answer = therapist.put(end, {"ended_on": str(TODAY - timedelta(days=1))})
    assert (answer.status_code, answer.json()["code"]) == (409, "episode_ended")
    for session in (was, coming):
        session.refresh_from_db()
    assert (was.cancelled_at, coming.cancelled_at is None) == (None, False)
    assert AuditEvent.objects.filter(action="episode_of_care.end").count() == 1
    late = {"id": str(uuid4()), "kind": "aftercare", "started_on": str(TODAY)}
    answer = therapist.post(path(people, f"/{episode.pk}/phases"), late)
    assert answer.json()["code"] == "episode_ended"
    assert therapist.post(path(people), body(started_on=str(TODAY))).status_code == 201


def test_an_id_of_somebody_else_tells_nothing(people: People) -> None:
    make_tie(people.other_patient, people.stranger)
    theirs = in_programme(people.other_patient, now=NOW)
    for clinician in (people.therapist, people.on_call):  # the latter sees both patients
        answer = Phone.of(clinician.user).post(path(people), body(id=str(theirs.pk)))
        assert (answer.status_code, answer.json()["code"]) == (409, "id_in_use")
        assert "stored" not in answer.json()
    end = path(people, f"/{theirs.pk}/end")
    answer = Phone.of(people.on_call.user).put(end, {"ended_on": str(TODAY)})
    assert answer.status_code == 404
    assert EpisodeOfCare.objects.get().ended_on is None


def test_a_first_day_beyond_a_year_is_a_slip(people: People, therapist: Phone) -> None:
    answer = therapist.post(path(people), body(started_on="2096-03-02"))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "too_far_ahead")
