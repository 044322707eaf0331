"""Rows of a model, read and written by SQL that is made once for each model.

For the paths that are measured: there, putting a query together from its parts cost more than
PostgreSQL needs to answer it. Everything else uses the ORM.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection, connections, models
from django.db.models.base import ModelState
from django.db.models.expressions import RawSQL

Values = Sequence[Any] | Mapping[str, Any]


def one(sql: str, values: Values) -> tuple[Any, ...] | None:
    """The first row of the answer, or None."""
    rows = every(sql, values)
    return rows[0] if rows else None


def every(sql: str, values: Values) -> list[tuple[Any, ...]]:
    """All rows of the answer."""
    rows: list[tuple[Any, ...]] = connections["default"].ask(sql, values)  # type: ignore[attr-defined]  # our engine's
    return rows


def array_of(values: Iterable[UUID] | Iterable[date]) -> str:
    """A PostgreSQL array as text, to be cast in the query: adapting two hundred values one by one
    costs more than most queries that ask about them."""
    return f"{{{','.join(map(str, values))}}}"


def among(model: type[models.Model], column: str, ids: Iterable[UUID]) -> RawSQL:
    """A filter for rows of the model whose `column` is one of these ids.

    By one array: a caseload's two hundred parameters cost more than the query they ask.
    """
    sql = f"{model._meta.db_table}.{column} = ANY(%s::uuid[])"
    return RawSQL(sql, [array_of(ids)], output_field=models.BooleanField())  # noqa: S611 - a model's names


@dataclass(frozen=True, slots=True)
class Shape:
    """Which columns of a model are read. Any other field is fetched by Django when asked for."""

    model: type[models.Model]
    names: tuple[str, ...]
    columns: tuple[str, ...]
    converters: tuple[Any, ...]

    def listed(self, alias: str) -> str:
        """The columns for a SELECT, each named `<alias>_<column>`."""
        return ", ".join(f"{alias}.{column} AS {alias}_{column}" for column in self.columns)

    def made(self, values: Sequence[Any]) -> Any:
        """The model of one row's values, which may go on beyond this shape's."""
        if not any(self.converters):
            return self.built(values[: len(self.names)])
        converted = [
            value if convert is None else convert(value, None, connection)
            for value, convert in zip(values, self.converters, strict=False)
        ]
        return self.built(converted)

    def built(self, values: Sequence[Any]) -> Any:
        """The model of values as its attributes hold them, in the order of `names`."""
        # As `Model.from_db`, without the signals and the checks that make up half of its cost.
        made = self.model.__new__(self.model)
        made._state = ModelState()
        made._state.adding, made._state.db = False, connection.alias
        made.__dict__.update(zip(self.names, values, strict=True))
        return made


def attach(row: models.Model, name: str, related: models.Model) -> None:
    """Gives the row what its foreign key names, as if it had been fetched; the key is there."""
    row._state.fields_cache[name] = related


def shape(model: type[models.Model], only: Collection[str] | None = None) -> Shape:
    """`only` are names of attributes; without it, all columns."""
    fields = [f for f in model._meta.concrete_fields if only is None or f.attname in only]
    return Shape(
        model,
        tuple(field.attname for field in fields),
        tuple(str(field.column) for field in fields),
        tuple(getattr(field, "from_db_value", None) for field in fields),
    )


@dataclass(frozen=True, slots=True)
class Upsert:
    """Rows of one table to store. `conflict` is the unique column by which a row may stand already;
    then its columns in `update` take the new values. Without it, a row that stands is an error."""

    model: type[models.Model]
    conflict: str = ""
    update: tuple[str, ...] = ()


def store(*tables: tuple[Upsert, Sequence[models.Model]]) -> None:
    """Stores the rows of several tables in one statement, each table's in the order given.

    Foreign keys among them hold at the end of the transaction, as everywhere here.
    """
    rows = {
        f"rows{number}": msgspec.json.encode([_values(kind.model, row) for row in given]).decode()
        for number, (kind, given) in enumerate(tables)
    }
    every(_store_sql(tuple(kind for kind, _given in tables)), rows)


def _values(model: type[models.Model], row: models.Model) -> dict[str, Any]:
    # What Django would store, a time that is set at the storing included.
    return {column: _json(field.pre_save(row, add=True)) for field, column, _type in _stored(model)}


def _json(value: Any) -> Any:
    # PostgreSQL's own notation for bytes; JSON has none.
    return "\\x" + value.hex() if isinstance(value, bytes) else value


@cache
def _stored(model: type[models.Model]) -> tuple[tuple[Any, str, str], ...]:
    """Field, column and type of what is written; numbers that the table gives are left out."""
    return tuple(
        (field, str(field.column), str(field.rel_db_type(connection)))
        for field in model._meta.concrete_fields
        if not isinstance(field, models.AutoField)
    )


@cache
def _store_sql(kinds: tuple[Upsert, ...]) -> str:
    parts = [
        f"stored{number} AS ({_insert(kind, f'%(rows{number})s')})"
        for number, kind in enumerate(kinds)
    ]
    return f"WITH {', '.join(parts)} SELECT 1"


def _insert(kind: Upsert, rows: str) -> str:
    fields = _stored(kind.model)
    columns = ", ".join(column for _name, column, _type in fields)
    typed = ", ".join(f"{column} {type_}" for _name, column, type_ in fields)
    into = kind.model._meta.db_table
    insert = (
        f"INSERT INTO {into} ({columns}) SELECT {columns}"  # noqa: S608 - names of models
        f" FROM jsonb_to_recordset({rows}::jsonb) AS row({typed})"
    )
    if not kind.conflict:
        return insert
    changed = ", ".join(f"{column} = EXCLUDED.{column}" for column in kind.update)
    return f"{insert} ON CONFLICT ({kind.conflict}) DO UPDATE SET {changed}"
