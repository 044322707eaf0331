from __future__ import annotations

import json

import numpy as np
import pytest

from backend.tracking.simulation import Scenario, simulate
from backend.tracking.trends import shipped_limits
from backend.tracking.trends.refit import TooFewDays, propose

FROM = {"cohort": "made up for a test"}


def people(count: int) -> np.ndarray:
    """People whose days come in longer stretches than the shipped limits were fitted on."""
    values = simulate(
        Scenario(size=0, signals=2), people=count, rng=np.random.default_rng(4)
    ).values
    return np.repeat(values, 2, axis=1)[:, :90]


def test_the_proposed_limits_give_the_loads_that_are_wanted():
    proposal = propose(people(300), population_sd=1.25, provenance=FROM)
    for load in proposal.loads:
        assert load.proposed == pytest.approx(load.wanted, rel=0.1, abs=0.02)
    assert any(abs(load.today / load.wanted - 1) > 0.3 for load in proposal.loads)


def test_a_proposal_changes_nothing_by_itself():
    before = shipped_limits().by_signals.copy()
    propose(people(100), population_sd=1.25, provenance=FROM)
    np.testing.assert_array_equal(shipped_limits().by_signals, before)


def test_it_can_be_stored_and_says_where_it_came_from():
    document = json.loads(
        json.dumps(propose(people(100), population_sd=1.25, provenance=FROM).document)
    )
    assert document["provenance"]["cohort"] == "made up for a test"
    assert document["provenance"]["people"] == 100
    assert document["provenance"]["ruleset"]


def test_too_few_days_are_refused():
    with pytest.raises(TooFewDays):
        propose(people(20), population_sd=1.25, provenance=FROM)
