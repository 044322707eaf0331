"""A Firebase Cloud Messaging of one's own, for development and tests.

Speaks enough of FCM HTTP v1 for the real SDK not to notice, keeps what it was sent, misbehaves on
request, and shows the messages as phones would. Start it with `python -m local.fcm`, or use
`LocalFcm` inside a test.
"""

from local.fcm.behaviour import Behaviour, Mode
from local.fcm.server import LocalFcm

__all__ = ["Behaviour", "LocalFcm", "Mode"]
