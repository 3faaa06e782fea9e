"""`onething contracts`: the generated files beside the contracts, changes since the last release, and releasing."""

import json
import re
from typing import Annotated, cast

import typer

from contracts import VERSION
from contracts.compatibility import Finding, findings, refused
from contracts.published import json_text, published_files
from contracts.release import Release, todays_release
from deploy.cli.terminal import err, refuse
from deploy.local.world import PROJECT_ROOT

app = typer.Typer(no_args_is_help=True, help="AsyncAPI document, schemas, examples; what changed since the release.")
FOLDER = PROJECT_ROOT / "contracts"
GENERATED = ("schemas", "examples")
RELEASED = "released"
VERSION_FORM = re.compile(r"\d+\.\d+\.\d+")


@app.command(epilog="Example: onething contracts check")
def check() -> None:
    """Say which generated files are stale and which changes break a reader of the last release; exit 1 if any."""
    stale, found = _stale(), _since_last_release()
    for line in stale:
        err.print(line, markup=False)
    if stale:
        err.print("Run: onething contracts generate")
    for finding in found:
        err.print(str(finding), markup=False, soft_wrap=True)
    if stale or refused(found):
        raise typer.Exit(1)
    last = _released_versions()
    since = f"{len(found)} compatible changes since" if found else "nothing changed since"
    err.print(f"{len(published_files())} generated files are fresh; "
              + (f"{since} release {last[-1]}." if last else "no release yet."))


@app.command(epilog="Example: onething contracts generate")
def generate() -> None:
    """Write the generated files anew."""
    wanted = published_files()
    for name in _left_over(wanted):
        (FOLDER / name).unlink()
    for name, text in wanted.items():
        (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / name).write_text(text, encoding="utf-8")
    err.print(f"Wrote {len(wanted)} files in contracts/.")


@app.command(epilog="Example: onething contracts release 0.2.0")
def release(version: Annotated[str, typer.Argument(help="The next version: major.minor.patch.")]) -> None:
    """Keep today's schemas and examples as a release, against which every later change is checked."""
    problem = _why_not(version)
    if problem:
        refuse(problem)
        raise typer.Exit(1)
    kept = FOLDER / RELEASED / f"{version}.json"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(json_text(todays_release(version)), encoding="utf-8")
    err.print(f"Wrote contracts/{RELEASED}/{kept.name}. Commit it, and never change it.")


def _why_not(version: str) -> str | None:
    """Why this version cannot be released now; None if it can."""
    if not VERSION_FORM.fullmatch(version):
        return f"{version} is no version. Give three numbers, such as 0.2.0."
    if version != VERSION:
        return (f"contracts/__init__.py says {VERSION}. Write VERSION = \"{version}\" there, "
                "run `onething contracts generate`, then release it.")
    last = _released_versions()
    if last and _numbers(version) <= _numbers(last[-1]):
        return f"{version} does not follow {last[-1]}, the last release. Choose a higher version."
    if _stale():
        return "Generated files are stale. Run `onething contracts generate`, then release."
    broken = refused(_since_last_release())
    if broken:
        return f"{len(broken)} changes break readers of {last[-1]}; `onething contracts check` names them."
    return None


def _stale() -> list[str]:
    wanted = published_files()
    return [
        *(f"stale: contracts/{name}" for name, text in wanted.items() if _text_of(name) != text),
        *(f"left over: contracts/{name}" for name in _left_over(wanted)),
    ]


def _since_last_release() -> list[Finding]:
    versions = _released_versions()
    return findings(_released(versions[-1]), todays_release(VERSION)) if versions else []


def _released_versions() -> list[str]:
    """Every released version, oldest first."""
    return sorted((path.stem for path in (FOLDER / RELEASED).glob("*.json")), key=_numbers)


def _released(version: str) -> Release:
    return cast(Release, json.loads((FOLDER / RELEASED / f"{version}.json").read_text(encoding="utf-8")))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _text_of(name: str) -> str | None:
    path = FOLDER / name
    return path.read_text(encoding="utf-8") if path.exists() else None


def _left_over(wanted: dict[str, str]) -> list[str]:
    there = [path for folder in GENERATED for path in sorted((FOLDER / folder).rglob("*")) if path.is_file()]
    return [name for name in (path.relative_to(FOLDER).as_posix() for path in there) if name not in wanted]
