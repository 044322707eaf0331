"""Loads Django as the worker role. Import it before anything that has tables.

The role is forced and not only a default: these processes never connect as the web role. Where
Django has been configured already (in a test), nothing is changed.
"""

from __future__ import annotations

import os

import django
from django.conf import settings

if not settings.configured:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")
    os.environ["HANDRAIL_DATABASE_ROLE"] = "worker"
    # Celery would run every check, those of the web's routes included; ours are run at the start.
    os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
    django.setup()
