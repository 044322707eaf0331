"""The app of the stock project."""

from __future__ import annotations

from django.apps import AppConfig


class StockConfig(AppConfig):
    name = "bench.stock.check_in"
    label = "stock"
