"""Keeps the programs of the bench alive, as systemd or Docker would, unless one is held down."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from datetime import timedelta

from bench.faults import processes
from local import launch
from local.launch import LaunchError, Program
from local.logs import bound
from local.supervisor import BackOff, Child

_TICK_S = 0.05
_BACK_OFF = BackOff(
    first=timedelta(seconds=0.2), limit=timedelta(seconds=2), settled=timedelta(seconds=5)
)


class Keeper:
    """Children by name. Everything happens in the main thread, in `pause`."""

    def __init__(self) -> None:
        self._children: dict[str, Child] = {}
        self._held: set[str] = set()
        self._later: list[tuple[float, Callable[[], None]]] = []

    def add(self, program: Program, process: subprocess.Popen[bytes] | None = None) -> None:
        """From now on it is started again whenever it dies."""
        child = Child(program, _BACK_OFF, process)
        if process is None:
            child.start()
        self._children[program.name] = child

    def has(self, name: str) -> bool:
        return name in self._children

    def pid(self, name: str) -> int | None:
        """None while it is down."""
        child = self._children.get(name)
        process = child.process if child else None
        return process.pid if process is not None and process.poll() is None else None

    def pause(self, seconds: float) -> None:
        """Waits, starting again what has died and doing what was put off."""
        until = time.monotonic() + seconds
        while True:
            self._tend()
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, _TICK_S))

    def wait_until(self, ready: Callable[[], bool], *, within: float) -> bool:
        """Whether it came true in time."""
        deadline = time.monotonic() + within
        while not ready():
            if time.monotonic() > deadline:
                return False
            self.pause(_TICK_S)
        return True

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Does something from within a later `pause`."""
        self._later.append((time.monotonic() + seconds, do))

    def do_all_later(self) -> None:
        """What is still put off, now."""
        todo, self._later = self._later, []
        for _at, do in todo:
            do()

    def hold(self, name: str) -> None:
        """It is not started again until `release`."""
        self._held.add(name)

    def release(self, name: str) -> None:
        self._held.discard(name)

    def kill(self, name: str) -> None:
        """`kill -9` of it and all below it, if it runs."""
        pid = self.pid(name)
        if pid is not None:
            processes.kill_tree(pid)

    def end(self, name: str) -> None:
        """Asks it to end as a restart does; its keeper starts it again."""
        child = self._children[name]
        if child.process is not None and child.process.poll() is None:
            child.process.send_signal(child.program.stop_signal)

    def remove(self, *names: str) -> None:
        """Ends these in order, the first first, and forgets them."""
        for name in names:
            child = self._children.pop(name, None)
            if child is not None and child.process is not None:
                pids = [child.process.pid, *processes.below(child.process.pid)]
                processes.thaw(pids)  # a frozen one hears no request to end
                child.stop()
            self._held.discard(name)

    def _tend(self) -> None:
        now = time.monotonic()
        due = [entry for entry in self._later if entry[0] <= now]
        for entry in due:
            self._later.remove(entry)
            entry[1]()
        for name, child in self._children.items():
            child.note_death()
            if name not in self._held:
                child.start_if_due()
            bound(child.program.log, limit=200_000_000)


def run_once(program: Program, *, within: float = 180) -> str:
    """Runs a program to its end; returns what it printed. Raises LaunchError if it fails."""
    with program.log.with_suffix(".out").open("w+b") as printed:
        process = launch.launch(program, stdout=printed)
        try:
            process.wait(within)
        except subprocess.TimeoutExpired:
            raise LaunchError(f"{program.name} did not end within {within:.0f} s") from None
        finally:
            launch.stop(process, program)
        printed.seek(0)
        text = printed.read().decode(errors="replace")
    if process.returncode != 0:
        said = program.log.read_text(errors="replace") if program.log.exists() else ""
        raise LaunchError(f"{program.name} ended with {process.returncode}:\n{text}{said[-4000:]}")
    return text
