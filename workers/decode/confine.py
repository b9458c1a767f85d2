"""What a decoding process takes away from itself before it touches a stranger's bytes."""

import ctypes
import math
import os
import resource
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path

from PIL import AvifImagePlugin, Image

from workers.decode.limits import DecodeLimits

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_OPEN_FILES = 64


def die_with(parent: int) -> None:
    """Ask the kernel to kill this process when its parent dies (Linux; elsewhere the closed pipe ends it)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business: it closes the pool
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(0)  # it died before we asked


def confine(limits: DecodeLimits) -> None:
    """Limit address space, files and cores; nothing here is given back."""
    Image.MAX_IMAGE_PIXELS = None  # ours are checked before any pixel, and may be set higher
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    if sys.platform == "linux":
        most = _address_space() + limits.memory
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def allow_cpu(limit: timedelta) -> None:
    """Let this process use so much more processor time (rounded up to seconds) before the kernel ends it."""
    most = math.ceil(time.process_time() + limit.total_seconds())
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()
