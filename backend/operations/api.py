"""`/metrics`, for a Prometheus that knows the token. Without a token set, there is no such page."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from backend.operations import metrics
from backend.operations.selectors import read_status

_SCHEME = "Bearer "


@never_cache
@require_safe
def metrics_page(request: HttpRequest) -> HttpResponse:
    """Counts alone; 404 to everybody else, as if it were not there."""
    given = request.headers.get("Authorization", "")
    token = settings.METRICS_TOKEN
    is_known = given.startswith(_SCHEME) and constant_time_compare(given[len(_SCHEME) :], token)
    if not token or not is_known:
        return HttpResponse("Not found", status=404, content_type="text/plain")
    status = read_status(now=timezone.now())
    return HttpResponse(metrics.render(status), content_type=metrics.CONTENT_TYPE)
