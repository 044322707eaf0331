"""Loads Django as the web role, the system acting. Import it before anything that has tables."""

from __future__ import annotations

import os

import django
from django.conf import settings

if not settings.configured:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")
    django.setup()

from backend.row_security import Acting, act_as

# Whoever a measured request belongs to acts in it: see the request's own authentication.
act_as(Acting("system"))
