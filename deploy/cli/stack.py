"""`onething up`, `down` and `status`: the kept world in the background."""

import asyncio
import contextlib
import signal
import subprocess
import sys
import time
from typing import Annotated, Any

import httpx
import psutil
import typer
from rich.table import Table

from deploy.cli.running_stack import RunningStack
from deploy.cli.terminal import err, out, print_json, start_progress
from deploy.local.infrastructure import COMPONENTS
from deploy.local.problem import StackProblem
from deploy.local.process_table import PROCESSES
from deploy.local.world import PROJECT_ROOT, World, default_home, is_running

UP_BOUND_SECONDS = 300.0
DOWN_BOUND_SECONDS = 90.0
POLL_SECONDS = 0.2
ASKING_OUTSIDE = ("verification", "disbursement")
"""The services that may wait on parties outside: data sources, the bank."""

InfrastructureOnly = Annotated[
    bool,
    typer.Option("--infrastructure-only", help="Only PostgreSQL, Kafka and Temporal, none of our processes."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command(epilog="Example: onething up")(up)
    app.command(epilog="Example: onething down")(down)
    app.command(epilog="Example: onething status --json")(status)


def up(infrastructure_only: InfrastructureOnly = False) -> None:
    """Start the stack in the background; it keeps its data between starts."""
    home = default_home()
    if is_running(home):
        err.print(f"Already up in {home}. See: onething status")
        return
    world = World.open(home)
    log_file = world.logs / "supervisor.log"
    command = [sys.executable, "-m", "deploy.local.background", str(home)]
    with log_file.open("w") as log:
        background = subprocess.Popen(
            [*command, *(["--infrastructure-only"] if infrastructure_only else [])],
            cwd=PROJECT_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    started = time.monotonic()
    try:
        _follow_start(background, world, infrastructure_only=infrastructure_only)
    except BaseException:
        background.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            background.wait(DOWN_BOUND_SECONDS)
        raise
    err.print(f"Up in {time.monotonic() - started:.0f} s. See: onething status")


def down() -> None:
    """Stop the stack that is up; its data stays."""
    try:
        world = RunningStack.find().world
    except StackProblem:
        err.print("No stack is up; nothing to stop.")
        return
    supervisor = _supervisor(world)
    if supervisor is None:
        raise StackProblem("no_supervisor", f"The stack in {world.home} is still starting. Wait and run it again.")
    with err.status("Stopping"):
        _end(supervisor, world)
    err.print("Down.")


def status(json: AsJson = False) -> None:
    """Show what runs, on which port, and how legal time stands."""
    stack = RunningStack.find()
    report = asyncio.run(_report(stack))
    if json:
        print_json(report)
        return
    table = Table("part", "state", "healthy", "pid", "address", box=None)
    for part in report["parts"]:
        healthy = "[green]yes" if part["healthy"] else "[red]no"
        table.add_row(part["name"], part["state"], healthy, str(part["pid"] or "-"), part["address"] or "-")
    out.print(table)
    for part in report["parts"]:
        if part["fault"]:
            out.print(f"{part['name']}: {part['fault']}", style="red", markup=False, soft_wrap=True)
    out.print(f"World: {report['world']}", soft_wrap=True)
    out.print(f"Temporal's web page: {stack.world.url('temporal_web')}")
    if clock := report["clock"]:
        out.print(f"Legal time: {clock['legal_now']}{' (held)' if clock['held'] else ''}")
    for wait in report["waits"]:
        out.print(f"Waits on {wait['party']}: {wait['cases_count']} cases since {wait['since']} ({wait['reason']}), "
                  f"next try {wait['next_try_at'] or 'when asked to'}", markup=False, soft_wrap=True)


def _follow_start(background: "subprocess.Popen[bytes]", world: World, *, infrastructure_only: bool) -> None:
    deadline = time.monotonic() + UP_BOUND_SECONDS
    with start_progress(infrastructure_only=infrastructure_only) as progress:
        while True:
            now = World.open(world.home)
            if now.holder.get("pid") == background.pid:
                for name, state in now.status.get("parts", {}).items():
                    progress(name, state)
                if now.status.get("up"):
                    return
            if background.poll() is not None:
                raise _why_not_up(world)
            if time.monotonic() > deadline:
                raise StackProblem("not_up_in_time", f"Not up within {UP_BOUND_SECONDS:.0f} s; see {world.logs}.")
            time.sleep(POLL_SECONDS)


def _why_not_up(world: World) -> StackProblem:
    lines = (world.logs / "supervisor.log").read_text().strip().splitlines()
    code, _, sentence = lines[-1].partition(": ") if lines else ("", "", "")
    if sentence and code.isidentifier():
        return StackProblem(code, sentence)
    return StackProblem("supervisor_failed", f"The supervisor ended; see {world.logs / 'supervisor.log'}.")


def _supervisor(world: World) -> psutil.Process | None:
    """The process that runs the world, and not a stranger with its old pid."""
    with contextlib.suppress(psutil.NoSuchProcess, KeyError):
        process = psutil.Process(int(world.holder["pid"]))
        if process.create_time() == world.holder["started_at"]:
            return process
    return None


def _end(supervisor: psutil.Process, world: World) -> None:
    supervisor.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + DOWN_BOUND_SECONDS
    while is_running(world.home):
        if time.monotonic() > deadline:
            supervisor.kill()  # the operating system ends its children with it
            supervisor.wait(10)
        time.sleep(POLL_SECONDS)


async def _report(stack: RunningStack) -> dict[str, Any]:
    world = stack.world
    states = world.status.get("parts", {})
    names = [name for name in (*COMPONENTS, *(entry.name for entry in PROCESSES)) if name in states]
    faults = await asyncio.gather(*(_fault(world, name) for name in names))
    parts = [
        {
            "name": name,
            "state": states[name],
            "healthy": not fault,
            "fault": fault,
            "pid": world.processes.get(name, {}).get("pid"),
            "address": world.address(name) if name in COMPONENTS else world.url(name),
        }
        for name, fault in zip(names, faults, strict=True)
    ]
    clock = await stack.ask("keeper", "GET", "/clock") if states.get("keeper") == "ready" else None
    return {
        "up": bool(world.status.get("up")),
        "world": str(world.home),
        "started_at": world.status.get("started_at"),
        "healthy": not any(faults),
        "parts": parts,
        "clock": clock,
        "waits": [wait for waits in await asyncio.gather(*(
            _waits(stack, name) for name in ASKING_OUTSIDE if states.get(name) == "ready")) for wait in waits],
    }


async def _waits(stack: RunningStack, service: str) -> list[dict[str, Any]]:
    """What a service waits for from outside; nothing where it cannot say so now, which its health tells."""
    with contextlib.suppress(StackProblem):
        return (await stack.ask(service, "GET", "/waits"))["waits"]
    return []


async def _fault(world: World, name: str) -> str:
    """What keeps a part from working; empty where nothing does."""
    if name in COMPONENTS:
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(*world.address(name).rsplit(":", 1)), 2)
        except (OSError, TimeoutError):
            return "does not listen"
        writer.close()
        return ""
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        try:
            answer = await client.get(f"{world.url(name)}/ready")
        except httpx.HTTPError:
            return "does not answer"
    if answer.is_success:
        return ""
    checks: dict[str, Any] = answer.json().get("checks", {})
    return "; ".join(f"{what}: {check['detail']}" for what, check in checks.items() if not check["ok"]) or "not ready"
