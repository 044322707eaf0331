"""The dead-man's switch: an address outside that is asked after each clean round.

Nothing about the round stands in the request. Whoever watches there calls a person when the
requests stop, so that the silence of all of this is noticed, too.
"""

from __future__ import annotations

import structlog
from django.conf import settings
from requests import RequestException, Session

logger = structlog.get_logger(__name__)

TIMEOUT_S = 5


def ping_switch() -> None:
    """Asks `HEALTHCHECK_PING_URL`, where one is set. Never raises; follows no redirect."""
    if not settings.HEALTHCHECK_PING_URL:
        return
    try:
        with Session() as session:
            answer = session.get(
                settings.HEALTHCHECK_PING_URL, timeout=TIMEOUT_S, allow_redirects=False
            )
        if not answer.ok:
            logger.warning("switch_refused", status=answer.status_code)
    except RequestException as error:
        # The address may be a secret in itself: it stands in no line.
        logger.warning("switch_unreached", error=type(error).__name__)
