"""`onething invariants`: the promises of the house, checked on the live data of the stack that is up."""

import asyncio
import base64
from typing import Annotated, Any

import asyncpg
import typer

from deploy.cli.running_stack import RunningStack
from deploy.cli.terminal import err, out, print_json
from deploy.invariants.checks import INVARIANTS
from deploy.invariants.live_data import LiveData
from deploy.local.postgres import ADMIN, Postgres
from deploy.local.secret_store import SecretStore
from deploy.local.topic_reader import read_topics
from services.intake.vault import KeptField, Vault


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("invariants", epilog="Example: onething invariants")(invariants)


def invariants(json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False) -> None:
    """Check each promise on the live data, and name every violation."""
    results = asyncio.run(check_all(RunningStack.find()))
    if json:
        print_json(results)
    else:
        for result in results:
            style = "green" if not result["violations"] else "red"
            word = "holds" if not result["violations"] else "BROKEN"
            out.print(f"[{style}]{result['number']} {word}[/]  {result['promise']}")
            for violation in result["violations"]:
                out.print(f"    {violation}", markup=False)
            if result["not_yet"]:
                out.print(f"    not yet applicable: {result['not_yet']}", style="dim")
    broken = sum(1 for result in results if result["violations"])
    err.print(f"{len(results) - broken} of {len(results)} promises hold.")
    if broken:
        raise typer.Exit(1)


async def check_all(stack: RunningStack) -> list[dict[str, Any]]:
    """Every promise with its violations."""
    secrets = SecretStore(stack.world.secrets)
    database = await asyncpg.connect(Postgres(stack.world, secrets).dsn(ADMIN))
    try:
        live = LiveData(
            database,
            records=await read_topics(stack.world.address("kafka")),
            bank_lines=(await stack.ask("bank", "GET", "/statements"))["lines"],
            secret_texts=await _identifiers(database, secrets),
            logs=stack.world.logs,
        )
        return [
            {
                "number": each.number,
                "promise": each.promise,
                "violations": await each.check(live),
                "not_yet": each.not_yet,
            }
            for each in INVARIANTS
        ]
    finally:
        await database.close()


async def _identifiers(database: asyncpg.Connection, secrets: SecretStore) -> frozenset[str]:
    """What the vault keeps, opened with the keys of this stack."""
    keys = (base64.b64decode(secrets.symmetric_key(name)) for name in ("VAULT_KEY", "BLIND_INDEX_KEY"))
    vault = Vault(*keys)
    searched = [KeptField.IDENTITY_NUMBER, KeptField.PHONE, KeptField.BANK_ACCOUNT, KeptField.ELECTRICITY_ACCOUNT]
    rows = await database.fetch(
        "select case_id, person_id, field, key_id, ciphertext from intake.vault_entries where field = any($1)",
        [kept.value for kept in searched],
    )
    return frozenset(
        vault.decrypt(row["case_id"], row["person_id"], KeptField(row["field"]), row["key_id"], row["ciphertext"])
        for row in rows
    )
