"""Starting what an operator starts: the relay, the Celery worker, beat."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RELAY = ("-m", "worker.relay")
WORKER = (
    *("-m", "celery", "-A", "worker.app", "worker"),
    *("--concurrency", "2", "--without-mingle", "--without-gossip"),
)
BEAT = ("-m", "celery", "-A", "worker.app", "beat", "--pidfile=")


def wait_for(condition: Callable[[], object], *, seconds: float = 20) -> bool:
    """Whether a condition comes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return bool(condition())


@dataclass
class Processes:
    """Each in a session of its own, so that its children can be ended with it."""

    folder: Path
    fcm_endpoint: str
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(
        self,
        command: tuple[str, ...],
        *,
        redis_url: str = "none",
        fcm_endpoint: str | None = None,
        **more: str,
    ) -> subprocess.Popen[bytes]:
        endpoint = self.fcm_endpoint if fcm_endpoint is None else fcm_endpoint
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "DATABASE_OWNER_URL", "FIREBASE_CREDENTIALS"}
        }
        environment |= {"REDIS_URL": redis_url, "FCM_ENDPOINT": endpoint, "LOG_LEVEL": "INFO"}
        environment |= more
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._running.append(process)
        return process

    @property
    def output(self) -> str:
        """What all of them have written."""
        return self._log.read_text() if self._log.exists() else ""

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Ends it and its children without any chance to clean up."""
        try:
            os.killpg(process.pid, signal.SIGCONT)
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait(10)

    def kill_all(self) -> None:
        for process in self._running:
            self.kill(process)

    @property
    def _log(self) -> Path:
        return self.folder / "processes.log"
