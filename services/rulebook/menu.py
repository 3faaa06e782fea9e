"""The menu (救助菜单): all that could apply to a household; and the package (套餐): the set that gives it most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple
from uuid import UUID

from pydantic import Field

from contracts.benefits import Benefit, Department
from contracts.events.decision import Reason
from contracts.events.referral import Joining
from contracts.facts import Fact, FactName, Origin, RecognisedAs
from services.rulebook.assess import assess_benefits
from services.rulebook.benefit_rules import BenefitRule, GivenPer, benefits
from services.rulebook.data_files import rulebook_version
from services.rulebook.evidence import Wording, fact_rules
from services.rulebook.models import AmountLine, Answer, Assessment, HouseholdFacts, MissingFact, ParameterUsed
from services.rulebook.package import Package, best_package

Group = Literal["qualifies", "may_qualify", "does_not"]
TIMES_A_YEAR: dict[GivenPer, int] = {"monthly": 12, "term": 2, "yearly": 1, "once": 1}
GROUPS: dict[str, Group] = {"grant": "qualifies", "evidence_missing": "may_qualify", "refuse": "does_not"}
FACT_NAMES = frozenset(FactName)
STATUSES = tuple(Benefit(status) for status in RecognisedAs if status in set(Benefit))
"""What a household may be recognised as by one of our own benefits, and on which others follow."""


class Status(NamedTuple):
    """Something the household is recognised as, would be, or may be (`certain` False)."""

    name: str | None
    certain: bool

    @property
    def benefit(self) -> Benefit | None:
        """Our own benefit that is this status, if it is one."""
        return Benefit(self.name) if self.name in set(Benefit) else None


class MenuEntry(Answer):
    """One benefit on the menu."""

    benefit: Benefit
    zh: str
    en: str
    department: Department
    joins: Joining
    group: Group
    once_granted: Benefit | None = Field(default=None, description="It follows when this one has been granted.")
    amount_fen: int | None = None
    given_per: GivenPer | None = None
    year_fen: int | None = Field(default=None, description="What it comes to in a year.")
    lines: list[AmountLine] = []
    reasons: list[Reason]
    missing: list[MissingFact] = Field(default=[], description="It qualifies, or not, depending on these.")
    papers: list[Wording] = Field(default=[], description="Papers that would show what is missing.")
    parameters: list[ParameterUsed] = []


class Menu(Answer):
    """Everything that could apply to a household, in three groups, and what is best for it."""

    key: str
    entries: list[MenuEntry]
    package: Package
    rulebook_version: str

    def group(self, group: Group) -> list[MenuEntry]:
        """The entries of one group, the most in a year first."""
        entries = (entry for entry in self.entries if entry.group == group)
        return sorted(entries, key=lambda entry: entry.year_fen or 0, reverse=True)


def menu(household: HouseholdFacts) -> Menu:
    """What could apply to one household; see `menus`."""
    [one] = menus([household])
    return one


def menus(households: Sequence[HouseholdFacts]) -> list[Menu]:
    """What could apply to each household, in order. Raises UnknownPlace; ValueError for a person in two households.

    What follows from a recognised status is told for each status that the household has, would be granted or may be
    granted. The menu is that of the status, told or granted, whose package gives most; what it is refused there and
    would have with another status it may qualify for.
    """
    _refuse_persons_in_two(households)
    own = [rule.code for rule in benefits().values() if not rule.follows]
    following = [rule.code for rule in benefits().values() if rule.follows]
    first = assess_benefits([(household, own) for household in households])
    tried = [(index, status) for index, (household, answers) in enumerate(zip(households, first, strict=True))
             for status in _statuses(household, answers)]
    follow = assess_benefits([(_recognised(households[index], status.name), following) for index, status in tried])
    told: list[list[tuple[Status, dict[Benefit, Assessment]]]] = [[] for _ in households]
    for (index, status), answers in zip(tried, follow, strict=True):
        told[index].append((status, answers))
    return [_best_menu(household, answers, of_household)
            for household, answers, of_household in zip(households, first, told, strict=True)]


def _refuse_persons_in_two(households: Sequence[HouseholdFacts]) -> None:
    """Hazard: whoever is counted in two households is helped in both."""
    lives_with: dict[UUID, tuple[set[UUID], str]] = {}
    for household in households:
        members = {member.person_id for member in household.members}
        for person_id in members:
            others, key = lives_with.setdefault(person_id, (members, household.key))
            if others != members:
                raise ValueError(f"members: person {person_id} is in household {key!r} and in {household.key!r}. "
                                 "Name each person in one household.")


def _statuses(household: HouseholdFacts, answers: dict[Benefit, Assessment]) -> list[Status]:
    """What the household is recognised as, else nothing; and what it would be, or may be, recognised as."""
    has = next((str(fact.value) for fact in household.facts if fact.name == FactName.RECOGNISED_AS), None)
    by_outcome = {outcome: [str(status) for status in STATUSES if answers[status].outcome == outcome and status != has]
                  for outcome in ("grant", "evidence_missing")}
    certain = [Status(has, certain=True)] if has not in (None, RecognisedAs.NONE) else []
    certain += [Status(name, certain=True) for name in by_outcome["grant"]]
    may = [Status(name, certain=False) for name in by_outcome["evidence_missing"]]
    return [*(certain or [Status(RecognisedAs.NONE, certain=True)]), *may]


def _recognised(household: HouseholdFacts, status: str | None) -> HouseholdFacts:
    if any(fact.name == FactName.RECOGNISED_AS and fact.value == status for fact in household.facts):
        return household  # as told, by whatever evidence
    told = [fact for fact in household.facts if fact.name != FactName.RECOGNISED_AS]
    fact = Fact(name=FactName.RECOGNISED_AS, value=str(status), origin=Origin.SHARED, as_of=household.on)
    return household.model_copy(update={"facts": [*told, fact]})


def _best_menu(household: HouseholdFacts, own: dict[Benefit, Assessment],
               told: Sequence[tuple[Status, dict[Benefit, Assessment]]]) -> Menu:
    menus = [_menu(household, own, status, following) for status, following in told if status.certain]
    best = max(menus, key=lambda one: one.package.year_fen)
    entries = [entry if entry.group != "does_not" or entry.benefit in own else _with_another(entry, told)
               for entry in best.entries]
    return best.model_copy(update={"entries": entries})


def _with_another(entry: MenuEntry, told: Sequence[tuple[Status, dict[Benefit, Assessment]]]) -> MenuEntry:
    """What is refused with this status, and would not be with another that the household may get."""
    for status, following in told:
        answer = following[entry.benefit]
        if answer.outcome != "refuse":
            other = _entry(benefits()[entry.benefit], answer, status.benefit)
            return other.model_copy(update={"group": "may_qualify"})
    return entry


def _menu(household: HouseholdFacts, own: dict[Benefit, Assessment], status: Status,
          following: dict[Benefit, Assessment]) -> Menu:
    has = any(fact.name == FactName.RECOGNISED_AS and fact.value == status.name for fact in household.facts)
    entries = [
        _entry(rule, own[rule.code]) if rule.code in own else
        _entry(rule, following[rule.code], status.benefit if status.benefit in rule.follows and not has else None)
        for rule in benefits().values()
    ]
    package = best_package([entry for entry in entries if entry.group == "qualifies"], status.benefit)
    return Menu(key=household.key, entries=entries, package=package, rulebook_version=rulebook_version())


def _entry(rule: BenefitRule, answer: Assessment, once_granted: Benefit | None = None) -> MenuEntry:
    return MenuEntry(
        benefit=rule.code, zh=rule.zh, en=rule.en, department=rule.department, joins=rule.joins,
        group=GROUPS[answer.outcome], once_granted=once_granted, amount_fen=answer.amount_fen,
        given_per=answer.given_per, year_fen=_year_fen(answer), lines=answer.lines, reasons=answer.reasons,
        missing=answer.missing, papers=list(dict.fromkeys(_papers(answer.missing))), parameters=answer.parameters,
    )


def _year_fen(answer: Assessment) -> int | None:
    if answer.amount_fen is None or answer.given_per is None:
        return None
    return answer.amount_fen * TIMES_A_YEAR[answer.given_per]


def _papers(missing: Iterable[MissingFact]) -> Iterator[Wording]:
    """Only what no data source can tell: what sharing can obtain must not be asked (在线政务服务规定 Art. 7)."""
    for fact in missing:
        rule = fact_rules()[FactName(fact.name)] if fact.name in FACT_NAMES else None
        if rule is not None and rule.source is None and rule.paper is not None:
            yield rule.paper
