"""Which changes of the contracts may follow the last release; each finding says where, why, and what to do."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from contracts.compatibility import VERDICTS, Finding, Verdict, findings, refused
from contracts.release import Release, todays_release
from contracts.schema_changes import Effect

RELEASED = todays_release("0.1.0")
ACCEPTED = "item.accepted.v1"
VERIFIED = "verification.completed.v1"
Change = Callable[[Release], None]


def after(change: Change) -> list[Finding]:
    today = copy.deepcopy(RELEASED)
    change(today)
    return findings(RELEASED, today)


def schema(release: Release, event: str) -> dict[str, Any]:
    return release["events"][event]["schema"]


def of_message(release: Release, message: str) -> dict[str, Any]:
    return release["messages"][message]["schema"]


def drop(fields: dict[str, Any], name: str) -> None:
    del fields["properties"][name]
    fields["required"] = [each for each in fields["required"] if each != name]


def remove_field(release: Release) -> None:
    drop(schema(release, ACCEPTED), "living_area")


def make_optional(release: Release) -> None:
    schema(release, ACCEPTED)["required"].remove("living_area")


def require_more(release: Release) -> None:
    schema(release, ACCEPTED)["properties"]["road"] = {"type": "string"}
    schema(release, ACCEPTED)["required"].append("road")


def add_field(release: Release) -> None:
    schema(release, ACCEPTED)["properties"]["road"] = {"type": "string", "default": ""}


def shrink_vocabulary(release: Release) -> None:
    schema(release, ACCEPTED)["$defs"]["Benefit"]["enum"].remove("temporary_assistance")


def grow_vocabulary(release: Release) -> None:
    schema(release, ACCEPTED)["$defs"]["Benefit"]["enum"].append("housing")


def grow_what_readers_branch_on(release: Release) -> None:
    schema(release, "decision.confirmed.v1")["$defs"]["Outcome"]["enum"].append("postpone")


def tighten_inside(release: Release) -> None:
    schema(release, VERIFIED)["$defs"]["Fact"]["properties"]["as_of"]["format"] = "date-time"


def loosen_bound(release: Release) -> None:
    schema(release, VERIFIED)["properties"]["revision"]["minimum"] = 0


def add_unknown_keyword(release: Release) -> None:
    schema(release, VERIFIED)["properties"]["revision"]["multipleOf"] = 2


def contain_itself(release: Release) -> None:
    schema(release, VERIFIED)["$defs"]["Fact"]["properties"]["because"] = {"$ref": "#/$defs/Fact"}


def drop_header(release: Release) -> None:
    drop(release["headers"], "ce_ruledate")


def place(name: str, value: object) -> Change:
    return lambda release: release["events"][ACCEPTED].update({name: value})


def withdraw_reader(release: Release) -> None:
    readers = release["events"][ACCEPTED]["readers"]
    readers[:] = [grant for grant in readers if grant["reader"] != "approval"]


def withdraw_field(release: Release) -> None:
    release["events"][VERIFIED]["readers"][0]["fields"].remove("visited_on")


def grant_field(release: Release) -> None:
    release["events"][VERIFIED]["readers"][0]["fields"].append("facts")


def grant(name: str, value: object) -> Change:
    return lambda release: release["events"][VERIFIED]["readers"][0].update({name: value})


def grant_reader(release: Release) -> None:
    release["events"][ACCEPTED]["readers"].append(
        {"reader": "audit", "why": "audits", "topic": "relief.item.v1", "fields": []})


def drop_event(release: Release) -> None:
    del release["events"][ACCEPTED]


def add_event(release: Release) -> None:
    release["events"]["item.accepted.v2"] = release["events"][ACCEPTED]


SAFE, FIRST, BREAKING, UNCLASSIFIED = Verdict


@pytest.mark.parametrize(("change", "verdict", "of", "path"), [
    (remove_field, BREAKING, ACCEPTED, "living_area"),
    (make_optional, BREAKING, ACCEPTED, "living_area"),
    (require_more, BREAKING, ACCEPTED, "road"),
    (shrink_vocabulary, BREAKING, ACCEPTED, "benefit"),
    (grow_what_readers_branch_on, BREAKING, "decision.confirmed.v1", "outcome"),
    (tighten_inside, BREAKING, VERIFIED, "facts[].as_of"),
    (drop_header, BREAKING, "every event", "ce_ruledate"),
    (place("topic", "relief.item.v2"), BREAKING, ACCEPTED, "topic"),
    (place("key", "item_id"), BREAKING, ACCEPTED, "key"),
    (place("partitions", 8), BREAKING, ACCEPTED, "partitions"),
    (place("owner", "approval"), BREAKING, ACCEPTED, "owner"),
    (place("retention_hours", 24), BREAKING, ACCEPTED, "retention_hours"),
    (withdraw_reader, BREAKING, ACCEPTED, "readers.approval"),
    (withdraw_field, BREAKING, VERIFIED, "readers.coordination.fields"),
    (grant("topic", "elsewhere"), BREAKING, VERIFIED, "readers.coordination.topic"),
    (drop_event, BREAKING, ACCEPTED, ""),
    (add_unknown_keyword, UNCLASSIFIED, VERIFIED, "revision"),
    (contain_itself, UNCLASSIFIED, VERIFIED, ""),
    (place("compression", "zstd"), UNCLASSIFIED, ACCEPTED, "compression"),
    (grant("until", "2027-01-01"), UNCLASSIFIED, VERIFIED, "readers.coordination.until"),
    (grow_vocabulary, FIRST, ACCEPTED, "benefit"),
    (loosen_bound, FIRST, VERIFIED, "revision"),
    (add_field, SAFE, ACCEPTED, "road"),
    (place("retention_hours", 1000), SAFE, ACCEPTED, "retention_hours"),
    (grant_field, SAFE, VERIFIED, "readers.coordination.fields"),
    (grant("why", "another reason"), SAFE, VERIFIED, "readers.coordination.why"),
    (grant_reader, SAFE, ACCEPTED, "readers.audit"),
    (add_event, SAFE, "item.accepted.v2", ""),
])
def test_a_change_of_an_event_is_judged(change: Change, verdict: Verdict, of: str, path: str) -> None:
    (finding,) = after(change)
    assert (finding.verdict, finding.of, finding.path) == (verdict, of, path)
    assert bool(refused([finding])) is (verdict in (BREAKING, UNCLASSIFIED))
    assert finding.what and finding.to_do


def send_more(release: Release) -> None:
    of_message(release, "SourceQueries")["properties"]["urgent"] = {"type": "boolean", "default": False}


def receive_more(release: Release) -> None:
    of_message(release, "SourceAnswers")["properties"]["urgent"] = {"type": "boolean", "default": False}


def receive_new_value(release: Release) -> None:
    of_message(release, "Statement")["$defs"]["LineKind"]["enum"].append("disputed")


def receive_fewer_values(release: Release) -> None:
    of_message(release, "Statement")["$defs"]["LineKind"]["enum"].remove("returned")


def require_of_the_department(release: Release) -> None:
    of_message(release, "AnswerReferral")["required"].append("reason")


def send_less(release: Release) -> None:
    drop(of_message(release, "PaymentBatch")["$defs"]["PaymentOrder"], "period")


def turn_round(release: Release) -> None:
    release["messages"]["PaymentBatch"]["direction"] = "received"


@pytest.mark.parametrize(("change", "verdict", "of", "path"), [
    (send_more, FIRST, "SourceQueries", "urgent"),
    (receive_more, SAFE, "SourceAnswers", "urgent"),
    (receive_new_value, SAFE, "Statement", "lines[].kind"),
    (receive_fewer_values, BREAKING, "Statement", "lines[].kind"),
    (require_of_the_department, BREAKING, "AnswerReferral", "reason"),
    (send_less, BREAKING, "PaymentBatch", "orders[].period"),
    (turn_round, UNCLASSIFIED, "PaymentBatch", "direction"),
])
def test_a_change_of_an_http_message_is_judged_by_who_writes_it(
        change: Change, verdict: Verdict, of: str, path: str) -> None:
    (finding,) = after(change)
    assert (finding.verdict, finding.of, finding.path) == (verdict, of, path)


def test_nothing_changed_finds_nothing() -> None:
    assert findings(RELEASED, copy.deepcopy(RELEASED)) == []


def test_a_finding_names_the_event_the_field_the_change_and_the_way_out() -> None:
    assert str(after(remove_field)[0]) == (
        "breaking: item.accepted.v1 living_area: field removed. "
        "Undo it, or add beside it a new type, item.accepted.v2.")


def test_every_effect_has_a_verdict_for_every_role_and_the_unknown_never_passes() -> None:
    for verdicts in VERDICTS.values():
        assert set(verdicts) == set(Effect)
        assert verdicts[Effect.UNKNOWN] is UNCLASSIFIED
        assert verdicts[Effect.CHANGED] is BREAKING
