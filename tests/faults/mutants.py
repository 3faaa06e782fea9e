"""The mechanisms that carry the promises, each taken out, and the tests that must notice."""

from __future__ import annotations

from typing import NamedTuple

RUNTIME, APPROVAL, VERIFICATION, INTAKE, DISBURSEMENT = (
    f"tests/services/{name}" for name in ("runtime", "approval", "verification", "intake", "disbursement")
)
LEGAL_WAIT = "tests/workflows/test_legal_wait.py"


class Edit(NamedTuple):
    """What is written otherwise in one file."""

    file: str
    whole: str
    taken_out: str


class Mutant(NamedTuple):
    """A mechanism taken out, in words and in code, and the tests that hold it."""

    mechanism: str
    without: str
    edits: tuple[Edit, ...]
    noticed_by: tuple[str, ...]


MUTANTS = (
    Mutant(
        "inbox", "every delivery of an event takes effect",
        (Edit("services/runtime/inbox.py", 'return {row["event_id"] for row in claimed}', "return set(event_ids)"),),
        (f"{RUNTIME}/test_consumer.py::test_each_event_takes_effect_once_however_often_it_is_delivered",
         f"{RUNTIME}/test_consumer.py::test_a_rewound_group_changes_nothing"),
    ),
    Mutant(
        "outbox in the same transaction", "events are written after the change was committed",
        (Edit("services/runtime/database.py",
              "            await tx.write_buffered()\n            await connection.commit()\n",
              "            await connection.commit()\n            await tx.driver.execute('begin')\n"
              "            await tx.write_buffered()\n            await tx.driver.execute('commit')\n"),),
        (f"{RUNTIME}/test_outbox.py::test_a_change_whose_event_cannot_be_written_is_not_made",),
    ),
    Mutant(
        "outbox in the same transaction", "events are written before it, on a connection of their own",
        (Edit("services/runtime/database.py",
              "            await outbox.insert(self.driver, self.service, self._outbox)\n",
              "            own = await __import__('asyncpg').connect(self.runtime.settings.database_dsn)\n"
              "            await outbox.insert(own, self.service, self._outbox)\n            await own.close()\n"),),
        (f"{RUNTIME}/test_relay.py::test_nothing_is_published_before_the_commit_nor_after_a_rollback",
         f"{RUNTIME}/test_outbox.py::test_an_event_of_a_change_that_was_not_made_is_not_told"),
    ),
    Mutant(
        "deleted only when acknowledged", "the relay forgets what it read, sent or not",
        (Edit("services/runtime/relay.py", '        if sent:\n            await connection.execute('
              'f"delete from {self._schema}.outbox where id = any($1)", sent)',
              '        if rows:\n            await connection.execute(f"delete from {self._schema}.outbox '
              'where id = any($1)", [row["id"] for row in rows])'),),
        (f"{RUNTIME}/test_relay.py::test_a_stuck_idempotent_producer_is_rebuilt_and_no_row_is_skipped",),
    ),
    Mutant(
        "advisory lock of the relay", "two relays serve a shard at once",
        (Edit("services/runtime/relay.py", "pg_try_advisory_lock($1, $2 + shard)",
              "$1::int + $2::int + shard > 0"),),
        (f"{RUNTIME}/test_relay.py::test_order_per_case_holds_with_writers_and_two_relays_racing",),
    ),
    Mutant(
        "advisory lock of the case", "two transactions write into one case at once",
        (Edit("services/runtime/database.py",
              "select from unnest($1::bigint[]) as key where pg_advisory_xact_lock(key) is null",
              "select from unnest($1::bigint[]) as key where key is null"),),
        (f"{RUNTIME}/test_database.py::"
         "test_two_transactions_on_one_case_take_turns_and_other_services_do_not_wait",),
    ),
    Mutant(
        "advisory lock of the person", "two forms about one person are taken in at once",
        (Edit("services/intake/person_locks.py",
              "select from unnest($1::bigint[]) as key where pg_advisory_xact_lock(key) is null",
              "select from unnest($1::bigint[]) as key where key is null"),),
        (f"{INTAKE}/test_same_person.py::test_strangers_at_the_same_moment_make_one_item",),
    ),
    Mutant(
        "idempotency key", "a form sent again is a form",
        (Edit("services/intake/submit_application.py", "answers = await _stored_answers(tx, submissions)",
              "answers = {}"),),
        (f"{INTAKE}/test_submit_application.py::test_the_same_key_and_body_get_the_very_same_answer",),
    ),
    Mutant(
        "fencing check", "a decision made for another owner or epoch is confirmed",
        (Edit("services/approval/rules.py", "if (decision.owner, decision.epoch) != (item.owner, item.epoch):",
              "if False:"),),
        (f"{APPROVAL}/test_rules.py::test_what_no_longer_stands_is_not_confirmed",),
    ),
    Mutant(
        "unique payment key", "nothing but the code hinders a second payment of a period",
        (Edit("services/disbursement/migrations/r0001_payments_and_ledger.py",
              "ended_at timestamptz,\n        constraint payments_once_per_period unique (award_id, period)\n",
              "ended_at timestamptz\n"),),
        (f"{DISBURSEMENT}/test_payments.py::test_what_is_given_once_is_paid_at_once_and_only_once",),
    ),
    Mutant(
        "notice wait", "a grant is confirmed while its public notice is open",
        (Edit("services/approval/rules.py", "return _too_early(decision, on=on) or Confirmation()",
              "return Confirmation()"),),
        (f"{APPROVAL}/test_rules.py::test_a_grant_waits_until_the_seventh_day_of_its_notice_is_over",
         f"{APPROVAL}/test_confirm_decision.py::test_nothing_is_confirmed_before_the_notice_has_ended"),
    ),
    Mutant(
        "authorisation gate", "sources are asked before every adult has signed",
        (Edit("services/verification/start_means_checks.py",
              "if household.awaited_for(check):", "if False:"),),
        (f"{VERIFICATION}/test_means_checks.py::test_no_source_is_asked_before_every_adult_has_authorised",),
    ),
    Mutant(
        "acknowledged after handling", "an offset is committed before its record is handled",
        (Edit("services/runtime/consumer.py", "AckPolicy.NACK_ON_ERROR", "AckPolicy.ACK_FIRST"),),
        (f"{RUNTIME}/test_database.py::"
         "test_with_the_database_killed_nothing_is_parked_and_each_event_takes_effect_once",),
    ),
    Mutant(
        "dead letter", "a record that cannot be handled blocks those behind it",
        (Edit("services/runtime/handling.py",
              "                await self._park(record, failure, attempts=attempts)\n                continue\n",
              "                raise failure\n"),),
        (f"{RUNTIME}/test_consumer.py::test_a_raising_handler_parks_its_record_and_spares_the_others_of_the_batch",),
    ),
    Mutant(
        "jurisdiction (row level security)", "every transaction sees every place",
        (Edit("services/runtime/database.py", "set_config('onething.jurisdiction', $1, true)",
              "set_config('onething.jurisdiction', left($1, 0) || '*', true)"),),
        (f"{RUNTIME}/test_database.py::test_a_transaction_sees_only_its_jurisdiction",
         f"{INTAKE}/test_who_sees_what.py::test_the_database_itself_keeps_to_the_jurisdiction"),
    ),
    Mutant(
        "signature of a token", "what a token says is believed",
        (Edit("services/runtime/tokens.py", "decoded = jwt.decode(token, self._key_of, [ALGORITHM])",
              "from base64 import urlsafe_b64decode as open_part; from types import SimpleNamespace; "
              "decoded = SimpleNamespace(**{name: json.loads(open_part(part + '==')) "
              "for name, part in zip(('header', 'claims'), token.split('.'))})"),),
        (f"{RUNTIME}/test_tokens.py::test_a_token_signed_with_a_strangers_key_is_refused",),
    ),
    Mutant(
        "legal clock read after a timer", "a timer that fired is believed",
        (Edit("workflows/legal_wait.py", "if reading.legal_now >= wake_at:", "if True:"),),
        (f"{LEGAL_WAIT}::test_a_timer_that_fired_early_by_the_database_clock_is_armed_again",
         f"{LEGAL_WAIT}::test_a_told_leap_is_not_believed_before_the_database_confirms_it"),
    ),
)
