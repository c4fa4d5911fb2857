"""A parser whose process is killed while it starts, the first time: as the kernel does where memory runs out."""

import os
import signal

from tests.fakes.parsers import obey

__all__ = ["obey"]

try:
    os.symlink("x", os.path.join(os.environ["TMPDIR"], "killed-once"))
    os.kill(os.getpid(), signal.SIGKILL)
except FileExistsError:
    pass
