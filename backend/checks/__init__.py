"""System checks: what makes this installation unsafe, each with a stable id and a hint.

Errors (E) keep the web process, the worker and the relay from starting (`backend.start`);
warnings (W) are logged. `manage.py check --database default` runs them all by hand. The ids are
listed in `docs/problems.md`.
"""

from __future__ import annotations

from backend.checks import audit, channels, content, database, environment, routes

__all__ = ["audit", "channels", "content", "database", "environment", "routes"]
