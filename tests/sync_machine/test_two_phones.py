"""Two phones of one patient and the server come to the same, whatever happens on the way.

`HANDRAIL_TESTS=long` looks a hundred times harder than an ordinary run.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.sync_machine.machine import TwoPhones

IS_LONG = os.environ.get("HANDRAIL_TESTS") == "long"
SETTINGS = settings(
    max_examples=2000 if IS_LONG else 60,
    stateful_step_count=50 if IS_LONG else 25,
    derandomize=not IS_LONG,
    database=None,
    deadline=None,
    print_blob=True,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


def test_two_phones_and_the_server_come_to_the_same(db: None) -> None:
    run_state_machine_as_test(TwoPhones, settings=SETTINGS)
