"""Programs start with nothing inherited, end when asked, and never outlive us."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from local import launch, run
from local.launch import LaunchError, server_user
from tests.local.processes import is_alive, kill, python_program, start_python, wait_for

SLEEP = "import time; print('up'); time.sleep(60)"
IGNORE = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(60)"


def wait_up(log: Path) -> None:
    assert wait_for(lambda: log.exists() and "up" in log.read_text())


def test_a_program_sees_only_the_environment_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOMETHING_SECRET", "from our own environment")
    program = python_program(tmp_path, "import os; print(sorted(os.environ))")
    process = launch.launch(replace(program, environment={"GIVEN": "1"}))
    assert process.wait(10) == 0
    assert "GIVEN" in program.log.read_text()
    assert "SOMETHING_SECRET" not in program.log.read_text()


def test_stdin_reaches_the_program_and_ends(tmp_path: Path) -> None:
    program = python_program(tmp_path, "import sys; print(sys.stdin.read()[::-1])")
    process = launch.launch(replace(program, stdin="secret"))
    assert process.wait(10) == 0
    assert program.log.read_text() == "terces\n"


def test_a_program_that_does_not_exist_says_so(tmp_path: Path) -> None:
    program = replace(python_program(tmp_path, ""), command=("/nowhere/at-all",))
    assert launch.launch(program).wait(10) == 127
    assert "/nowhere/at-all: No such file" in program.log.read_text()


def test_stop_asks_first(tmp_path: Path) -> None:
    program = python_program(tmp_path, SLEEP)
    process = launch.launch(program)
    wait_up(program.log)
    launch.stop(process, program)
    assert process.returncode == -signal.SIGTERM


def test_stop_insists_after_the_grace(tmp_path: Path) -> None:
    program = replace(python_program(tmp_path, IGNORE), grace=timedelta(seconds=0.3))
    process = launch.launch(program)
    wait_up(program.log)
    began = time.monotonic()
    launch.stop(process, program)
    assert process.returncode == -signal.SIGKILL
    assert 0.3 <= time.monotonic() - began < 5


def test_stop_takes_grandchildren_along(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time;"
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid);"
        "print('up'); time.sleep(60)"
    )
    program = python_program(tmp_path, code)
    process = launch.launch(program)
    wait_up(program.log)
    grandchild = int(program.log.read_text().split()[0])
    assert is_alive(grandchild)
    launch.stop(process, program)
    assert wait_for(lambda: not is_alive(grandchild))


def test_kill_9_of_the_parent_leaves_no_child(tmp_path: Path) -> None:
    code = (
        "import pathlib, time\n"
        "from local import launch\n"
        "from tests.local.processes import python_program\n"
        f"program = python_program(pathlib.Path({str(tmp_path)!r}), {IGNORE!r})\n"
        "print(launch.launch(program).pid)\n"
        "time.sleep(60)\n"
    )
    parent = start_python(tmp_path, code)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    wait_up(tmp_path / "child.log")
    assert is_alive(child)
    kill(parent)
    assert wait_for(lambda: not is_alive(child), seconds=3)


def test_a_child_whose_parent_is_gone_already_does_not_start(tmp_path: Path) -> None:
    shim = Path(launch.__file__).with_name("child.py")
    somebody_else = os.getppid()
    program = python_program(tmp_path, "")
    arguments = ("-I", "-S", str(shim), str(somebody_else), "9", "-1", "-1")
    marked = (program.command[0], *arguments, "/bin/echo", "started")
    process = launch.launch(replace(program, command=marked))
    assert process.wait(10) == 127
    assert "started" not in program.log.read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can lend another account")
def test_the_parent_death_signal_survives_the_change_of_account(tmp_path: Path) -> None:
    user = server_user()
    assert user is not None
    code = (
        "import pathlib, time\n"
        "from dataclasses import replace\n"
        "from local import launch\n"
        "from tests.local.processes import python_program\n"
        f"program = python_program(pathlib.Path({str(tmp_path)!r}), '')\n"
        "user = launch.server_user()\n"
        "command = ('/bin/sh', '-c', 'id -u; id -G; exec sleep 60')\n"
        "program = replace(program, command=command, folder=pathlib.Path('/'), user=user)\n"
        "print(launch.launch(program).pid)\n"
        "time.sleep(60)\n"
    )
    parent = start_python(tmp_path, code)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    log = tmp_path / "child.log"
    assert wait_for(lambda: log.exists() and log.read_text().count("\n") == 2)
    assert log.read_text().split() == [str(user.user_id), str(user.group_id)]
    assert is_alive(child)
    kill(parent)
    assert wait_for(lambda: not is_alive(child), seconds=3)


def test_launching_from_another_thread_is_refused(tmp_path: Path) -> None:
    caught: list[LaunchError] = []

    def try_it() -> None:
        try:
            launch.launch(python_program(tmp_path, ""))
        except LaunchError as error:
            caught.append(error)

    thread = threading.Thread(target=try_it)
    thread.start()
    thread.join()
    assert len(caught) == 1


def test_a_busy_port_is_passed_over() -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        assert launch.listen(port) is None
        with run.listen_from(port) as other:
            assert other.getsockname()[1] > port
    with run.listen_from(port) as ours:
        assert ours.getsockname()[1] == port
        # Taken from now on, although nobody serves it yet.
        assert launch.listen(port) is None
