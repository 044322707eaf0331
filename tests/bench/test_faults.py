"""The fault bench can fail: the judge on invented accounts, the mutants' texts, and a short run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from bench.faults import table
from bench.faults.copies import Edit, TextNotFoundError, mutated
from bench.faults.faults import FAULTS, chosen, kind_of
from bench.faults.fcm import Accepted
from bench.faults.judge import Exempt, Rows, StoredCheckIn, Tie, Verdict, judge, sent_twice
from bench.faults.ledger import Sent, check_ins
from bench.faults.mutants import MUTANTS
from local.programs import ROOT, without_secrets
from tests.architecture.source import files, imports_in, tree
from tests.local.processes import is_alive, wait_for

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PATIENT, ALERT = uuid4(), uuid4()
SUPPORT, TO_CLINICIAN = uuid4(), uuid4()
PHONES = ["phone-1", "phone-2"]


def sent(severity: str = "critical", **values: Any) -> Sent:
    made: dict[str, Any] = {"acked_at": 1.0, **values}
    return Sent(
        id=uuid4(), patient=1, recorded_at=NOW, due_at=0.0, severity=severity, body={}, **made
    )


def stored(one: Sent, **values: Any) -> StoredCheckIn:
    row = StoredCheckIn(one.id, PATIENT, one.recorded_at, NOW)
    return replace(row, **values)


def rows(one: Sent, **values: Any) -> Rows:
    """What an acute check-in leaves behind when everything is well."""
    well = Rows(
        check_ins=[stored(one)],
        ties=[Tie(one.id, one.id, ALERT, round=1)],
        notifications={
            f"support:{one.id}:critical": SUPPORT,
            f"alert:{ALERT}:1:0:{uuid4()}": TO_CLINICIAN,
        },
    )
    return replace(well, **values)


def inbox(*targets: str, clinician: str = "staff-1") -> list[Accepted]:
    got = [Accepted(str(SUPPORT), target, 2.0) for target in targets]
    return [*got, *([Accepted(str(TO_CLINICIAN), clinician, 2.0)] if clinician else [])]


def red(
    ledger: Sequence[Sent],
    found: Rows,
    got: Sequence[Accepted],
    *,
    dead: Sequence[str] = (),
    exempt: Exempt | None = None,
) -> dict[str, int]:
    return judge(
        ledger=ledger,
        rows=found,
        inbox=got,
        phones_of={1: PHONES},
        dead_targets=dead,
        exempt=exempt,
    ).red


def test_all_is_well() -> None:
    one = sent()
    assert red([one], rows(one), inbox(*PHONES)) == {}


def test_an_acknowledged_check_in_that_is_not_there_is_lost() -> None:
    one, other = sent(), sent("")
    assert red([one, other], rows(one), inbox(*PHONES)) == {"lost_check_ins": 1}


def test_one_that_was_never_acknowledged_is_not_lost_and_not_forgotten() -> None:
    one, other = sent(), sent("", acked_at=0.0)
    assert red([one, other], rows(one), inbox(*PHONES)) == {"never_acknowledged": 1}


def test_the_same_moment_of_the_same_person_twice_is_a_duplicate() -> None:
    one = sent()
    twice = [stored(one), stored(one, id=uuid4())]
    assert red([one], rows(one, check_ins=twice), inbox(*PHONES)) == {"duplicate_rows": 1}
    elsewhere = [stored(one), stored(one, id=uuid4(), patient_id=uuid4())]
    assert red([one], rows(one, check_ins=elsewhere), inbox(*PHONES)) == {}
    later = [stored(one), stored(one, id=uuid4(), recorded_at=NOW + timedelta(seconds=1))]
    assert red([one], rows(one, check_ins=later), inbox(*PHONES)) == {}


def test_a_repeat_that_is_stored_as_new_and_a_refusal_are_told() -> None:
    one = sent(replayed=[200, 201])
    assert red([one], rows(one), inbox(*PHONES)) == {"replays_stored": 1}
    one = sent(replayed=[200], refused_with=409)
    assert red([one], rows(one), inbox(*PHONES)) == {"refused": 1}


def test_no_alert_and_two_alerts_are_both_wrong() -> None:
    one = sent()
    without = red([one], rows(one, ties=[]), inbox(*PHONES))
    assert without == {"acute_without_one_alert": 1, "acute_without_clinician_message": 1}
    two = [Tie(one.id, one.id, ALERT, 1), Tie(one.id, one.id, uuid4(), 1)]
    assert red([one], rows(one, ties=two), inbox(*PHONES)) == {"acute_without_one_alert": 1}


def test_what_was_stored_without_an_acknowledgment_has_its_alert_as_well() -> None:
    one = sent(acked_at=0.0)
    found = red([one], rows(one, ties=[]), inbox(*PHONES))
    assert found["acute_without_one_alert"] == 1


def test_a_refused_body_and_its_correction_have_one_alert_between_them() -> None:
    one, report = sent(heard_at=0.5), uuid4()
    ties = [Tie(one.id, report, ALERT, 1), Tie(one.id, one.id, ALERT, 1)]
    told = {f"support:{report}:critical": SUPPORT, f"alert:{ALERT}:1:0:x": TO_CLINICIAN}
    well = rows(one, ties=ties, notifications=told)
    assert red([one], well, inbox(*PHONES)) == {}
    unheard = rows(one, ties=ties[1:], notifications=told)
    assert red([one], unheard, inbox(*PHONES))["acute_without_one_alert"] == 1
    apart = replace(well, ties=[ties[0], Tie(one.id, one.id, uuid4(), 1)])
    assert red([one], apart, inbox(*PHONES)) == {"acute_without_one_alert": 1}


def test_every_living_phone_must_have_been_reached() -> None:
    one = sent()
    assert red([one], rows(one), inbox("phone-1")) == {"acute_without_push": 1}
    assert red([one], rows(one), inbox()) == {"acute_without_push": 1}
    # Our own ledger saying so is not enough: the stand-in has to have accepted it.
    other = [Accepted(str(uuid4()), target, 2.0) for target in PHONES]
    got = [*other, *inbox()]
    assert red([one], rows(one), got) == {"acute_without_push": 1}


def test_a_clinician_must_have_been_reached_about_this_round() -> None:
    one = sent()
    assert red([one], rows(one), inbox(*PHONES, clinician="")) == {
        "acute_without_clinician_message": 1
    }
    renewed = rows(one, ties=[Tie(one.id, one.id, ALERT, round=2)])
    assert red([one], renewed, inbox(*PHONES)) == {"acute_without_clinician_message": 1}


def test_medium_ones_need_an_alert_and_no_message_at_once() -> None:
    one = sent("medium")
    assert red([one], rows(one, notifications={}), []) == {}
    assert red([one], rows(one, ties=[], notifications={}), []) == {"acute_without_one_alert": 1}


def test_what_a_plan_made_impossible_is_left_out_and_nothing_else() -> None:
    one = sent()
    exempt = Exempt(from_push=frozenset({one.id}))
    assert red([one], rows(one), inbox(), exempt=exempt) == {}
    other = Exempt(from_push=frozenset({uuid4()}))
    assert red([one], rows(one), inbox(), exempt=other) == {"acute_without_push": 1}


def test_a_healthy_phone_that_was_retired_is_told_and_a_dead_one_is_not() -> None:
    one = sent()
    unbound = rows(one, unbound_targets=frozenset({"phone-9", "gone"}))
    assert red([one], unbound, inbox(*PHONES), dead=["gone"]) == {"healthy_devices_retired": 1}


def test_patients_whom_nobody_assessed_are_told() -> None:
    one = sent()
    assert red([one], rows(one, unassessed=3), inbox(*PHONES)) == {"unassessed_patients": 3}


def test_a_message_that_came_twice_is_found_on_the_phone_it_came_to() -> None:
    got = [
        Accepted("a", "phone-1", 1.0),
        Accepted("a", "phone-2", 1.0),
        Accepted("b", "phone-1", 2),
    ]
    assert sent_twice(got) == []
    assert len(sent_twice([*got, got[0]])) == 1
    assert sent_twice([*got, got[0]], targets=["phone-2"]) == []


def test_a_verdict_with_a_count_is_not_green() -> None:
    verdict = Verdict()
    verdict.count("lost_check_ins", [])
    assert verdict.is_green
    verdict.count("lost_check_ins", ["one", "two"])
    assert (verdict.is_green, verdict.red) == (False, {"lost_check_ins": 2})


def run_of(**zeros: int) -> dict[str, Any]:
    counts = {**dict.fromkeys(table.PROMISES, 0), **zeros}
    figures = {"post_ms_p95": 20.0, "push_s_p50": 0.1, "push_s_p99": 0.4, "check_ins": 9}
    is_green = not any(counts.values())
    return {"seed": 1, "is_green": is_green, **counts, "zeros": counts, **figures}


def test_the_table_says_what_was_not_kept() -> None:
    good = {"seeds": [run_of()], "mutants": [], "controls": []}
    assert table.is_green(good)
    assert "Everything that was promised was kept." in table.shown(good)
    bad = {**good, "seeds": [run_of(), run_of(acute_without_push=2)]}
    assert list(table.complaints(bad)) == ["seed 1: acute_without_push 2"]
    slow = {"no_broker": {**run_of(), "post_ms_p95": 250.0}}
    assert not table.is_green(slow)
    late = {"no_faults": {**run_of(), "push_s_p99": 1.2}}
    assert not table.is_green(late)
    missed = {"mutants": [{"name": "no_fence", "caught": False, "because": {}}]}
    assert list(table.complaints(missed)) == ["mutant no_fence was not caught"]
    assert "NOT CAUGHT" in table.shown(missed)
    tired = {"controls": [{"scene": "web_crashes", "is_green": False, "because": {"lost": 1}}]}
    assert not table.is_green(tired)


def test_a_full_seed_holds_sixty_faults_of_twelve_kinds_in_an_order_of_its_own() -> None:
    assert len(FAULTS) >= 12
    orders = [[f.name for f in chosen(seed=s, count=60, long_stop=True)] for s in (1, 2, 3)]
    for order in orders:
        assert len(order) >= 60
        assert len({kind_of(name) for name in order}) >= 12
        assert "postgres_stop_30" in order
    assert orders[0] != orders[1]
    assert orders[0] == [f.name for f in chosen(seed=1, count=60, long_stop=True)]


def test_the_phones_plan_is_seeded_and_no_two_of_its_check_ins_look_alike() -> None:
    def planned(seed: int) -> list[Sent]:
        wanted = {"people": 10, "count": 400, "rate": 50.0, "acute_share": 0.1, "begin": 1e9}
        return list(check_ins(seed=seed, **wanted))  # type: ignore[arg-type]

    once = planned(1)
    assert [one.id for one in once] == [one.id for one in planned(1)]
    assert {one.id for one in once}.isdisjoint(one.id for one in planned(2))
    assert len({(one.patient, one.recorded_at) for one in once}) == len(once)
    assert any(one.severity for one in once)
    assert any(one.clock_is_wrong for one in once)
    assert any(one.replays for one in once)


def test_a_wrong_clock_is_put_right_once_it_was_refused() -> None:
    one = sent("", clock_is_wrong=True)
    wrong = json.loads(one.json())["recorded_at"]
    assert datetime.fromisoformat(wrong) == NOW + timedelta(hours=3)
    one.heard_at = 1.0
    right = json.loads(one.json())
    assert datetime.fromisoformat(right["recorded_at"]) == NOW
    assert UUID(right["id"]) == one.id


def test_there_are_mutants_enough_and_each_has_its_own_name() -> None:
    assert len(MUTANTS) >= 8
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_fits_the_source(mutant: Any) -> None:
    """A text that has changed takes the mutant with it: write it anew beside the change."""
    for edit in mutant.edits:
        assert (ROOT / edit.path).read_text().count(edit.old) == 1, (edit.path, edit.old)
        assert edit.new != edit.old


def test_who_judges_never_loads_what_is_judged() -> None:
    """Two modules run inside the copy; the others would bring the checkout into the judgement."""
    inside = {"people.py", "sweeping.py"}
    loading = {
        path.name
        for path in files("bench")
        if path.parent.name == "faults"
        and any(
            name.split(".")[0] in ("backend", "worker", "django")
            for _line, name in imports_in(tree(path))
        )
    }
    assert loading == inside


def test_a_mutant_whose_text_is_gone_fails_loudly_and_leaves_nothing(tmp_path: Path) -> None:
    copy = tmp_path / "tree"
    copy.mkdir()
    (copy / "module.py").write_text("a = 1\nb = 1\n")
    with pytest.raises(TextNotFoundError, match="0 times"):
        mutated(copy, [Edit("module.py", "c = 1", "c = 2")], into=tmp_path / "gone")
    with pytest.raises(TextNotFoundError, match="2 times"):
        mutated(copy, [Edit("module.py", " = 1", " = 2")], into=tmp_path / "gone")
    with pytest.raises(TextNotFoundError):
        mutated(copy, [Edit("nothing.py", "a", "b")], into=tmp_path / "gone")
    assert not (tmp_path / "gone").exists()
    changed = mutated(copy, [Edit("module.py", "a = 1", "a = 2")], into=tmp_path / "mutant")
    assert (changed / "module.py").read_text() == "a = 2\nb = 1\n"
    assert (copy / "module.py").read_text() == "a = 1\nb = 1\n"


def short_run(out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench.faults", "--short", "--figures", str(out), *options],
        cwd=ROOT,
        env=without_secrets(os.environ),
        capture_output=True,
        text=True,
        timeout=420,
        check=False,
    )


def test_a_short_run_keeps_every_promise(tmp_path: Path) -> None:
    out = tmp_path / "faults.json"
    finished = short_run(out)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    figures = json.loads(out.read_text())
    (seed,) = figures["seeds"]
    assert (seed["seed"], seed["check_ins"], seed["faults"]) == (1, 300, 6)
    assert seed["acute"] > 0
    assert {name: seed[name] for name in table.PROMISES} == dict.fromkeys(table.PROMISES, 0)
    assert seed["push_s_p99"] >= seed["push_s_p50"] > 0
    assert "Everything that was promised was kept." in finished.stdout


def test_a_mutant_turns_it_red_and_the_project_as_it_is_stays_green(tmp_path: Path) -> None:
    out = tmp_path / "faults.json"
    name = "messages_stored_after_the_commit"
    finished = short_run(out, "--only", "mutants", "--mutants", name)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    figures = json.loads(out.read_text())
    (mutant,), (control,) = figures["mutants"], figures["controls"]
    assert (mutant["name"], mutant["caught"]) == (name, True)
    assert mutant["because"]["acute_without_push"] > 0
    assert control["is_green"]


def test_a_bench_that_is_killed_leaves_nobody_behind(tmp_path: Path) -> None:
    code = (
        "import time, bench.faults.ground as g\n"
        "ground = g.Ground(people=5, commit='', say=lambda text: None)\n"
        "keeper = ground.keeper\n"
        "print(keeper.pid('postgres'), keeper.pid('valkey'), flush=True)\n"
        "time.sleep(60)\n"
    )
    bench = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=without_secrets(os.environ),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert bench.stdout is not None
    pids = [int(pid) for pid in bench.stdout.readline().split()]
    bench.kill()
    bench.wait()
    bench.stdout.close()
    assert len(pids) == 2
    assert wait_for_end(pids)


def wait_for_end(pids: Sequence[int]) -> bool:
    return wait_for(lambda: not any(map(is_alive, pids)), seconds=20)
