"""Says in words, lines and figures what a result rests on."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

from contracts.benefits import Standard
from contracts.events.decision import Reason
from contracts.facts import FactName
from services.rulebook.data_files import RULEBOOK, read_yaml
from services.rulebook.dated_parameters import ParameterUsed, get
from services.rulebook.evidence import KnownHousehold
from services.rulebook.models import AmountLine
from services.rulebook.simulation import Result
from services.rulebook.units import yuan

TOP_UPS = ("disabled", "grave_or_elderly", "preschool_or_student")
STANDARD_NAMES = {Standard.URBAN: ("城市", "urban"), Standard.RURAL: ("农村", "rural")}


@cache
def _messages() -> dict[str, dict[str, str]]:
    return read_yaml(RULEBOOK / "messages.yaml")


def reason(code: str, *, rests_on: ParameterUsed | None = None, **figures: object) -> Reason:
    """A reason of the catalogue with its figures filled in. Raises KeyError for an unknown code or figure."""
    message = _messages()[code]
    clause = message["clause"] if rests_on is None else f"{message['clause']};{rests_on.cited}"
    return Reason(code=code, clause=clause, zh=message["zh"].format(**figures),
                  en=message["en"].format(**figures))


def lines(household: KnownHousehold, result: Result) -> list[AmountLine]:
    """The difference and every top-up apart, each top-up with the person it is for."""
    found = [AmountLine(code="dibao_difference", amount_fen=result.household["dibao_difference_fen_month"])]
    for member, calculated in zip(household.members, result.persons, strict=True):
        found += [AmountLine(code=f"top_up_{kind}", amount_fen=amount, person_id=member.person_id)
                  for kind in TOP_UPS if (amount := calculated[f"top_up_{kind}_fen_month"])]
    return found


def reasons(household: KnownHousehold, result: Result, used: dict[str, ParameterUsed]) -> list[Reason]:
    """Why it is granted or refused, with the figures and the clause. `used`: the parameters by path."""
    calculated = result.household
    standard = used[_standard_path(household)]
    standard_zh, standard_en = STANDARD_NAMES[Standard(str(household.values[FactName.STANDARD]))]
    figures = {
        "members": calculated["members_count"], "income": yuan(calculated["income_fen_month"]),
        "limit": yuan(calculated["dibao_limit_fen_month"]), "standard": yuan(standard.whole_number),
        "standard_zh": standard_zh, "standard_en": standard_en,
    }
    if calculated["dibao_eligible"]:
        return [reason("income_below_standard", rests_on=standard, **figures), reason("assets_within_limit"),
                reason("paid_as_difference", difference=yuan(calculated["dibao_difference_fen_month"])),
                *_top_up_reasons(result, used)]
    refusals: list[Reason] = []
    if not calculated["dibao_income_below_standard"]:
        refusals.append(reason("income_at_or_above_standard", rests_on=standard, **figures))
    if not household.values[FactName.ASSETS_WITHIN_LOCAL_LIMIT]:
        refusals.append(reason("assets_above_limit"))
    return refusals


def _top_up_reasons(result: Result, used: dict[str, ParameterUsed]) -> list[Reason]:
    found: list[Reason] = []
    for kind in TOP_UPS:
        amounts = [amount for person in result.persons if (amount := person[f"top_up_{kind}_fen_month"])]
        if amounts:
            found.append(reason(f"top_up_{kind}", rests_on=used[f"dibao.top_up.{kind}"],
                                count=len(amounts), amount=yuan(amounts[0])))
    return found


def parameters_used(household: KnownHousehold, result: Result, place: str,
                    on: date) -> dict[str, ParameterUsed]:
    """Every figure that this household's result rests on, with its source, by path."""
    paths = [_standard_path(household)]
    paths += [f"dibao.top_up.{kind}" for kind in TOP_UPS
              if any(person[f"top_up_{kind}_fen_month"] for person in result.persons)]
    return {path: get(path, place, on) for path in paths}


def _standard_path(household: KnownHousehold) -> str:
    return f"dibao.standard.{household.values[FactName.STANDARD]}"


def trace(household: KnownHousehold, result: Result) -> dict[str, Any]:
    """Every calculated value, and which variables and parameters each formula read."""
    return {
        "household": result.household,
        "persons": {str(member.person_id): calculated
                    for member, calculated in zip(household.members, result.persons, strict=True)},
        "depends_on": result.depends_on,
    }
