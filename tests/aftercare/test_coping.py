"""Ranking a patient's own steps: the cue first, then what helped, then their own order."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.aftercare.coping import Rating, Step, rank


def step(words: str = "walk", *cues: str, order: int = 0, id: UUID | None = None) -> Step:
    return Step(id=id or uuid4(), words=words, cues=frozenset(cues), order=order)


def words(steps: list[Step], *, cues=(), helped=None, ratings=()) -> list[str]:
    return [one.step.words for one in rank(steps, cues=cues, helped=helped or {}, ratings=ratings)]


def test_a_step_for_the_cue_stands_before_one_for_any_and_that_before_one_for_another():
    steps = [step("other", "argument"), step("any"), step("payday", "payday")]
    assert words(steps, cues=["payday"]) == ["payday", "any", "other"]


def test_a_cue_is_the_same_in_any_case():
    assert words([step("a"), step("b", "Pay  Day")], cues=["pay day"]) == ["b", "a"]


def test_without_a_cue_what_helped_decides():
    steps = [step("first"), step("second", "payday", order=1)]
    assert words(steps) == ["first", "second"]
    assert words(steps, helped={"second": 2}) == ["second", "first"]


def test_a_tag_may_be_the_steps_id():
    one, two = step("one"), step("two", order=1)
    assert words([one, two], helped={str(two.id).upper(): 1}) == ["two", "one"]


def test_one_lucky_evening_does_not_outrank_ten_good_ones():
    often, once = step("often", order=1), step("once")
    assert words([once, often], helped={"once": 1, "often": 10}) == ["often", "once"]


def test_a_step_that_did_not_help_falls_behind_one_that_was_never_tried():
    bad, new = step("bad"), step("new", order=1)
    assert words([bad, new], ratings=[Rating(bad.id, helped=False)]) == ["new", "bad"]


@pytest.mark.parametrize(
    ("rating", "share"),
    [
        (Rating(uuid4(), helped=True), 1.0),
        (Rating(uuid4(), helped=False), 0.0),
        (Rating(uuid4(), rating=1), 0.0),
        (Rating(uuid4(), rating=3), 0.5),
        (Rating(uuid4(), rating=5), 1.0),
        (Rating(uuid4(), helped=True, rating=2), 0.25),
    ],
)
def test_what_an_answer_counts(rating: Rating, share: float):
    assert rating.share == share


def test_what_helped_never_lifts_a_step_over_the_cue():
    steps = [step("for it", "payday"), step("for any")]
    assert words(steps, cues=["payday"], helped={"for any": 40})[0] == "for it"


STEPS = st.lists(
    st.builds(
        Step,
        id=st.uuids(),
        words=st.text(max_size=5),
        cues=st.frozensets(st.sampled_from("abc")),
        order=st.integers(0, 3),
    ),
    max_size=8,
    unique_by=lambda one: one.id,
)


@given(steps=STEPS, cues=st.sets(st.sampled_from("abcd")), data=st.data())
def test_the_order_is_total_and_does_not_hang_on_how_the_steps_came(steps, cues, data):
    shuffled = data.draw(st.permutations(steps))
    ranked = rank(steps, cues=cues, helped={"a": 1}, ratings=[])
    assert ranked == rank(shuffled, cues=cues, helped={"a": 1}, ratings=[])
    assert {one.step.id for one in ranked} == {one.id for one in steps}
    assert all(0 < one.score < 1 for one in ranked)
