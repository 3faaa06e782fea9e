"""`onething contracts`: the generated files beside the contracts, fresh or stale."""

import typer

from contracts.published import published_files
from deploy.cli.terminal import err
from deploy.local.world import PROJECT_ROOT

app = typer.Typer(no_args_is_help=True, help="Schemas, examples and the events page that stand beside the code.")
FOLDER = PROJECT_ROOT / "contracts"
GENERATED = ("schemas", "examples")


@app.command(epilog="Example: onething contracts check")
def check() -> None:
    """Say which generated files are stale, missing or left over; exit 1 if any is."""
    wanted = published_files()
    stale = [name for name, text in wanted.items() if _text_of(name) != text]
    for name in stale:
        err.print(f"stale: contracts/{name}", markup=False)
    for name in _left_over(wanted):
        err.print(f"left over: contracts/{name}", markup=False)
    if stale or _left_over(wanted):
        err.print("Run: onething contracts generate")
        raise typer.Exit(1)
    err.print(f"{len(wanted)} generated files are fresh.")


@app.command(epilog="Example: onething contracts generate")
def generate() -> None:
    """Write the generated files anew."""
    wanted = published_files()
    for name in _left_over(wanted):
        (FOLDER / name).unlink()
    for name, text in wanted.items():
        (FOLDER / name).parent.mkdir(exist_ok=True)
        (FOLDER / name).write_text(text, encoding="utf-8")
    err.print(f"Wrote {len(wanted)} files in contracts/.")


def _text_of(name: str) -> str | None:
    path = FOLDER / name
    return path.read_text(encoding="utf-8") if path.exists() else None


def _left_over(wanted: dict[str, str]) -> list[str]:
    there = [f"{folder}/{path.name}" for folder in GENERATED for path in sorted((FOLDER / folder).glob("*"))]
    return [name for name in there if name not in wanted]
