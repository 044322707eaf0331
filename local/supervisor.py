"""Keeps programs alive, tells what happens to them, and stops them in order."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import FrameType

from local import launch
from local.launch import LaunchError, Program
from local.logs import bound, tail

_TICK_S = 0.1
_HOPELESS_AFTER = 3
"""Deaths before the whole is up that mean a mistake no restart will cure."""


class StopRequestedError(Exception):
    """Somebody pressed Ctrl-C or asked us to end."""


@dataclass(frozen=True, slots=True)
class BackOff:
    """How long to wait before the next start: doubled each time, forgotten once it settled."""

    first: timedelta = timedelta(seconds=0.5)
    limit: timedelta = timedelta(seconds=30)
    settled: timedelta = timedelta(seconds=30)

    def after(self, deaths: int) -> timedelta:
        """The wait after that many deaths in a row (1 or more)."""
        doublings = min(deaths - 1, 16)
        return min(self.limit, self.first * (1 << doublings))


class Child:
    """One program and, while it lives, its process."""

    def __init__(
        self, program: Program, back_off: BackOff, process: subprocess.Popen[bytes] | None = None
    ) -> None:
        self.program, self.back_off = program, back_off
        self.deaths = 0
        self._log_start = 0
        self._started = self._start_at = time.monotonic()
        self.process = process

    @property
    def name(self) -> str:
        """What people call it."""
        return self.program.name

    def start(self) -> None:
        """Launch the program."""
        log = self.program.log
        self._log_start = log.stat().st_size if log.exists() else 0
        self.process = launch.launch(self.program)
        self._started = time.monotonic()

    def start_if_due(self) -> bool:
        """Launch it if it is down and its wait is over; whether that happened."""
        if self.process is not None or time.monotonic() < self._start_at:
            return False
        self.start()
        return True

    def note_death(self) -> str | None:
        """If it has just died: schedule the next start, return what to tell."""
        if self.process is None or self.process.poll() is None:
            return None
        launch.sweep(self.process)
        ending = _describe(self.process.returncode)
        self.process = None
        now = time.monotonic()
        if now - self._started > self.back_off.settled.total_seconds():
            self.deaths = 0
        self.deaths += 1
        wait = self.back_off.after(self.deaths).total_seconds()
        self._start_at = now + wait
        return f"{self.name} ended ({ending}); starting it again in {wait:.1f} s"

    def last_words(self) -> str:
        """The end of what it wrote since its latest start."""
        return tail(self.program.log, start=self._log_start)

    def stop(self) -> None:
        """End it, if it runs."""
        if self.process is not None:
            launch.stop(self.process, self.program)
            self.process = None


class Supervisor:
    """Several children, the signals that end them, and one loop that tends them.

    ``say`` tells a person something; ``changed`` hears the living children's process ids
    whenever they change. Everything happens in the main thread.
    """

    def __init__(
        self,
        *,
        say: Callable[[str], None],
        changed: Callable[[Mapping[str, int]], None],
        back_off: BackOff | None = None,
    ) -> None:
        self._say, self._changed = say, changed
        self._back_off = back_off or BackOff()
        self._children: list[Child] = []
        self._stop_requested = False
        self.is_up = False

    def listen(self) -> None:
        """From now on Ctrl-C, SIGTERM and a closed terminal end us in order."""
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGTERM, self._on_signal)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup leaves it
            signal.signal(signal.SIGHUP, self._on_signal)

    def add(self, program: Program, process: subprocess.Popen[bytes] | None = None) -> None:
        """Keep a program alive from now on, starting it unless its process is given."""
        child = Child(program, self._back_off, process)
        if process is None:
            child.start()
        self._children.append(child)
        self._tell_change()

    def pause(self, seconds: float) -> None:
        """Wait while tending the children; raises StopRequestedError as soon as one is asked."""
        until = time.monotonic() + seconds
        while True:
            if self._stop_requested:
                raise StopRequestedError
            for child in self._children:
                self._tend(child)
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, _TICK_S))

    def wait_until(self, ready: Callable[[], bool], *, within: timedelta, what: str) -> None:
        """Wait for a condition, tending the children; raises LaunchError when it stays false."""
        deadline = time.monotonic() + within.total_seconds()
        while not ready():
            if time.monotonic() > deadline:
                raise LaunchError(f"{what} did not happen within {within.total_seconds():.0f} s")
            self.pause(_TICK_S)

    def run_once(self, program: Program) -> str:
        """Run a program to its end and return what it printed; raises LaunchError if it fails."""
        written = program.log.stat().st_size if program.log.exists() else 0
        with tempfile.TemporaryFile() as printed:
            process = launch.launch(program, stdout=printed)
            try:
                while process.poll() is None:
                    self.pause(_TICK_S / 4)
            finally:
                launch.stop(process, program)
            printed.seek(0)
            text = printed.read().decode(errors="replace")
        if process.returncode != 0:
            said = tail(program.log, start=written) or text
            raise LaunchError(f"{program.name} failed:\n{said}")
        return text

    def watch(self) -> None:
        """Tend the children until somebody asks us to end, which raises StopRequestedError."""
        self.is_up = True
        while True:
            self.pause(60)

    def stop_all(self) -> None:
        """Stop the children, the latest first. A second signal meanwhile kills them at once."""
        while self._children:
            self._children[-1].stop()
            self._children.pop()

    def _tend(self, child: Child) -> None:
        news = child.note_death()
        if news is not None:
            self._say(news)
            self._report_death(child)
        if child.start_if_due() or news is not None:
            self._tell_change()
        bound(child.program.log)

    def _report_death(self, child: Child) -> None:
        if child.deaths >= _HOPELESS_AFTER and not self.is_up:
            raise LaunchError(f"{child.name} does not start:\n{child.last_words()}")
        if child.deaths == 1:
            self._say(f"{child.last_words()}\n(more in {child.program.log})")

    def _tell_change(self) -> None:
        living = {child.name: child.process for child in self._children}
        self._changed({name: process.pid for name, process in living.items() if process})

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._stop_requested:
            for child in self._children:
                if child.process is not None:
                    child.process.kill()
        self._stop_requested = True


def _describe(returncode: int) -> str:
    if returncode >= 0:
        return f"exit {returncode}"
    return f"signal {-returncode}, {signal.strsignal(-returncode)}"
