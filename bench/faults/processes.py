"""Processes by their ids: what stands below one, and how it is ended or frozen.

Only ids of processes that this bench started, and of those below them, are ever signalled.
"""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from pathlib import Path

_PARENT = 1
"""Column of /proc/<pid>/stat, counted from the one after the name."""


def below(root: int) -> list[int]:
    """Every living process below that one, nearest first."""
    children = defaultdict(list)
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                stat = (folder / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            children[int(stat.rpartition(")")[2].split()[_PARENT])].append(int(folder.name))
    found, open_ones = [], [root]
    while open_ones:
        open_ones = [child for parent in open_ones for child in children[parent]]
        found += open_ones
    return found


def signal_one(pid: int, number: signal.Signals) -> None:
    """One that has ended meanwhile is none of our business any more."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def kill_tree(root: int) -> None:
    """`kill -9` of a process and everything below it, as if the machine had lost its power.

    The root is stopped first, so that it can neither start nor tidy up anything meanwhile.
    """
    signal_one(root, signal.SIGSTOP)
    for pid in below(root):
        signal_one(pid, signal.SIGKILL)
    signal_one(root, signal.SIGKILL)


def freeze_tree(root: int) -> list[int]:
    """Stops a process and everything below it; returns the ids to thaw."""
    signal_one(root, signal.SIGSTOP)
    frozen = [root, *below(root)]
    for pid in frozen[1:]:
        signal_one(pid, signal.SIGSTOP)
    return frozen


def thaw(pids: list[int]) -> None:
    """The root last, so that it finds its children going again."""
    for pid in reversed(pids):
        signal_one(pid, signal.SIGCONT)
