"""Captured statements as a script that pgbench can run over and over, for person after person.

Each literal that belongs to the one request that was captured (who asked, what it was about, the
ids it made) becomes an expression over two variables: `p`, the person's number, and `n`, a number
that no other run has. Everything else stays as it was sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_LITERAL = re.compile(r"( ?[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*')(::[\w\[\]]+)?")
_HEX_ID = re.compile(
    r"(?<![0-9a-f])(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![0-9a-f])"
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


@dataclass(frozen=True, slots=True)
class Blank:
    """Text inside literals that differs from run to run, and the SQL that makes it."""

    pattern: str
    expression: str


def script(
    statements: Sequence[str],
    *,
    blanks: Sequence[Blank],
    people: int,
    is_known: re.Pattern[str],
    outside: Sequence[Blank] = (),
) -> str:
    """One transaction of all of them.

    Ids that neither a blank names nor `is_known` matches were made by the request: each becomes a
    new one per run, the same throughout the script. `outside` replaces text outside literals.
    """
    made = _Made(is_known)
    for statement in statements:
        made.look_at(statement, blanks)
    every = [*blanks, *made.blanks()]
    pattern = re.compile("|".join(f"({blank.pattern})" for blank in every))
    body = [
        _outside(_rewritten(statement, pattern, every), outside) + ";" for statement in statements
    ]
    head = [f"\\set p random(1, {people})", "\\set n random(1, 9000000000000000000)"]
    return "\n".join([*head, "BEGIN;", *body, "COMMIT;"]) + "\n"


class _Made:
    """The ids that the request itself made up."""

    def __init__(self, is_known: re.Pattern[str]) -> None:
        self._is_known = is_known
        self._found: dict[str, None] = {}

    def look_at(self, statement: str, blanks: Sequence[Blank]) -> None:
        for match in _HEX_ID.finditer(statement):
            plain = match[0].replace("-", "")
            named = any(re.fullmatch(blank.pattern, match[0]) for blank in blanks)
            if not named and not self._is_known.match(plain):
                self._found[plain] = None

    def blanks(self) -> Iterator[Blank]:
        for number, plain in enumerate(self._found):
            start = f"{number + 1:08x}40008000"
            yield Blank(plain, f"('{start}' || {_HEX_N})")
            groups = (plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:])
            first = f"{start[:8]}-{start[8:12]}-{start[12:16]}-"
            middle = f"left({_HEX_N}, 4) || '-' || right({_HEX_N}, 12)"
            yield Blank("-".join(groups), f"('{first}' || {middle})")


_HEX_N = "lpad(to_hex(:n::bigint), 16, '0')"


def _rewritten(statement: str, pattern: re.Pattern[str], blanks: Sequence[Blank]) -> str:
    def literal(match: re.Match[str]) -> str:
        text, cast = _text(match[1]), match[2] or ""
        parts = list(_parts(text, pattern, blanks))
        if parts == [text]:
            return match[0] if ":" not in text else _quoted(text) + cast
        joined = " || ".join(parts)
        return f" ({joined}){cast or _cast(text)}"

    return _LITERAL.sub(literal, statement)


def _parts(text: str, pattern: re.Pattern[str], blanks: Sequence[Blank]) -> Iterator[str]:
    """SQL expressions that make the text; the text itself when there is nothing to fill in."""
    end, found = 0, list(pattern.finditer(text))
    if not found:
        yield text
        return
    for match in found:
        if match.start() > end:
            yield _quoted(text[end : match.start()])
        assert match.lastindex is not None
        yield blanks[match.lastindex - 1].expression
        end = match.end()
    if end < len(text):
        yield _quoted(text[end:])


def _text(literal: str) -> str:
    stripped = literal.lstrip()
    if stripped[0] in "eE":
        inner = stripped[2:-1].replace("''", "'")
        return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), inner)
    return stripped[1:-1].replace("''", "'")


def _quoted(text: str) -> str:
    """As a literal. pgbench takes a colon for the start of a variable, so none is written."""
    plain = text.replace("\\", "\\\\").replace("'", "''").replace(":", "\\x3a")
    return f" E'{plain}'"


def _cast(text: str) -> str:
    """What PostgreSQL takes from a bare literal's place must be said of an expression."""
    if text.startswith("\\x"):
        return "::bytea"
    if _HEX_ID.fullmatch(text):
        return "::uuid"
    if text.startswith(("{", "[")) and _is_json(text):
        return "::jsonb"
    if text.startswith("{"):
        members = text.strip("{}").split(",")
        return "::uuid[]" if all(map(_HEX_ID.fullmatch, members)) else "::text[]"
    return ""


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _outside(statement: str, outside: Sequence[Blank]) -> str:
    for blank in outside:
        statement = re.sub(blank.pattern, blank.expression.replace("\\", r"\\"), statement)
    return statement
