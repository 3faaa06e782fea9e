"""Who decides, by when, and from which month: the rules around an item, by place and date."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Final, cast

from services.rulebook.benefit_rules import benefits
from services.rulebook.dated_parameters import ParameterUsed, find, get
from services.rulebook.models import CatalogueItem, DecidingLevel, PaymentRule, Term, Terms
from services.rulebook.places import COUNTY_DIGITS, TOWN_DIGITS, rule_place

REMINDER_FRACTIONS: Final = (0.5, 0.8)
DECEMBER: Final = 12


def deciding_level(benefit: str, place: str, on: date) -> DecidingLevel:
    """Whether the town or the county confirms. Raises UnknownPlace, ParameterUnknown."""
    return cast(DecidingLevel, get(f"{benefit}.deciding_level", place, on).value)


def confirming_level(benefit: str, place: str, on: date, *, near_relative_of_officer: bool) -> DecidingLevel:
    """Who confirms: as the place's rule says, but the county for an officer's near relative (近亲属备案).

    Raises UnknownPlace, ParameterUnknown.
    """
    return "county" if near_relative_of_officer else deciding_level(benefit, place, on)


@lru_cache(maxsize=10_000)
def deciding_place(benefit: str, *, registered_area: str, living_area: str, happened_at: str | None,
                   on: date) -> str:
    """Area code of the office that decides: a town (9 digits) where that is delegated, else a county (6).

    Each area's own rule says for whom it decides. Raises UnknownPlace, ParameterUnknown.
    """
    areas = {"happened": happened_at, "living": living_area, "registered": registered_area}
    for relation, area in areas.items():
        if area is not None and relation in get(f"{benefit}.decides_for", area, on).names:
            digits = TOWN_DIGITS if deciding_level(benefit, area, on) == "town" else COUNTY_DIGITS
            return area[:digits]
    raise LookupError(f"{benefit}: no area decides for a household registered in {registered_area} on {on}. "
                      "Check the parameter decides_for of its place.")


def terms(benefit: str, place: str, on: date) -> Terms:
    """The clocks of an item accepted on this day. Raises UnknownPlace, ParameterUnknown."""
    return _terms(benefit, rule_place(place), on)


@lru_cache(maxsize=10_000)
def _terms(benefit: str, place: str, on: date) -> Terms:
    delegated = find(f"{benefit}.terms.decide_delegated", place, on)
    decides_here = deciding_level(benefit, place, on) == "town"
    rules = {
        "investigate_by": find(f"{benefit}.terms.investigate", place, on),
        "decide_by": delegated if decides_here and delegated else find(f"{benefit}.terms.decide", place, on),
        "promised_by": find(f"{benefit}.terms.promised", place, on),
        "refusal_told_by": find(f"{benefit}.terms.refusal", place, on),
        "notice": find(f"{benefit}.terms.notice", place, on),
        "small_sum_paid_by": find(f"{benefit}.small_sum.pay_within", place, on),
    }
    return Terms(**{name: _term(rule) for name, rule in rules.items()}, reminder_fractions=REMINDER_FRACTIONS,
                 clauses={name: rule for name, rule in rules.items() if rule is not None})


def _term(rule: ParameterUsed | None) -> Term | None:
    return None if rule is None else Term.model_validate({"days": rule.value, "unit": rule.unit})


def payment_rule(benefit: str, place: str, on: date) -> PaymentRule:
    """When a monthly benefit is paid there. Raises UnknownPlace; ParameterUnknown for what is paid once."""
    return PaymentRule.model_validate({
        "first_month": get(f"{benefit}.payment.first_month", place, on).value,
        "pay_day": get(f"{benefit}.payment.pay_day", place, on).whole_number,
    })


def first_month(benefit: str, place: str, decided_on: date) -> date:
    """First day of the first month paid after a confirmation on this day. Raises as `payment_rule`."""
    this_month = decided_on.replace(day=1)
    if get(f"{benefit}.payment.first_month", place, decided_on).value == "decision_month":
        return this_month
    if this_month.month == DECEMBER:
        return date(this_month.year + 1, 1, 1)
    return this_month.replace(month=this_month.month + 1)


def support_disregarded_from_age_years(place: str, on: date) -> int | None:
    """From which age of whoever owes it the place disregards support; None without such a rule. Raises UnknownPlace."""
    age = find("support.disregard.from_age_years", place, on)
    return None if age is None else age.whole_number


def departments_of(benefit: str, place: str, on: date) -> list[CatalogueItem]:
    """Items of other departments that a grant of this benefit opens there. Raises UnknownPlace."""
    return list(_departments_of(benefit, rule_place(place), on))


@lru_cache(maxsize=10_000)
def _departments_of(benefit: str, place: str, on: date) -> tuple[CatalogueItem, ...]:
    items: list[CatalogueItem] = []
    for rule in benefits().values():
        opened_by = find(f"{rule.code}.opened_by", place, on)
        if opened_by is None or benefit not in opened_by.names:
            continue
        days = {name: get(f"{rule.code}.{name}", place, on).whole_number
                for name in ("amount_fen_month", "list_by_day", "paid_by_day", "bank_by_day")
                if find(f"{rule.code}.{name}", place, on)}
        items.append(CatalogueItem.model_validate({
            "code": rule.code, "department": rule.department, "joins": rule.joins, "result_type": rule.result_type,
            "answer_by": _term(get(f"{rule.code}.terms.answer", place, on)),
            "clause": opened_by.cited, **days,
        }))
    return tuple(items)
