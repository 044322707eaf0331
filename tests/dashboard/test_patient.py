"""One patient's page: the chart, what made an alert, the notes, the doors that stay shut."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from uuid import uuid4

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backend.accounts.models import AuditEvent, Patient
from backend.aftercare.services import assess_due, assess_history, start_baseline
from backend.dashboard.series import load_series
from backend.tracking.models import Assessment
from tests.dashboard.browsing import SYSTEM, browser_of, import_days, raise_alert, shown, today_of
from tests.people import People, actor_for


def page_of(desk: Client, patient: Patient, query: str = "") -> str:
    response = desk.get(f"/desk/patients/{patient.pk}{query}")
    assert response.status_code == 200
    return shown(response)


def told(page: str) -> list[dict[str, str]]:
    found = re.search(r'<script id="told" type="application/json">(.*?)</script>', page)
    assert found
    days: list[dict[str, str]] = json.loads(found.group(1))
    return days


@pytest.mark.parametrize("who", ["stranger", "elsewhere_therapist"])
@pytest.mark.parametrize("part", ["", "/news"])
def test_another_therapist_finds_nothing_and_the_try_is_audited(
    people: People, who: str, part: str
) -> None:
    browser = browser_of(getattr(people, who).user)
    response = browser.get(f"/desk/patients/{people.patient.pk}{part}")
    missing = browser.get(f"/desk/patients/{uuid4()}{part}")
    assert response.status_code == missing.status_code == 404
    assert shown(response).split("csrf")[0] == shown(missing).split("csrf")[0]
    assert people.patient.given_name not in shown(response)
    denied = AuditEvent.objects.using("audit").filter(
        action="patient.access", patient_id=people.patient.pk, was_allowed=False
    )
    assert denied.exists()


@pytest.mark.parametrize("who", ["therapist", "on_call", "supervisor"])
def test_who_may_see_sees_and_the_read_is_audited(people: People, who: str) -> None:
    clinician = getattr(people, who)
    page_of(browser_of(clinician.user), people.patient)
    event = AuditEvent.objects.filter(action="patient.read").latest("id")
    assert (event.actor_id, event.patient_id) == (clinician.user_id, people.patient.pk)


def test_nobodys_name_is_in_the_title_of_any_page(people: People, desk: Client) -> None:
    for path in ("/desk/", f"/desk/patients/{people.patient.pk}", "/desk/sign-in"):
        titles = re.findall(r"<title>(.*?)</title>", shown(desk.get(path, follow=True)))
        assert titles[0] == "Handrail"


def test_without_a_check_in_it_says_so_and_draws_nothing(people: People, desk: Client) -> None:
    page = page_of(desk, people.patient)
    assert "No check-in yet." in page
    assert 'class="plot"' not in page


def test_every_signal_stands_on_one_axis_with_its_own_band(people: People, desk: Client) -> None:
    import_days(people.patient, days=80, last=today_of(people.patient))
    page = page_of(desk, people.patient)
    for signal in ("mood", "craving", "sleep_hours", "exercise_minutes", "confidence"):
        assert f'data-signal="{signal}"' in page
    mood = page.split('data-signal="mood"')[1].split('data-signal="craving"')[0]
    assert "usual 5.8–7.2" in mood.replace("\n", " ") or re.search(r"usual 5\.\d–7\.\d", mood)
    assert re.search(r'class="band" d="M\d', mood)
    confidence = page.split('data-signal="confidence"')[1].split('class="lane"')[0]
    assert "no answer in these days" in confidence
    assert "<svg" not in confidence


def test_the_band_begins_only_where_enough_was_known(people: People, desk: Client) -> None:
    import_days(people.patient, days=30, last=today_of(people.patient))
    mood = page_of(desk, people.patient, "?days=30").split('data-signal="mood"')[1]
    start = re.search(r'class="band" d="M(\d+)', mood)
    # Ten values are needed, the last of them eight days before.
    assert start and int(start.group(1)) == 17


def test_the_band_is_that_of_six_weeks_up_to_a_week_before(people: People, desk: Client) -> None:
    last = today_of(people.patient)
    import_days(people.patient, days=60, last=last - timedelta(days=30), craving=4)
    import_days(people.patient, days=30, last=last, craving=8)
    page = page_of(desk, people.patient)
    # By hand: 42 days up to a week before, of which 22 said 8 and 20 said 4.
    days = np.array([4.0] * 20 + [8.0] * 22)
    spread = np.sqrt((41 * days.var(ddof=1) + 7 * 1.25**2) / 48)
    low, high = (f"{round(days.mean() + side * spread, 1):g}" for side in (-1, 1))
    assert f"usual {low}–{high}" in page.split('data-signal="craving"')[1]


def test_after_a_new_normal_the_usual_is_made_of_its_days_alone(
    people: People, desk: Client
) -> None:
    today = today_of(people.patient)
    import_days(people.patient, days=60, last=today - timedelta(days=30), mood=2)
    import_days(people.patient, days=30, last=today, mood=8)
    start_baseline(
        actor=actor_for(people.therapist.user),
        patient_id=people.patient.pk,
        start_id=uuid4(),
        from_on=today - timedelta(days=29),
        reason="New medication <since then>.",
        now=timezone.now(),
    )
    page = page_of(desk, people.patient)
    assert "New medication &lt;since then&gt;." in page
    assert people.therapist.display_name in page.split("new-normal")[1].split("</p>")[0]
    by_signal = load_series(
        people.patient.pk,
        first=today - timedelta(days=89),
        last=today,
        counted_from=today - timedelta(days=29),
    )
    mood = next(one for one in by_signal if one.name == "mood")
    assert mood.low[-1] > 7
    usual = f"usual {mood.low[-1]:.1f}–{mood.high[-1]:.1f}"
    assert usual in page.split('data-signal="mood"')[1].split("</article>")[0]
    assert np.isnan(mood.low[-30:-13]).all(), "too little is known of the new days"
    assert mood.high[-31] < 3, "what was usual before stays as it was known then"
    assess_due(now=timezone.now())
    facts = Assessment.objects.filter(patient_id=people.patient.pk).latest("assessed_at").facts
    judged = next(one for one in facts["signals"] if one["signal"] == "mood")["baseline"]
    assert (mood.low[-1], mood.high[-1]) == pytest.approx((judged["low"], judged["high"]), abs=0.1)


def test_a_former_normal_is_not_called_usual_any_more(people: People, desk: Client) -> None:
    today = today_of(people.patient)
    import_days(people.patient, days=90, last=today)
    assert "usual not known yet" not in page_of(desk, people.patient).split('"mood"')[1]
    start_baseline(
        actor=actor_for(people.therapist.user),
        patient_id=people.patient.pk,
        start_id=uuid4(),
        from_on=today - timedelta(days=3),
        reason="A new home.",
        now=timezone.now(),
    )
    mood, rest = page_of(desk, people.patient).split('data-signal="mood"')[1].split("</p>", 1)
    assert "usual not known yet" in mood + rest.split('data-signal="')[0]


def test_a_new_normal_that_changes_nothing_shown_is_not_spoken_of(
    people: People, desk: Client
) -> None:
    today = today_of(people.patient)
    import_days(people.patient, days=200, last=today)
    start_baseline(
        actor=actor_for(people.therapist.user),
        patient_id=people.patient.pk,
        start_id=uuid4(),
        from_on=today - timedelta(days=29 + 48),
        reason="A new home.",
        now=timezone.now(),
    )
    assert "A new home." in page_of(desk, people.patient, "?days=30")
    start_baseline(
        actor=actor_for(people.therapist.user),
        patient_id=people.patient.pk,
        start_id=uuid4(),
        from_on=today - timedelta(days=29 + 49),
        reason="A new job.",
        now=timezone.now(),
    )
    assert "A new job." not in page_of(desk, people.patient, "?days=30")
    assert "A new job." in page_of(desk, people.patient)


def test_through_a_long_silence_nothing_is_shown_as_usual(people: People, desk: Client) -> None:
    last = today_of(people.patient)
    import_days(people.patient, days=60, last=last - timedelta(days=70))
    import_days(people.patient, days=1, last=last)
    mood = page_of(desk, people.patient, "?days=all").split('data-signal="mood"')[1]
    band = re.search(r'class="band" d="([^"]*)"', mood)
    assert band and band.group(1).count("M") == 1
    ends = [float(point.split(" ")[0]) for point in re.split(r"[ML]", band.group(1))[1:]]
    # On the 40th day of silence ten answers are within seven weeks for the last time.
    assert max(ends) == 60 + 40


def test_a_missing_day_is_a_gap_and_never_a_zero(people: People, desk: Client) -> None:
    last = today_of(people.patient)
    import_days(people.patient, days=3, last=last)
    import_days(people.patient, days=3, last=last - timedelta(days=5))
    page = page_of(desk, people.patient, "?days=30")
    mood = page.split('data-signal="mood"')[1]
    line = re.search(r'class="line-path" d="([^"]*)"', mood)
    assert line and line.group(1).count("M") == 2
    days = told(page)
    assert (days[-4]["says"], days[-5]["says"]) == ("no check-in", "no check-in")
    assert "Mood 7" in days[-1]["says"]
    assert "Check-ins on 6 of 30 days" in page


def test_the_day_that_made_an_alert_is_marked_on_its_signal_alone(
    people: People, desk: Client
) -> None:
    today = today_of(people.patient)
    import_days(people.patient, days=5, last=today - timedelta(days=1))
    raise_alert(people.patient, local_date=today.isoformat(), mood=6)
    page = page_of(desk, people.patient, "?days=30")
    panels = page.split('class="lane panel"')[1:]
    marked = [re.search(r'class="marked" d="([^"]*)"', panel) for panel in panels]
    drawn = [bool(found and found.group(1)) for found in marked]
    assert drawn == [False, True, False]
    assert "made an alert" in told(page)[-1]["says"]
    assert "made an alert" not in told(page)[-2]["says"]
    assert 'class="alert-day"' in page


def test_use_is_shown_on_the_day_it_was(people: People, desk: Client) -> None:
    today = today_of(people.patient)
    import_days(people.patient, days=5, last=today - timedelta(days=1))
    used_on = today - timedelta(days=2)
    raise_alert(
        people.patient,
        local_date=today.isoformat(),
        craving=None,
        use_reported=True,
        use_on=used_on.isoformat(),
    )
    page = page_of(desk, people.patient, "?days=30")
    assert page.count('class="use"') == 1
    assert "use reported" in told(page)[-3]["says"]
    assert "use reported" not in told(page)[-1]["says"]


@pytest.mark.parametrize(
    ("query", "days"), [("", 90), ("?days=30", 30), ("?days=all", 120), ("?days=%00", 90)]
)
def test_the_range_is_30_or_90_days_or_all(
    people: People, desk: Client, query: str, days: int
) -> None:
    import_days(people.patient, days=120, last=today_of(people.patient))
    assert len(told(page_of(desk, people.patient, query))) == days


def test_who_has_long_been_silent_is_shown_up_to_their_last_day(
    people: People, desk: Client
) -> None:
    last = today_of(people.patient) - timedelta(days=200)
    import_days(people.patient, days=60, last=last)
    page = page_of(desk, people.patient)
    assert "Silent since then: the chart ends with the last check-in" in page
    assert "Mood 7" in told(page)[-1]["says"]


@pytest.mark.parametrize(
    ("days_ago", "says"), [(6, "About as usual."), (9, "No check-in for 9 days.")]
)
def test_after_a_week_of_silence_no_trend_is_claimed(
    people: People, desk: Client, days_ago: int, says: str
) -> None:
    import_days(people.patient, days=60, last=today_of(people.patient) - timedelta(days=days_ago))
    assess_history(actor=SYSTEM, patient=people.patient, now=timezone.now())
    for page in (page_of(desk, people.patient), shown(desk.get("/desk/"))):
        assert ("Steady" in page) is (days_ago < 7)
        assert ("Too little to say" in page) is (days_ago >= 7)
    assert says in page_of(desk, people.patient)


def test_a_historical_decline_is_labelled_and_cannot_be_acted_on(
    people: People, desk: Client
) -> None:
    last = today_of(people.patient)
    import_days(people.patient, days=70, last=last - timedelta(days=20))
    import_days(people.patient, days=20, last=last, mood=2, craving=7)
    assert assess_history(actor=SYSTEM, patient=people.patient, now=timezone.now()) >= 1
    page = page_of(desk, people.patient)
    assert "Historical: from imported days, nobody was told" in page
    assert "historical" in page.split("plot-alerts")[1].split("</svg>")[0]
    assert "No alert is open." in page
    assert "I have seen it" not in page


def test_past_alerts_stand_after_the_chart_and_many_are_folded(
    people: People, desk: Client
) -> None:
    last = today_of(people.patient)
    for back in (2, 20, 40):
        import_days(people.patient, days=1, last=last - timedelta(days=back), mood=0)
    page = page_of(desk, people.patient)
    assert '<details class="past" open>' in page
    assert page.index('class="course"') < page.index('class="past"')
    import_days(people.patient, days=1, last=last - timedelta(days=60), mood=0)
    assert '<details class="past">' in page_of(desk, people.patient)


def test_a_day_of_another_year_says_so(people: People, desk: Client) -> None:
    long_ago = date(today_of(people.patient).year - 1, 1, 3)
    import_days(people.patient, days=1, last=long_ago, mood=0)
    page = page_of(desk, people.patient, "?days=30")
    assert page.count(f"Jan 3, {long_ago.year}") >= 3
    desk.post("/desk/language", {"language": "es"})
    assert f"3 ene {long_ago.year}" in page_of(desk, people.patient, "?days=30")


def test_a_long_axis_names_some_months(people: People, desk: Client) -> None:
    last = today_of(people.patient)
    import_days(people.patient, days=1, last=last - timedelta(days=700))
    import_days(people.patient, days=1, last=last)
    axis = page_of(desk, people.patient, "?days=all").split("plot-axis")[1]
    ticks = re.findall(r'class="day-tick"[^>]*>([^<]*)<', axis)
    assert 3 <= len(ticks) <= 5
    assert all(re.fullmatch(r"[A-Z][a-z]{2} \d{4}", tick) for tick in ticks)


def test_a_private_note_stays_with_the_patient(people: People, desk: Client) -> None:
    raise_alert(people.patient, note="only for me", note_shared=False)
    raise_alert(people.patient, note="please read this", note_shared=True)
    page = page_of(desk, people.patient)
    assert "only for me" not in page
    assert "a note, not shared" in page
    assert "please read this" in page


def test_news_is_said_only_when_something_arrived(people: People, desk: Client) -> None:
    raise_alert(people.patient)
    since = timezone.now().timestamp()
    address = f"/desk/patients/{people.patient.pk}/news?since={since}"
    assert desk.get(address).status_code == 204
    raise_alert(people.patient)
    response = desk.get(address)
    assert response.status_code == 200
    assert "Something new has arrived." in shown(response)
    assert people.patient.given_name not in shown(response)


def test_the_pages_queries_are_few(people: People, desk: Client) -> None:
    import_days(people.patient, days=90, last=today_of(people.patient))
    for _ in range(3):
        raise_alert(people.patient)
    with CaptureQueriesContext(connection) as asked:
        page_of(desk, people.patient)
    assert len(asked) < 20


def test_nothing_on_the_pages_needs_a_weaker_policy(people: People, desk: Client) -> None:
    import_days(people.patient, days=40, last=today_of(people.patient))
    raise_alert(people.patient)
    for path in ("/desk/", f"/desk/patients/{people.patient.pk}", "/desk/sign-in"):
        response = desk.get(path, follow=True)
        policy = response["Content-Security-Policy"]
        assert "unsafe" not in policy
        page = shown(response)
        assert not re.search(r"\sstyle=|\son\w+=|<style|javascript:", page)
        scripts = re.findall(r"<script([^>]*)>", page)
        assert all("src=" in s or 'type="application/json"' in s for s in scripts)
        assert not re.search(r'(src|href)="(https?:)?//', page)
