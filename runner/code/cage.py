"""Shuts the process that runs a strategy in: memory, and system calls that it has no use for.

Not needed for good code, and no hindrance to it: it reads one pipe, writes another, and computes.
"""

from __future__ import annotations

import ctypes
import platform
import resource
import signal
import struct
import sys

MEMORY = 384 * 1024**2
"""Bytes of address space, the interpreter's own included."""
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER, _DEATH_SIGNAL, _DUMPABLE = 38, 22, 2, 1, 4
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000
_LOAD, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
# The same on both: what reads and writes open pipes, memory, the interpreter's own signals,
# clocks, random numbers and the end. Nothing that opens, connects, starts, or reaches another.
_CALLS = {
    "x86_64": (
        0xC000003E,
        *(0, 1, 3, 5, 8, 9, 10, 11, 12, 13, 14, 15, 25, 28, 24, 60, 231, 202, 228, 230, 35),
        *(186, 39, 318, 334, 219, 131),
    ),
    "aarch64": (
        0xC00000B7,
        *(63, 64, 57, 80, 62, 222, 226, 215, 214, 134, 135, 139, 216, 233, 124, 93, 94, 98, 113),
        *(115, 101, 178, 172, 278, 293, 128, 132),
    ),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def is_known() -> bool:
    """Whether this system's calls can be refused."""
    return sys.platform.startswith("linux") and platform.machine() in _CALLS


def close() -> None:
    """From here on: no file, no socket, no other process, no more memory than there is room for.

    Raises:
        OSError: the system does not offer it.
    """
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if not is_known():
        raise OSError("code strategies need Linux on x86-64 or ARM64")
    system = ctypes.CDLL(None, use_errno=True)
    program = _program(_CALLS[platform.machine()])
    held = ctypes.create_string_buffer(program)
    whole = _Program(len(program) // 8, ctypes.cast(held, ctypes.c_void_p))
    system.prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if system.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise OSError("no_new_privs is refused here")
    if system.prctl(_SECCOMP, _FILTER, ctypes.byref(whole), 0, 0):
        raise OSError(f"seccomp is refused here (error {ctypes.get_errno()})")


def hide() -> None:
    """Of the process that asks: nobody without privileges reads its memory or environment."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_DUMPABLE, 0, 0, 0, 0)


def _program(calls: tuple[int, ...]) -> bytes:
    """A filter that lets these calls through, refuses all others, and kills another machine's."""
    architecture, *numbers = calls
    steps = [(_LOAD, 0, 0, 4), (_IF_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL)]
    steps.append((_LOAD, 0, 0, 0))
    for number in numbers:
        steps += [(_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    steps.append((_RETURN, 0, 0, _REFUSE))
    return b"".join(struct.pack("HBBI", *step) for step in steps)
