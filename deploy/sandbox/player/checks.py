"""The checks behind expectations: each returns whether it held, and what was seen."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import chinese_calendar

from contracts.events.decision import Outcome
from contracts.events.referral import ReferralAnswer
from contracts.http.bank import LineKind
from deploy.sandbox.actor import CHINA
from deploy.sandbox.player.record import Record, SeenEvent

PAY_DAY = 10
FORBIDDEN_WORDS = ("income", "wage", "pension", "illness", "identity", "disability", "name", "medical")


class Seen(NamedTuple):
    """The result of a check."""

    held: bool
    saw: str


def granted(record: Record, words: dict[str, str]) -> Seen:
    """Confirmed as a grant, in time, by the place named."""
    found = _decision(record, words["benefit"], Outcome.GRANT)
    if isinstance(found, Seen):
        return found
    place = record.area_codes.get(words["place"])
    in_time, took = _within(record, found, words)
    saw = f"granted {_yuan(found.data['amount_fen'])} yuan {took}, decided by {found.owner}"
    return Seen(in_time and place is not None and found.owner == place, saw)


def refused(record: Record, words: dict[str, str]) -> Seen:
    """Confirmed as a refusal, in time, with at least one reason that a household can read."""
    found = _decision(record, words["benefit"], Outcome.REFUSE)
    if isinstance(found, Seen):
        return found
    in_time, took = _within(record, found, words)
    reasons = [reason["zh"] for reason in found.data["reasons"] if reason["zh"] and reason["en"]]
    return Seen(in_time and bool(reasons), f"refused {took}: {'; '.join(reasons) or 'no reason'}")


def paid_each_month_by_rule(record: Record, words: dict[str, str]) -> Seen:
    """Each period from the decision's first month up to the last pay day, with the amount proposed by rule."""
    found = _decision(record, words["benefit"], Outcome.GRANT)
    if isinstance(found, Seen):
        return found
    proposals = record.of_type("decision.proposed", words["benefit"])
    by_rule = proposals[-1].data["amount_fen"] if proposals else None
    first = date.fromisoformat(found.data["first_month"])
    return _paid_months(record, words["benefit"], by_rule, first, _last_paid_month(record))


def paid_each_month(record: Record, words: dict[str, str]) -> Seen:
    """Each period between two months, with the sum that the story pins."""
    first, last = (date.fromisoformat(f"{words[name]}-01") for name in ("first", "last"))
    return _paid_months(record, words["benefit"], _fen(words["yuan"]), first, last)


def paid_once(record: Record, words: dict[str, str]) -> Seen:
    """One payment, one settled line at the bank, in time."""
    paid = record.of_type("payment.instructed", words["benefit"])
    settled = _settled(record, paid)
    if len(paid) != 1 or len(settled) != 1:
        return Seen(False, f"{len(paid)} payments instructed, {len(settled)} settled by the bank")
    booked = datetime.fromisoformat(settled[0]["booked_at"])
    in_time, took = _within_moment(record, booked, words)
    saw = f"{_yuan(settled[0]['amount_fen'])} yuan settled {took}"
    return Seen(in_time and settled[0]["amount_fen"] == _fen(words["yuan"]), saw)


def paid_nothing(record: Record, words: dict[str, str]) -> Seen:
    """No payment of any kind."""
    paid = record.of_type("payment.instructed")
    return Seen(not paid, f"{len(paid)} payments")


def granted_unasked(record: Record, words: dict[str, str]) -> Seen:
    """Another department granted it, nobody having asked, before the case was concluded."""
    asked = any(words["benefit"] in event.data["benefits"] for event in record.of_type("application.submitted"))
    answers = [event for event in record.of_type("referral.answered", words["benefit"])
               if event.data["answer"] == ReferralAnswer.GRANTED]
    concluded = record.of_type("case.concluded")
    if not answers or not concluded:
        return Seen(False, f"{len(answers)} grants, {len(concluded)} closing notices")
    saw = f"granted on {_day(answers[0])}, closing notice on {_day(concluded[0])}"
    return Seen(not asked and len(answers) == 1 and answers[0].time <= concluded[0].time, saw)


def exactly_one(record: Record, words: dict[str, str]) -> Seen:
    """One application, one standing decision per item, one payment per award and month, no dead letters."""
    applications = len(record.of_type("application.submitted"))
    decided = [event.item_id for event in record.of_type("decision.confirmed")]
    periods = [(event.data["award_id"], event.data["period"]) for event in record.of_type("payment.instructed")]
    dead = sum(record.dead_letters.values())
    once = len(decided) == len(set(decided)) and len(periods) == len(set(periods))
    settled = _settled(record, record.of_type("payment.instructed"))
    once = once and len(settled) == len(periods)
    saw = (f"{applications} application, {len(decided)} decisions on {len(set(decided))} items, "
           f"{len(periods)} payments in {len(set(periods))} periods, {len(settled)} settled, {dead} dead letters")
    return Seen(applications == 1 and once and dead == 0, saw)


def power_company_knows_little(record: Record, words: dict[str, str]) -> Seen:
    """What its topic carried: no such field, no number of anyone in the story."""
    if not record.electricity_received:
        return Seen(True, "nothing received")
    text = json.dumps(record.electricity_received, ensure_ascii=False)
    fields = {name for received in record.electricity_received for name in received["value"]}
    bad = sorted(name for name in fields if any(word in name for word in FORBIDDEN_WORDS))
    leaked = [person.name for person in record.cast.people.values() if person.identity_number in text]
    return Seen(not bad and not leaked, f"fields {', '.join(sorted(fields))}; forbidden: {bad + leaked or 'none'}")


def asked_only_when_authorised(record: Record, words: dict[str, str]) -> Seen:
    """No question about anyone of this household reached a source before that person had signed."""
    person = record.cast.people[words["person"]]
    signed = [event.time for event in record.of_type("authorisation.signed")
              if event.data["person_id"] == str(person.person_id)]
    hashes = {member.person_hash for member in record.cast.people.values()}
    asked = [datetime.fromisoformat(question["legal_time"]) for question in record.sources_asked
             if question["person_sha256"] in hashes]
    if not signed or not asked:
        return Seen(False, f"{len(signed)} signatures, {len(asked)} questions")
    first = min(asked).astimezone(CHINA)
    saw = f"signed {signed[0].astimezone(CHINA):%Y-%m-%d %H:%M}, first asked {first:%Y-%m-%d %H:%M}"
    return Seen(min(asked) >= signed[0], saw)


def small_sum_record(record: Record, words: dict[str, str]) -> Seen:
    """The acceptance carries cause, sum and signer; nothing was checked, posted or left owing."""
    accepted = [event for event in record.of_type("item.accepted") if event.data.get("small_sum")]
    extra = [name for name in ("means_check.opened", "visit.ordered", "public_notice.opened", "paperwork.opened")
             if record.of_type(name)]
    if len(accepted) != 1:
        return Seen(False, f"{len(accepted)} small sums on record")
    small_sum = accepted[0].data["small_sum"]
    complete = all(small_sum.get(name) for name in ("amount_fen", "cause", "signed_by"))
    saw = f"{_yuan(small_sum['amount_fen'])} yuan for {small_sum['cause']} on record; also seen: {extra or 'nothing'}"
    return Seen(complete and not extra, saw)


def concluded(record: Record, words: dict[str, str]) -> Seen:
    """One closing notice that lists every item."""
    notices = record.of_type("case.concluded")
    saw = f"{len(notices)} closing notices"
    return Seen(len(notices) == 1, saw)


def _decision(record: Record, benefit: str, outcome: Outcome) -> SeenEvent | Seen:
    decisions = record.of_type("decision.confirmed", benefit)
    if len(decisions) != 1 or decisions[0].data["outcome"] != outcome:
        saw = ", ".join(f"{event.data['outcome']} on {_day(event)}" for event in decisions)
        missing = record.of_type("decision.evidence_missing", benefit)
        waiting = f"; evidence missing: {missing[-1].data['missing']}" if missing else ""
        return Seen(False, f"decisions: {saw or 'none'}{waiting}")
    return decisions[0]


def _within(record: Record, event: SeenEvent, words: dict[str, str]) -> tuple[bool, str]:
    return _within_moment(record, event.time, words)


def _within_moment(record: Record, moment: datetime, words: dict[str, str]) -> tuple[bool, str]:
    """Whether a moment lies within the term since application or acceptance, and in words how long it took."""
    name = "application.submitted" if words["since"] == "application" else "item.accepted"
    start = record.of_type(name)[0].time
    limit = int(words["n"])
    if words["unit"] == "hours":
        hours = (moment - start) / timedelta(hours=1)
        return hours <= limit, f"{hours:.1f} hours after {words['since']}"
    first, last = start.astimezone(CHINA).date(), moment.astimezone(CHINA).date()
    days = [first + timedelta(days=number) for number in range(1, (last - first).days + 1)]
    if words["unit"] == "working days":
        days = [day for day in days if chinese_calendar.is_workday(day)]
    return len(days) <= limit, f"{len(days)} {words['unit']} after {words['since']}"


def _paid_months(record: Record, benefit: str, amount_fen: int | None, first: date, last: date) -> Seen:
    """Exactly the months from first to last, each once and with this amount, settled by the bank."""
    paid = record.of_type("payment.instructed", benefit)
    months = sorted(date.fromisoformat(event.data["period"]) for event in paid)
    wanted = [first]
    while wanted[-1] < last:
        wanted.append((wanted[-1] + timedelta(days=32)).replace(day=1))
    amounts = {event.data["amount_fen"] for event in paid}
    settled = _settled(record, paid)
    saw = (f"{', '.join(f'{month:%Y-%m}' for month in months) or 'no month'} paid, "
           f"{', '.join(map(_yuan, sorted(amounts))) or 'no'} yuan, {len(settled)} settled")
    return Seen(months == wanted and amounts == {amount_fen} and len(settled) == len(paid), saw)


def _last_paid_month(record: Record) -> date:
    """The month of the last pay day before the story ends."""
    end = record.story.calendar.end().date()
    if end.day <= PAY_DAY:
        end = end.replace(day=1) - timedelta(days=1)
    return end.replace(day=1)


def _settled(record: Record, paid: list[SeenEvent]) -> list[dict[str, Any]]:
    ids = {event.data["payment_id"] for event in paid}
    return [line for line in record.statement if line["payment_id"] in ids and line["kind"] == LineKind.SETTLED]


def _fen(yuan: str) -> int:
    whole, _, cents = yuan.partition(".")
    return int(whole) * 100 + int(cents or 0)


def _yuan(fen: object) -> str:
    return f"{fen // 100}.{fen % 100:02d}" if isinstance(fen, int) else "no"


def _day(event: SeenEvent) -> str:
    return f"{event.time.astimezone(CHINA):%Y-%m-%d}"
