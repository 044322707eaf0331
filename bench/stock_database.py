"""The database of the stock project: its own, filled by its own code."""

from __future__ import annotations

import os
import subprocess
import sys
from urllib.parse import urlsplit

import psycopg

from bench.crowd import HISTORY_DAYS, HISTORY_ENDS_DAYS_AGO, PER_THERAPIST
from local.postgres import DATABASE, WEB
from local.programs import ROOT, without_secrets

NAME = f"{DATABASE}_stock"


def make_stock_database(people: int) -> str:
    """Creates and fills it; returns its address, as the web role."""
    superuser = urlsplit(os.environ["BENCH_SUPERUSER_URL"])
    elsewhere = superuser._replace(path="/postgres").geturl()
    with psycopg.connect(elsewhere, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {NAME} OWNER {WEB}".encode())
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{NAME}").geturl()
    sizes = {
        "people": people,
        "history-days": HISTORY_DAYS,
        "history-ends-days-ago": HISTORY_ENDS_DAYS_AGO,
        "per-therapist": PER_THERAPIST,
    }
    options = [part for name, size in sizes.items() for part in (f"--{name}", str(size))]
    subprocess.run(
        [sys.executable, "-m", "bench.stock.check_in.crowd", *options],
        cwd=ROOT,
        env={
            **without_secrets(os.environ),
            "DATABASE_URL": url,
            "SECRET_KEY": os.environ["SECRET_KEY"],
            "DJANGO_SETTINGS_MODULE": "bench.stock.check_in.settings",
        },
        check=True,
    )
    return url
