"""Finds the text people read: data files, templates, catalogues, translated literals."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
SOURCES = ("backend", "worker")
# Keys of data files that programs read, not people.
MACHINE_KEYS = {"id", "country", "countries", "kind", "chat", "call", "source", "reviewed_by"}
# An instrument's items are its publisher's wording: changing a word would change what it measures.
FIXED_WORDING = "instruments"
TRANSLATORS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext"}
SPOKEN_ATTRIBUTES = {"title", "alt", "placeholder", "aria-label", "aria-description"}


class Found(NamedTuple):
    """A piece of text and the file it stands in, relative to the project's root."""

    place: str
    text: str


def all_human_text() -> Iterator[Found]:
    """Every piece of text a person may read that these kinds of files hold."""
    for source in SOURCES:
        for path in sorted((ROOT / source).rglob("*")):
            yield from _found_in(path)
    for path in sorted(ROOT.glob("locale/**/*.po")):
        yield from _found_in(path)


def _found_in(path: Path) -> Iterator[Found]:
    if not path.is_file() or FIXED_WORDING in path.parts or "node_modules" in path.parts:
        return
    reader = _READERS.get(path.suffix)
    if reader is not None:
        place = str(path.relative_to(ROOT))
        yield from (Found(place, text) for text in reader(path.read_text(encoding="utf-8")))


def in_data(source: str) -> Iterator[str]:
    """The values of a TOML file, without those of machine keys."""
    yield from _strings(tomllib.loads(source))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in MACHINE_KEYS:
                yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def in_template(source: str) -> Iterator[str]:
    """What a Django template shows: text, spoken attributes and literals given to be translated."""
    source = re.sub(r"{#.*?#}|{% *comment.*?endcomment *%}", " ", source, flags=re.DOTALL)
    source = re.sub(r"{% *(?:translate|trans) +([\"'])(.*?)\1.*?%}", r"\2", source)
    source = re.sub(r"{%.*?%}|{{.*?}}", " ", source, flags=re.DOTALL)
    parser = _ShownText()
    parser.feed(source)
    parser.close()
    yield from parser.found


class _ShownText(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in {"script", "style"}
        self.found += [value for name, value in attrs if value and name in SPOKEN_ATTRIBUTES]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.found.append(data)


def in_catalogue(source: str) -> Iterator[str]:
    """Both sides of a message catalogue, its header left out."""
    for message in read_po(source.encode().splitlines(keepends=True)):
        if message.id:
            for side in (message.id, message.string):
                yield from [side] if isinstance(side, str) else side or ()


def in_code(source: str) -> Iterator[str]:
    """The literals that Python code gives to be translated."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _name_of(node.func) in TRANSLATORS:
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value


def _name_of(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


_READERS = {
    ".toml": in_data,
    ".html": in_template,
    ".txt": in_template,
    ".po": in_catalogue,
    ".py": in_code,
}
