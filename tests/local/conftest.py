"""Folders for tests that start servers."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder the account of a server may pass through.

    Not below pytest's own: each start of pytest closes that one to other accounts.
    """
    folder = Path(tempfile.mkdtemp(prefix="handrail-local-", dir="/tmp"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)
