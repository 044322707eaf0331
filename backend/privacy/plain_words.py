"""What the audit log's acts and actors are called, in English and Spanish (`data/acts.toml`)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("data") / "acts.toml"
FALLBACK_LANGUAGE = "en"
READS = (".read", ".search")


@cache
def texts() -> Mapping[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return found


def kind_of(action: str, *, was_allowed: bool) -> str:
    """`read`, `list`, `write` or `refused`."""
    if not was_allowed:
        return "refused"
    known = texts()["acts"].get(action)
    if known:
        return str(known["kind"])
    return "read" if action.endswith(READS) else "write"


@cache
def reads() -> frozenset[str]:
    """The acts that show one patient's data, as far as they are known by name."""
    return frozenset(name for name, act in texts()["acts"].items() if act["kind"] == "read")


def say_act(action: str, *, was_allowed: bool, language: str) -> str:
    """The act in words for the person whose data it was."""
    known = texts()["acts"].get(action)
    if not was_allowed and (known is None or known["kind"] != "refused"):
        known = texts()["acts"]["patient.access"]
    if known is None:
        return say_kind(kind_of(action, was_allowed=was_allowed), language=language)
    return _in(known, language)


def say_kind(kind: str, *, language: str) -> str:
    """No more than whether something was read or changed."""
    return _in(texts()["kinds"][kind], language)


def say_who(who: str, *, language: str) -> str:
    """`self`, `patient`, `system`, `administrator` or `elsewhere`."""
    return _in(texts()["who"][who], language)


def _in(text: Mapping[str, str], language: str) -> str:
    return text.get(language, text[FALLBACK_LANGUAGE])
