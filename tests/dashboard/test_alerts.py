"""Acknowledging, acting and resolving, with and without scripts."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from backend.aftercare.models import Alert, AlertAct, AlertActKind
from backend.notifications.models import Notification
from tests.dashboard.browsing import browser_of, raise_alert, shown
from tests.people import People, make_device

HTMX = {"HX-Request": "true"}


def forms_of(page: str, kind: str) -> dict[str, str]:
    """The hidden fields of the page's first form of that kind."""
    form = re.search(rf'<form method="post" action="([^"]*/{kind})".*?</form>', page, re.DOTALL)
    assert form, kind
    fields = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form.group(0))
    return {"action": form.group(1), **dict(fields)}


def form_of(desk: Client, people: People, kind: str) -> dict[str, str]:
    return forms_of(shown(desk.get(f"/desk/patients/{people.patient.pk}")), kind)


@pytest.fixture
def alert(people: People) -> Alert:
    make_device(people.therapist.user)
    return raise_alert(people.patient)


def test_acknowledging_stops_what_was_queued(people: People, desk: Client, alert: Alert) -> None:
    form = form_of(desk, people, "acknowledge")
    response = desk.post(form.pop("action"), form, follow=True)
    assert response.redirect_chain[0][0].endswith(f"{people.patient.pk}#alert-{alert.pk}")
    assert "Saved: you have seen it." in shown(response)
    assert "Bob has seen it" in shown(response)
    alert.refresh_from_db()
    assert (alert.status, alert.acknowledged_by_id) == ("acknowledged", people.therapist.user_id)
    queued = Notification.objects.filter(subject=f"alert:{alert.pk}")
    assert queued.exists()
    assert not queued.filter(cancelled_at__isnull=True).exists()


def test_acting_keeps_the_note_and_is_also_having_seen_it(
    people: People, desk: Client, alert: Alert
) -> None:
    form = form_of(desk, people, "act")
    page = shown(
        desk.post(form.pop("action"), {**form, "note": "Called; <b>will come</b>"}, follow=True)
    )
    assert "Called; &lt;b&gt;will come&lt;/b&gt;" in page
    alert.refresh_from_db()
    assert alert.status == "acknowledged"
    assert AlertAct.objects.get(alert=alert, kind=AlertActKind.ACTED).note.startswith("Called")


def test_resolving_needs_an_outcome_and_closes(people: People, desk: Client, alert: Alert) -> None:
    form = form_of(desk, people, "resolve")
    action = form.pop("action")
    refused = desk.post(action, form)
    assert refused.status_code == 400
    assert "Choose one of the outcomes." in shown(refused)
    alert.refresh_from_db()
    assert alert.status == "open"
    page = shown(desk.post(action, {**form, "outcome": "reached"}, follow=True))
    assert "Bob resolved it: Reached" in page
    assert "No alert is open." in page
    alert.refresh_from_db()
    assert (alert.status, alert.outcome) == ("resolved", "reached")


def test_an_outcome_of_imports_cannot_be_chosen(people: People, desk: Client, alert: Alert) -> None:
    form = form_of(desk, people, "resolve")
    assert desk.post(form.pop("action"), {**form, "outcome": "historical"}).status_code == 400
    alert.refresh_from_db()
    assert alert.outcome == ""


def test_a_form_sent_twice_does_one_thing(people: People, desk: Client, alert: Alert) -> None:
    for kind, more in (("act", {"note": "Called"}), ("resolve", {"outcome": "reached"})):
        form = form_of(desk, people, kind)
        action = form.pop("action")
        answers = [desk.post(action, {**form, **more}) for _ in range(3)]
        assert {answer.status_code for answer in answers} == {302}
    kinds = list(alert.acts.order_by("at").values_list("kind", flat=True))
    assert kinds == ["acted", "resolved"]


def test_what_arrived_meanwhile_must_be_read_first(
    people: People, desk: Client, alert: Alert
) -> None:
    form = form_of(desk, people, "acknowledge")
    raise_alert(people.patient, craving=10)
    response = desk.post(form.pop("action"), form)
    assert response.status_code == 409
    page = shown(response)
    assert "Something new has arrived since you opened this." in page
    assert "Reported craving 10 of 10." in page
    alert.refresh_from_db()
    assert alert.acknowledged_at is None
    again = forms_of(page, "acknowledge")
    assert desk.post(again.pop("action"), again).status_code == 302
    alert.refresh_from_db()
    assert alert.acknowledged_at is not None


def test_an_alert_that_a_colleague_resolved_says_so(
    people: People, desk: Client, alert: Alert
) -> None:
    mine = form_of(desk, people, "act")
    colleague = browser_of(people.supervisor.user)
    theirs = form_of(colleague, people, "resolve")
    colleague.post(theirs.pop("action"), {**theirs, "outcome": "reached"})
    response = desk.post(mine.pop("action"), {**mine, "note": "Called"}, headers=HTMX)
    assert response.status_code == 409
    assert "This alert has been resolved already." in shown(response)
    assert "Sam resolved it: Reached" in shown(response)
    assert not AlertAct.objects.filter(alert=alert, kind=AlertActKind.ACTED).exists()


def test_with_scripts_the_card_alone_comes_back_with_the_focus_and_the_news(
    people: People, desk: Client, alert: Alert
) -> None:
    form = form_of(desk, people, "acknowledge")
    page = shown(desk.post(form.pop("action"), form, headers=HTMX))
    assert page.startswith("<article")
    assert f'id="title-{alert.pk}" tabindex="-1" data-focus' in page
    assert '<div hx-swap-oob="innerHTML:#said">Saved: you have seen it.</div>' in page
    assert "I have seen it" not in page


def test_an_empty_note_comes_back_kindly_with_the_form_open(
    people: People, desk: Client, alert: Alert
) -> None:
    form = form_of(desk, people, "act")
    response = desk.post(form.pop("action"), {**form, "note": "  "}, headers=HTMX)
    assert response.status_code == 400
    page = shown(response)
    assert "Please write in a few words what you did." in page
    assert '<details class="act" open>' in page
    assert not alert.acts.filter(kind=AlertActKind.ACTED).exists()


def test_a_note_too_long_is_refused_and_not_lost(
    people: People, desk: Client, alert: Alert
) -> None:
    form = form_of(desk, people, "act")
    note = "word " * 900
    response = desk.post(form.pop("action"), {**form, "note": note})
    assert response.status_code == 400
    assert note.strip() in shown(response)
    assert not alert.acts.filter(kind=AlertActKind.ACTED).exists()


@pytest.mark.parametrize("kind", ["acknowledge", "act", "resolve"])
def test_nobody_else_can_act(people: People, alert: Alert, kind: str) -> None:
    path = f"/desk/patients/{people.patient.pk}/alerts/{alert.pk}/{kind}"
    body = {"id": str(uuid4()), "seen": "1.1", "note": "x", "outcome": "reached"}
    assert browser_of(people.stranger.user).post(path, body).status_code == 404
    anonymous = Client().post(path, body)
    assert anonymous["Location"] == "/desk/sign-in"
    elsewhere = f"/desk/patients/{people.elsewhere_patient.pk}/alerts/{alert.pk}/{kind}"
    assert browser_of(people.elsewhere_therapist.user).post(elsewhere, body).status_code == 404
    alert.refresh_from_db()
    assert (alert.status, alert.acts.count()) == ("open", 0)


@pytest.mark.parametrize("kind", ["acknowledge", "act", "resolve"])
def test_a_forged_form_and_a_link_do_nothing(people: People, alert: Alert, kind: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(people.therapist.user, backend="django.contrib.auth.backends.ModelBackend")
    session = browser.session
    session["signed_in_at"] = session["active_at"] = timezone.now().timestamp()
    session.save()
    path = f"/desk/patients/{people.patient.pk}/alerts/{alert.pk}/{kind}"
    body = {"id": str(uuid4()), "seen": "1.1", "note": "x", "outcome": "reached"}
    assert browser.get(f"/desk/patients/{people.patient.pk}").status_code == 200
    assert browser.post(path, body).status_code == 403
    assert browser.get(path).status_code == 405
    alert.refresh_from_db()
    assert alert.status == "open"


def test_a_day_to_look_again_is_chosen_on_the_card_and_told_in_words(
    people: People, desk: Client, alert: Alert
) -> None:
    form = form_of(desk, people, "act")
    path = form.pop("action")
    on = (timezone.now() + timedelta(days=3)).date()
    refused = desk.post(path, {**form, "note": "Called.", "look_again_on": "soon"})
    assert refused.status_code == 400
    assert "Please choose a day." in shown(refused)
    page = shown(desk.post(path, {**form, "note": "Called.", "look_again_on": on}, follow=True))
    assert "looked at again on" in page and "I have seen it" not in page
    Alert.objects.filter(pk=alert.pk).update(
        look_again_on=timezone.now().date() - timedelta(days=1)
    )
    page = shown(desk.get(f"/desk/patients/{people.patient.pk}"))
    assert "to be looked at again since" in page and "I have seen it" in page
    assert "To be looked at again since" in shown(desk.get("/desk/"))
    form = form_of(desk, people, "acknowledge")
    desk.post(form.pop("action"), form)
    alert.refresh_from_db()
    assert alert.look_again_on is None
