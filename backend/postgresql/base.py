"""The database engine that settings name. See the package's word on what differs."""

from __future__ import annotations

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Asks the socket, not the server, whether a kept connection still stands.

    A server that went away, or ended this session, has left an end-of-file or a notice to read;
    an idle connection that is well has nothing. Django's own check sends a statement for each
    request, which was a tenth of a check-in's work.
    """

    def is_usable(self) -> bool:
        if self.connection is None or self.connection.closed:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
        return not poll.poll(0)
