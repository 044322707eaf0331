"""From how many patients on reading is a mass read. One number for all organisations, so far."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("data") / "mass_reads.toml"


@cache
def patients_an_hour() -> int:
    found = tomllib.loads(FILE.read_text(encoding="utf-8"))["patients_an_hour"]
    assert isinstance(found, int)
    return found
