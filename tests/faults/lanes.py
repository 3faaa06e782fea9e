"""`make faults`: all tests of this folder in two lanes side by side, for most of them wait more than they reckon."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from deploy.local.world import PROJECT_ROOT, WORLDS_FOLDER

FOLDER = Path(__file__).parent
SECOND = ("test_a_week", "test_fuzz", "test_servers_away", "test_slow_and_partial")
"""About half of the time; whatever else there is runs in the first lane."""
NO_TESTS = 5
"""How pytest ends that found no test to run."""


def lanes() -> list[list[Path]]:
    """Every file of tests, in one lane or the other."""
    second = [FOLDER / f"{name}.py" for name in SECOND]
    return [[file for file in sorted(FOLDER.glob("test_*.py")) if file not in second], second]


async def run(number: int, files: list[Path]) -> int:
    """One lane, its output in a file; pytest's exit code."""
    log, began_at = WORLDS_FOLDER / f"faults-{number}.log", time.monotonic()
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "pytest", "-m", "", *map(str, files), cwd=PROJECT_ROOT, stdout=output, stderr=output)
        code = await process.wait()
    told = log.read_text("utf-8", errors="replace").splitlines()
    print(f"Lane {number}: {told[-1].strip('= ') if told else 'said nothing'}; "
          f"{(time.monotonic() - began_at) / 60:.0f} min; all of it in {log.relative_to(PROJECT_ROOT)}", flush=True)
    if code not in (0, NO_TESTS):
        print("\n".join(line for line in told if line.startswith(("E  ", "____", "ERROR", "FAILED"))), flush=True)
    return code


async def main() -> int:
    """0 where every test of both lanes held."""
    WORLDS_FOLDER.mkdir(exist_ok=True)
    codes = await asyncio.gather(*(run(number, files) for number, files in enumerate(lanes(), start=1)))
    return max(codes)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
