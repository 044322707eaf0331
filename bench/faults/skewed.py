"""Runs a program with its clock off: ``python skewed.py SECONDS -m MODULE ARGUMENTS...``.

Run by path, from the folder of the program. The monotonic clock moves along with the other, and
children that are forked share both.
"""

from __future__ import annotations

import runpy
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine


def main() -> None:
    """Becomes the module that is named."""
    seconds, _flag, module = float(sys.argv[1]), sys.argv[2], sys.argv[3]
    sys.argv = [module, *sys.argv[4:]]
    sys.path[0] = str(Path.cwd())
    time_machine.travel(datetime.now(UTC) + timedelta(seconds=seconds), tick=True).start()
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
