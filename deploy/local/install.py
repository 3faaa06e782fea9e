"""Makes the virtual environment and installs the locked packages; `make setup` runs it with any Python.

Only the standard library is there yet, so the progress bar is our own.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
LOG = VENV / "install.log"
BAR_WIDTH = 32
LINE_EVERY = 10

# What pip's words mean for a person; the first that is found is told.
SENTENCES = (
    (r"No space left on device|Disk quota", "The disk is full. Free about 2 GB and run it again."),
    (
        r"Read-only file system|Permission denied",
        f"{ROOT} cannot be written. Make it writable and run it again.",
    ),
    (
        r"THESE PACKAGES DO NOT MATCH THE HASHES",
        "A package is not the locked one. Try another network or index.",
    ),
    (
        r"NewConnectionError|NameResolution|Network is unreachable|ConnectTimeout|ProxyError|SSLError|"
        r"Max retries|No matching distribution",
        "The package registry cannot be reached. Check the network or pip's settings and run it again.",
    ),
)


class InstallProblem(Exception):
    """One sentence that says what to mend."""


def make_venv() -> None:
    """Make the virtual environment with pip in it."""
    python = VENV / "bin" / "python"
    if python.exists() and _run(python, "-m", "pip", "--version").returncode == 0:
        return
    print("Making the virtual environment", file=sys.stderr)
    try:
        VENV.mkdir(exist_ok=True)
    except OSError as error:
        raise InstallProblem(
            f"{ROOT} cannot be written ({error.strerror}). Make it writable and run it again."
        ) from None
    made = _run(sys.executable, "-m", "venv", "--clear", VENV)
    if made.returncode:
        words = made.stdout + made.stderr
        if "ensurepip" in words:
            raise InstallProblem(
                "This Python lacks the modules venv and ensurepip. Install them "
                "(Debian, Ubuntu: python3-venv) and run it again."
            )
        raise InstallProblem(_sentence(words) or f"The virtual environment could not be made: {words.strip()}")


def install() -> None:
    """Install exactly what the lock says, with a bar over its packages."""
    total = len(re.findall(r"^[A-Za-z0-9]", LOCK.read_text(), re.MULTILINE))
    command = [VENV / "bin" / "python", "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    command += ["--retries", "2", "--require-hashes", "-r", LOCK]
    collected = 0
    with (
        LOG.open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT) as pip,
    ):
        assert pip.stdout is not None
        for line in pip.stdout:
            log.write(line)
            if line.startswith(("Collecting ", "Requirement already satisfied: ", "Ignoring ")):
                collected += 1
                _show("Fetching packages", min(collected, total), total)
            elif line.startswith("Installing collected packages"):
                _end_bar()
                print("Installing packages (a minute or so)", file=sys.stderr)
    _end_bar()
    if pip.returncode:
        words = LOG.read_text()
        raise InstallProblem(_sentence(words) or f"The packages could not be installed; pip's words are in {LOG}.")


def link_program() -> None:
    """Make `onething` callable wherever the virtual environment is active."""
    link = VENV / "bin" / "onething"
    link.unlink(missing_ok=True)
    link.symlink_to(Path("..", "..", "onething"))


def _run(*command: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, check=False, capture_output=True, text=True)


def _sentence(words: str) -> str | None:
    return next((sentence for pattern, sentence in SENTENCES if re.search(pattern, words)), None)


def _show(what: str, done: int, total: int) -> None:
    if sys.stderr.isatty():
        filled = BAR_WIDTH * done // total
        bar = "━" * filled + " " * (BAR_WIDTH - filled)
        print(f"\r{what} {bar} {done}/{total}", end="", file=sys.stderr, flush=True)
    elif done == total or done % LINE_EVERY == 0:
        print(f"{what} {done}/{total}", file=sys.stderr, flush=True)


def _end_bar() -> None:
    if sys.stderr.isatty():
        print(file=sys.stderr)


def main() -> None:
    """Set up, or say in one sentence why not."""
    os.environ["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    try:
        make_venv()
        install()
        link_program()
    except InstallProblem as problem:
        sys.exit(str(problem))
    except OSError as error:
        sys.exit(_sentence(str(error)) or f"Setting up failed: {error}")


if __name__ == "__main__":
    main()
