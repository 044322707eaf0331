"""What keeps an eye on the rest."""

from __future__ import annotations

from backend.operations.services.reading import read_operations
from backend.operations.services.reconciling import Reconciled, reconcile

__all__ = ["Reconciled", "read_operations", "reconcile"]
