"""Looks for the vault's identifiers where they must not be: tables, topics, logs, workflow histories' store."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from stdnum.cn import ric

from deploy.invariants.live_data import LiveData

SHORTEST = 4
"""Shorter texts (two-character names) stand in too many innocent words to be searched for."""
IDENTITY_NUMBER = re.compile(r"(?<![0-9A-Za-z])[1-9]\d{16}[0-9Xx](?![0-9A-Za-z])")
VAULT_TABLE = "intake.vault_entries"

TEXT_COLUMNS = """
    select table_schema || '.' || table_name as table_name, column_name, data_type
    from information_schema.columns
    where table_schema not in ('pg_catalog', 'information_schema')
      and data_type in ('text', 'character varying', 'jsonb', 'json', 'bytea', 'ARRAY')
    order by 1, 2"""


async def identifiers_outside_the_vault(live: LiveData) -> list[str]:
    """7: says where an identifier was found, never which."""
    violations: list[str] = []
    for row in await live.rows(TEXT_COLUMNS):
        table, column = row["table_name"], row["column_name"]
        if table == VAULT_TABLE:
            continue
        text = f"encode({column}, 'escape')" if row["data_type"] == "bytea" else f"{column}::text"
        values = await live.rows(f"select {text} as text from {table} where {column} is not null")
        found = sum(1 for value in values if _holds_identifier(live, value["text"]))
        if found:
            violations.append(f"{table}.{column}: an identifier in {found} rows.")
    violations += [f"{record.topic} partition {record.partition} offset {record.offset}: an identifier."
                   for record in live.records if _holds_identifier(live, f"{record.headers} {record.text}")]
    violations += [f"Log {name}, line {number}: an identifier." for name, number in _log_lines(live)]
    return violations


def _log_lines(live: LiveData) -> Iterator[tuple[str, int]]:
    for path in sorted(live.logs.glob("*.log")) if live.logs else ():
        with path.open(errors="replace") as lines:
            for number, line in enumerate(lines, start=1):
                if _holds_identifier(live, line):
                    yield path.name, number


def _holds_identifier(live: LiveData, text: str) -> bool:
    if any(secret in text for secret in live.secret_texts if len(secret) >= SHORTEST):
        return True
    return any(_is_identity_number(match.group()) for match in IDENTITY_NUMBER.finditer(text))


def _is_identity_number(text: str) -> bool:
    """Whether 18 characters are an identity number, rather than any number of that length."""
    number = text.upper()
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return 1900 <= born.year <= 2100 and ric.calc_check_digit(number) == number[-1]
