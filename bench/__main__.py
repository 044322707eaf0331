"""`python -m bench`: see `bench.bench`."""

from __future__ import annotations

import sys

from bench.bench import main

sys.exit(main())
