"""The web process's entry point. Raises `UnsafeConfiguration` instead of serving unsafely."""

from __future__ import annotations

import gc
import os

from django.core.wsgi import get_wsgi_application

from backend.start import refuse_when_unsafe

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")

application = get_wsgi_application()
refuse_when_unsafe(serves_http=True)
# What is loaded by now stays until the end: no collection needs to look at it again.
gc.collect()
gc.freeze()
