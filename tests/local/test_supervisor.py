"""Children are kept alive, told about, and stopped in order: with small real programs."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from local.launch import LaunchError, Program
from local.supervisor import BackOff, StopRequestedError, Supervisor
from tests.local.processes import is_alive, kill, python_program, start_python, wait_for

QUICK = BackOff(
    first=timedelta(seconds=0.1), limit=timedelta(seconds=0.3), settled=timedelta(seconds=30)
)
SLEEP = "import time; print('up'); time.sleep(60)"
FAIL = "import sys; print('what went wrong'); sys.exit(3)"
TELL_END = """
import pathlib, signal, sys, time
def end(*_):
    with open("ended", "a") as ended: ended.write("{name} ")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("up")
time.sleep(60)
"""


class Heard:
    """What a supervisor said, and the process ids it told last."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.pids: Mapping[str, int] = {}

    def change(self, pids: Mapping[str, int]) -> None:
        self.pids = dict(pids)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def supervisor(heard: Heard) -> Iterator[Supervisor]:
    made = Supervisor(say=heard.said.append, changed=heard.change, back_off=QUICK)
    yield made
    made.stop_all()


def pause_until(supervisor: Supervisor, log: Path, text: str = "up") -> None:
    supervisor.wait_until(
        lambda: log.exists() and text in log.read_text(),
        within=timedelta(seconds=10),
        what=text,
    )


def test_back_off_doubles_up_to_its_limit() -> None:
    waits = [QUICK.after(deaths).total_seconds() for deaths in (1, 2, 3, 1000)]
    assert waits == [0.1, 0.2, 0.3, 0.3]


def test_a_child_that_is_killed_is_started_again(
    supervisor: Supervisor, heard: Heard, tmp_path: Path
) -> None:
    supervisor.add(python_program(tmp_path, SLEEP))
    first = heard.pids["child"]
    pause_until(supervisor, tmp_path / "child.log")
    os.kill(first, signal.SIGKILL)
    supervisor.wait_until(
        lambda: heard.pids.get("child", first) != first, within=timedelta(seconds=10), what="start"
    )
    assert is_alive(heard.pids["child"])
    assert "child ended (signal 9, Killed); starting it again in 0.1 s" in heard.said


def test_a_living_child_is_left_alone(supervisor: Supervisor, heard: Heard, tmp_path: Path) -> None:
    supervisor.add(python_program(tmp_path, SLEEP))
    pids = heard.pids
    supervisor.pause(0.5)
    assert heard.pids == pids
    assert heard.said == []


def test_a_dead_child_is_not_among_the_living_while_it_waits(
    supervisor: Supervisor, heard: Heard, tmp_path: Path
) -> None:
    supervisor.is_up = True
    supervisor.add(python_program(tmp_path, FAIL))
    supervisor.wait_until(lambda: heard.pids == {}, within=timedelta(seconds=10), what="death")


def test_each_death_waits_longer(supervisor: Supervisor, heard: Heard, tmp_path: Path) -> None:
    supervisor.is_up = True
    supervisor.add(python_program(tmp_path, FAIL))
    supervisor.wait_until(
        lambda: sum("ended" in said for said in heard.said) >= 4,
        within=timedelta(seconds=10),
        what="four deaths",
    )
    waits = [said.split()[-2] for said in heard.said if "ended (exit 3)" in said]
    assert waits[:4] == ["0.1", "0.2", "0.3", "0.3"]


def test_a_child_that_had_settled_starts_at_the_shortest_wait_again(tmp_path: Path) -> None:
    heard = Heard()
    back_off = replace(QUICK, settled=timedelta(seconds=0.2))
    supervisor = Supervisor(say=heard.said.append, changed=heard.change, back_off=back_off)
    supervisor.is_up = True
    supervisor.add(python_program(tmp_path, "import time; time.sleep(0.5)"))
    supervisor.wait_until(
        lambda: sum("ended" in said for said in heard.said) >= 2,
        within=timedelta(seconds=10),
        what="two deaths",
    )
    supervisor.stop_all()
    assert {said.split()[-2] for said in heard.said if "ended" in said} == {"0.1"}


def test_the_first_error_is_shown_and_a_hopeless_start_given_up(
    supervisor: Supervisor, heard: Heard, tmp_path: Path
) -> None:
    supervisor.add(python_program(tmp_path, FAIL))
    with pytest.raises(LaunchError, match="child does not start:\nwhat went wrong"):
        supervisor.pause(20)
    assert sum("what went wrong" in said for said in heard.said) == 1


def test_what_is_not_ready_in_time_is_an_error(supervisor: Supervisor) -> None:
    with pytest.raises(LaunchError, match="an answer did not happen within 0 s"):
        supervisor.wait_until(lambda: False, within=timedelta(seconds=0.2), what="an answer")


def test_children_are_stopped_the_latest_first(supervisor: Supervisor, tmp_path: Path) -> None:
    for name in ("database", "worker", "web"):
        supervisor.add(python_program(tmp_path, TELL_END.format(name=name), name=name))
        pause_until(supervisor, tmp_path / f"{name}.log")
    supervisor.stop_all()
    assert (tmp_path / "ended").read_text() == "web worker database "


def test_running_once_returns_what_was_printed_but_not_what_was_logged(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    code = "import sys; print('answer'); print('a word aside', file=sys.stderr)"
    assert supervisor.run_once(python_program(tmp_path, code)) == "answer\n"
    assert (tmp_path / "child.log").read_text() == "a word aside\n"


def test_running_once_shows_why_it_failed(supervisor: Supervisor, tmp_path: Path) -> None:
    (tmp_path / "child.log").write_text("of an earlier run\n")
    program = python_program(tmp_path, "raise SystemExit('no such table')")
    with pytest.raises(LaunchError, match="child failed:\nno such table") as raised:
        supervisor.run_once(program)
    assert "earlier" not in str(raised.value)


PARENT = """
import pathlib, signal, sys
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whatever runs the tests may have it ignored
from datetime import timedelta
from local.supervisor import StopRequestedError, Supervisor
from tests.local.processes import python_program
folder = pathlib.Path({folder!r})
supervisor = Supervisor(say=lambda text: None, changed=lambda pids: print(*pids.values()))
supervisor.listen()
for name, code in {children!r}.items():
    supervisor.add(python_program(folder, code, name=name))
try:
    supervisor.watch()
except StopRequestedError:
    supervisor.stop_all()
    print("stopped in order")
"""


def start_parent(folder: Path, children: Mapping[str, str]) -> subprocess.Popen[str]:
    code = PARENT.format(folder=str(folder), children=dict(children))
    parent = start_python(folder, code)
    logs = [folder / f"{name}.log" for name in children]
    assert wait_for(lambda: all(log.exists() and "up" in log.read_text() for log in logs))
    return parent


def pids_of(parent: subprocess.Popen[str], count: int) -> list[int]:
    assert parent.stdout is not None
    lines = [parent.stdout.readline() for _ in range(count)]
    return [int(pid) for pid in lines[-1].split()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_in_order(tmp_path: Path, number: signal.Signals) -> None:
    children = {name: TELL_END.format(name=name) for name in ("first", "second")}
    parent = start_parent(tmp_path, children)
    pids = pids_of(parent, 2)
    parent.send_signal(number)
    printed, _ = parent.communicate(timeout=15)
    assert parent.returncode == 0
    assert printed == "stopped in order\n"
    assert (tmp_path / "ended").read_text() == "second first "
    assert not any(is_alive(pid) for pid in pids)


def test_a_second_signal_does_not_wait_for_the_grace(tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(60)"
    parent = start_parent(tmp_path, {"stubborn": code})
    (pid,) = pids_of(parent, 1)
    began = time.monotonic()
    parent.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert is_alive(pid)
    parent.send_signal(signal.SIGINT)
    parent.communicate(timeout=15)
    assert time.monotonic() - began < 5
    assert not is_alive(pid)


def test_kill_9_leaves_nobody(tmp_path: Path) -> None:
    parent = start_parent(tmp_path, {"first": SLEEP, "second": SLEEP})
    pids = pids_of(parent, 2)
    assert all(is_alive(pid) for pid in pids)
    kill(parent)
    assert wait_for(lambda: not any(is_alive(pid) for pid in pids), seconds=3)


def test_a_request_to_end_interrupts_a_program_run_once(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program: Program = python_program(tmp_path, SLEEP)
    monkeypatch.setattr(supervisor, "_stop_requested", True)
    with pytest.raises(StopRequestedError):
        supervisor.run_once(program)
    assert "Traceback" not in program.log.read_text()
