"""The web servers of the ingest bench: ours as `make run` starts it, and the stock one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from bench.measure import ProcessTree
from local import launch
from local.launch import LaunchError, Program
from local.programs import ROOT, Settings, without_secrets

UP_WITHIN_S = 40


@dataclass(frozen=True, slots=True)
class Served:
    """A web server that answers at `port`, and the processes it is made of."""

    port: int
    tree: ProcessTree


@contextmanager
def our_server(folder: Path) -> Iterator[Served]:
    """Exactly the web process of `make run`, on the servers that the environment names."""
    (folder / "logs").mkdir(exist_ok=True)
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    settings = Settings(
        environment=os.environ,
        state=folder,
        web_fd=listening.fileno(),
        secret_key=os.environ["SECRET_KEY"],
        patient_keys=os.environ["PATIENT_KEYS"],
        owner_url=os.environ["DATABASE_OWNER_URL"],
        web_url=os.environ["DATABASE_URL"],
        worker_url=os.environ["DATABASE_WORKER_URL"],
        redis_url=os.environ["REDIS_URL"],
        firebase_credentials="",
    )
    (program,) = (each for each in settings.long_running() if each.name == "web")
    with listening, _running(program, listening.getsockname()[1], "/healthz") as served:
        yield served


@contextmanager
def stock_server(folder: Path, database_url: str) -> Iterator[Served]:
    """gunicorn as its manual has it: two sync workers."""
    port = launch.free_port()
    program = Program(
        name="stock",
        command=(
            sys.executable, "-m", "gunicorn", "bench.stock.check_in.wsgi:application",
            "--bind", f"127.0.0.1:{port}", "--workers", "2", "--no-control-socket",
        ),
        environment={
            **without_secrets(os.environ),
            "DATABASE_URL": database_url,
            "SECRET_KEY": os.environ["SECRET_KEY"],
            "DJANGO_SETTINGS_MODULE": "bench.stock.check_in.settings",
        },
        folder=ROOT,
        log=folder / "stock.log",
    )  # fmt: skip
    with _running(program, port, "/healthz/") as served:
        yield served


@contextmanager
def _running(program: Program, port: int, path: str) -> Iterator[Served]:
    process = launch.launch(program)
    try:
        _wait_for(process, f"http://127.0.0.1:{port}{path}", program.log)
        yield Served(port=port, tree=ProcessTree(process.pid))
    finally:
        launch.stop(process, program)


def _wait_for(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + UP_WITHIN_S
    while True:
        try:
            with urlopen(address, timeout=5):
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text()[-2000:] if log.exists() else ""
                raise LaunchError(f"{address} did not come up.\n{said}") from None
        time.sleep(0.05)
