"""Becomes another program that cannot outlive the process which started it.

Run by path, not imported: ``python child.py PARENT_PID DEATH_SIGNAL USER_ID GROUP_ID COMMAND...``
(both ids ``-1`` to stay as one is). Standard library only: it may run with no site packages.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_NOT_STARTED = 127


def drop_privileges(user_id: int, group_id: int) -> None:
    """Give up root for good. Supplementary groups go as well."""
    if user_id < 0:
        return
    os.setgroups([group_id])
    os.setgid(group_id)
    os.setuid(user_id)


def die_with_parent(parent: int, death_signal: int) -> None:
    """Ask the kernel for a signal when the parent dies; exit if it is dead already.

    A change of credentials clears the request, so privileges have to be dropped before. Where
    the kernel offers no such signal (anything but Linux) the child merely starts.
    """
    if sys.platform.startswith("linux"):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
            sys.exit(_NOT_STARTED)
    # The parent may have died between the fork and the request above: nobody would tell us.
    if os.getppid() != parent:
        sys.exit(_NOT_STARTED)


def main(arguments: list[str]) -> None:
    """Drop privileges, tie this process to its parent, become the command."""
    parent, death_signal, user_id, group_id = (int(value) for value in arguments[:4])
    command = arguments[4:]
    drop_privileges(user_id, group_id)
    die_with_parent(parent, death_signal)
    # Python ignores SIGPIPE and the next program would inherit that.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execvpe(command[0], command, os.environ)  # noqa: S606 - there is no shell on purpose
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(_NOT_STARTED)


if __name__ == "__main__":
    main(sys.argv[1:])
