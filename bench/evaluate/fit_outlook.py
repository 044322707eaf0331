"""Fit the outlook that ships: `python -m bench.evaluate.fit_outlook DATA` rewrites outlook.json."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from backend.tracking.trends.outlook import PATH

from .ctn0094 import read
from .outlook_report import document

if __name__ == "__main__":
    PATH.write_text(
        json.dumps(document(read(Path(sys.argv[1]))), indent=1) + "\n", encoding="utf-8"
    )
