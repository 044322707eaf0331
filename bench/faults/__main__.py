"""`python -m bench.faults`, or `make faults`."""

from __future__ import annotations

import sys

from bench.faults.bench import main

if __name__ == "__main__":
    sys.exit(main())
