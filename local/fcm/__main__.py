"""`python -m local.fcm`: a local FCM with a page that shows what the phones received."""

from __future__ import annotations

import argparse
import signal
import threading

from local.fcm.server import DEFAULT_PROJECT, LocalFcm


def main() -> None:
    """Runs until interrupted or terminated."""
    parser = argparse.ArgumentParser(prog="python -m local.fcm", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9099)
    parser.add_argument("--project", default=DEFAULT_PROJECT)
    given = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with LocalFcm(host=given.host, port=given.port, project=given.project) as fcm:
        print(f"Phones and their messages: {fcm.url}/  (FCM_ENDPOINT={fcm.url})", flush=True)
        ended.wait()


if __name__ == "__main__":
    main()
