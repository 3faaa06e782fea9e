"""Has imported everything, and forks processes of the stack: a killed one is back in a tenth of the time.

    python -m tests.faults.fork_server

reads orders as JSON lines: to fork, answered with the process id, or to say how one ended, answered with its exit code
or `null`. What it forks runs the same modules as otherwise; only their imports, most of a start, are not done again.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import sys
import traceback
from importlib import import_module
from typing import Any, NoReturn

from deploy.local.child import PR_SET_PDEATHSIG
from deploy.local.process_table import PROCESSES
from tests.faults import armed


def main() -> None:
    """Serve until the other side closes."""
    for entry in PROCESSES:
        import_module(entry.module)
        del sys.modules[entry.module]  # it is run anew, as the main module of what is forked
    gc.collect()
    gc.freeze()
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(_ended(order["poll"]) if "poll" in order else _fork(order)), flush=True)


def _fork(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid == 0:
        _become(order)
    return pid


def _ended(pid: int) -> int | None:
    """The exit code, negative for a signal; None while it runs."""
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def _become(order: dict[str, Any]) -> NoReturn:
    """In the child: be the process that was ordered, until it ends."""
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.close(log)
    os.close(nothing)
    sys.stdout.reconfigure(line_buffering=True)
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv = ["", *order["arguments"]]
    code = 1
    try:
        armed.main()
        code = 0
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 0 if left.code is None else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
