"""Stand-ins for providers are on this machine and nowhere else."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def require_local(endpoint: str) -> None:
    """A slip in a setting must not carry addresses to another machine. Raises ValueError."""
    parts = urlsplit(endpoint)
    try:
        local = parts.hostname == "localhost" or ip_address(parts.hostname or "").is_loopback
    except ValueError:
        local = False
    if parts.scheme != "http" or not local:
        raise ValueError("the endpoint must be an http address on this machine")
