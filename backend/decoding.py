"""JSON into typed values, with problems that name the field. Knows neither HTTP nor the domain."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from django.utils.translation import gettext as _

from backend import errors

Item = TypeVar("Item")


def decode(raw: bytes, kind: type[Item]) -> Item:
    """Decodes JSON into a msgspec type, strictly; refuses NUL, which PostgreSQL cannot store.

    Raises `Invalid` naming the field.
    """
    if b"\\u0000" in raw or b"\x00" in raw:
        raise errors.invalid_field("", "nul_character", _("A character here cannot be stored."))
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise validation_problem(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise errors.Invalid("malformed_json", _("This is not well-formed JSON.")) from None


def split_validation_message(message: str) -> tuple[str, str]:
    """Turns msgspec's `Expected int - at `$.mood`` into a JSON pointer and a sentence."""
    detail, _separator, path = message.partition(" - at `")
    if not path:
        return "", detail
    inner = path.rstrip("`").removeprefix("$").replace("[...]", "/*").replace("[", "/")
    return inner.replace("]", "").replace(".", "/"), detail


def validation_problem(error: msgspec.ValidationError) -> errors.Invalid:
    """The refusal of one field that msgspec found wrong."""
    pointer, detail = split_validation_message(str(error))
    return errors.invalid_field(pointer, "invalid_value", detail)
