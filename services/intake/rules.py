"""What the one form must say, and what becomes of each benefit asked for. Pure: no clock, session or network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from contracts.benefits import Benefit, Relation
from contracts.events.application import Channel
from contracts.http.application import Authorisation, Person, SmallSumRegistration, SubmitApplication
from contracts.http.vault import Purpose, VaultField
from services import rulebook
from services.intake import identity_number
from services.intake.identity_number import IdentityNumber

OFFICER, HELPER = "officer", "helper"
COUNTY_DIGITS: Final = 6
FEN_PER_YUAN: Final = 100
COMPOUND_SURNAMES: Final = frozenset({
    "欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐",
    "司徒", "夏侯", "宇文", "长孙", "端木", "独孤", "南宫", "万俟", "闻人", "淳于",
})
LONGEST_HAN_NAME: Final = 4
UNSIGNED: Final = "请签名。The signature is empty."


class ItemStatus(StrEnum):
    """Where an item stands with intake."""

    ACCEPTED = "accepted"
    SUPPLEMENT_REQUESTED = "supplement_requested"
    NOT_ACCEPTED = "not_accepted"


@dataclass(frozen=True, slots=True)
class Fault:
    """One field of the form that cannot be taken as it is; never repeats the value."""

    field: str
    message: str


@dataclass
class CheckedForm:
    """What the check found. `identities` is complete only where there are no faults."""

    faults: list[Fault] = field(default_factory=list[Fault])
    identities: dict[str, IdentityNumber] = field(default_factory=dict[str, IdentityNumber])


@dataclass(frozen=True, slots=True)
class Examination:
    """What becomes of one benefit that was asked for."""

    benefit: Benefit
    owner: str
    """Area code of the office that decides; where there is no rule, the county of registration."""
    status: ItemStatus
    missing: tuple[str, ...] = ()
    reason_code: str | None = None


def applicant(form: SubmitApplication) -> Person:
    """The person of the form who applies. Raises StopIteration on a form that was not checked."""
    return next(person for person in form.persons if person.relation == Relation.APPLICANT)


def check_form(form: SubmitApplication, *, role: str, office: str | None, today: date) -> CheckedForm:
    """Everything about the form that a schema cannot tell. `office` is the area code of an officer who keys it in."""
    checked = CheckedForm()
    checked.faults += _faults_of_persons(form, checked.identities, today)
    checked.faults += _faults_of_areas(form)
    checked.faults += _faults_of_request(form, role, today)
    checked.faults += _faults_of_accounts(form)
    if form.small_sum is not None and any(person.relation == Relation.APPLICANT for person in form.persons):
        checked.faults += _faults_of_small_sum(form, form.small_sum, role, office, today)
    return checked


def _faults_of_persons(
    form: SubmitApplication, identities: dict[str, IdentityNumber], today: date
) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, person in enumerate(form.persons):
        where = f"persons.{index}"
        identity = identity_number.parse(person.identity_number.get_secret_value(), today=today)
        if identity is None:
            yield Fault(f"{where}.identity_number", "身份证号码有误。Not a valid identity number; check every digit.")
        elif identity.number in seen:
            yield Fault(f"{where}.identity_number", "同一人填写了两次。This person stands on the form twice.")
        else:
            seen.add(identity.number)
        if not person.name.get_secret_value():
            yield Fault(f"{where}.name", "请填写姓名。The name is empty.")
        if person.authorisation is not None and unsigned(person.authorisation):
            yield Fault(f"{where}.authorisation.signed_name", UNSIGNED)
        if person.ref in identities:
            yield Fault(f"{where}.ref", "编号重复。Two persons have the same ref.")
        elif identity is not None:
            identities[person.ref] = identity
    if sum(person.relation == Relation.APPLICANT for person in form.persons) != 1:
        yield Fault("persons", "须有且仅有一名申请人。Exactly one person has the relation `applicant`.")
    for index, supporter in enumerate(form.supporters):
        number = supporter.identity_number
        if number is not None and identity_number.parse(number.get_secret_value(), today=today) is None:
            yield Fault(f"supporters.{index}.identity_number", "身份证号码有误。Not a valid identity number.")


def unsigned(authorisation: Authorisation) -> bool:
    """Whether a letter of authorisation bears no name: then nobody has signed it."""
    return not authorisation.signed_name.get_secret_value()


def _faults_of_areas(form: SubmitApplication) -> Iterator[Fault]:
    areas = {"submitted_in": form.submitted_in, "living_area": form.living_area}
    areas |= {f"persons.{index}.registered_area": person.registered_area
              for index, person in enumerate(form.persons)}
    if form.what_happened is not None:
        areas["what_happened.happened_in"] = form.what_happened.happened_in
    for name, code in areas.items():
        if not rulebook.known_area(code):
            yield Fault(name, "没有这个区划代码。No known area has this code (GB/T 2260, GB/T 10114).")


def _faults_of_request(form: SubmitApplication, role: str, today: date) -> Iterator[Fault]:
    for benefit, count in Counter(form.benefits).items():
        if count > 1:
            yield Fault("benefits", f"重复申请同一事项。{benefit.value} is asked for twice.")
    if form.channel == Channel.OFFICER and role != OFFICER:
        yield Fault("channel", "该渠道仅限经办人员。Only an officer keys a form in.")
    if role == HELPER and form.on_behalf is None:
        yield Fault("on_behalf", "代办须说明原因和关系。A helper says why, and how they are related.")
    if form.family_lived_with is not None and len(form.persons) > 1:
        yield Fault("family_lived_with", "单人户只填申请人一人。Who applies alone is the only person of the form.")
    if not form.promise_of_truth:
        yield Fault("promise_of_truth", "须承诺内容属实。The household has to promise that the form is true.")
    if form.what_happened is not None and form.what_happened.happened_on > today:
        yield Fault("what_happened.happened_on", "日期在将来。This day is still to come.")
    if form.what_happened is None and Benefit.TEMPORARY_ASSISTANCE in form.benefits:
        yield Fault("what_happened", "临时救助须说明发生了什么。Temporary assistance needs to know what happened.")


def _faults_of_accounts(form: SubmitApplication) -> Iterator[Fault]:
    refs = {person.ref for person in form.persons}
    holders: set[str] = set()
    for index, account in enumerate(form.accounts):
        if account.holder not in refs:
            yield Fault(f"accounts.{index}.holder", "户名不在申请人员中。No person of the form has this ref.")
        elif account.holder in holders:
            yield Fault(f"accounts.{index}.holder", "每人限填一个账户。One account for each person.")
        if not account.number.get_secret_value():
            yield Fault(f"accounts.{index}.number", "请填写账号。The account number is empty.")
        holders.add(account.holder)


def _faults_of_small_sum(
    form: SubmitApplication, asked: SmallSumRegistration, role: str, office: str | None, today: date
) -> Iterator[Fault]:
    if role != OFFICER:
        yield Fault("small_sum", "小额快救须由经办人员登记。Only an officer registers a small sum.")
    if Benefit.TEMPORARY_ASSISTANCE not in form.benefits:
        yield Fault("small_sum", "小额快救属于临时救助。A small sum is part of temporary assistance; ask for it.")
        return
    if form.what_happened is None:
        return
    place = _deciding_place(form, Benefit.TEMPORARY_ASSISTANCE, today)
    # Any other office's small sum is taken in and waits for one that may sign: approval decides that.
    if place is not None and form.near_relative_of_officer and not rulebook.may_sign_small_sum(
        office or "", owner=place, living_area=form.living_area, near_relative_of_officer=True
    ):
        yield Fault("small_sum", "近亲属由区县办理。A near relative of an officer: only the county registers it.")
    cap = rulebook.small_sum_cap_fen(place, form.standard.value, today) if place else None
    if place is None or cap is None:
        yield Fault("small_sum", f"当地当日没有小额快救规定。No rule for small sums there on {today}.")
    elif asked.amount_fen > (cap_fen := int(str(cap.value))):
        yield Fault("small_sum.amount_fen",
                    f"超过上限。At most {cap_fen} fen ({cap_fen / FEN_PER_YUAN:.2f} yuan) there on {today}.")


def examine(form: SubmitApplication, benefit: Benefit, on: date) -> Examination:
    """Accept, ask for what is missing (一次告知), or do not accept; who decides follows the rulebook."""
    owner = _deciding_place(form, benefit, on)
    if owner is None:
        county = applicant(form).registered_area[:COUNTY_DIGITS]
        return Examination(benefit, county, ItemStatus.NOT_ACCEPTED, reason_code="no_rule_for_place")
    missing = tuple(_missing(form))
    status = ItemStatus.SUPPLEMENT_REQUESTED if missing else ItemStatus.ACCEPTED
    return Examination(benefit, owner, status, missing)


def _deciding_place(form: SubmitApplication, benefit: Benefit, on: date) -> str | None:
    try:
        return rulebook.deciding_place(
            benefit,
            registered_area=applicant(form).registered_area,
            living_area=form.living_area,
            happened_at=form.what_happened.happened_in if form.what_happened else None,
            on=on,
        )
    except (LookupError, rulebook.UnknownPlace):
        return None


def _missing(form: SubmitApplication) -> Iterator[str]:
    """What the schema does not already demand: money can only go to an account in the applicant's own name."""
    if all(account.holder != applicant(form).ref for account in form.accounts):
        yield "accounts"


def masked_name(name: str) -> str:
    """Surname and asterisks, for the public notice (公示): the rest of the name is in no event."""
    surname = name[:2] if name[:2] in COMPOUND_SURNAMES and len(name) <= LONGEST_HAN_NAME else name[:1]
    return surname + "*" * max(1, len(name) - len(surname))


@dataclass(frozen=True, slots=True)
class SealingRule:
    """What one purpose allows: which service asks, to whom, and which fields at most."""

    caller: str
    recipients: tuple[str, ...]
    fields: frozenset[VaultField]


SEALING: Final = {
    Purpose.MEANS_CHECK: SealingRule(
        "verification", ("source:",), frozenset({VaultField.NAME, VaultField.IDENTITY_NUMBER})
    ),
    Purpose.PAYMENT: SealingRule(
        "disbursement", ("bank",), frozenset({VaultField.NAME, VaultField.BANK_ACCOUNT})
    ),
    # The meter's number is enough for the power company to recognise the household; the name is not sent.
    Purpose.REFERRAL: SealingRule(
        "coordination", ("department:electricity",), frozenset({VaultField.ELECTRICITY_ACCOUNT})
    ),
}


def sealing_refusal(purpose: Purpose, *, caller: str, recipient: str, fields: frozenset[VaultField]) -> str | None:
    """Why these fields may not go to this recipient, or None where they may."""
    rule = SEALING[purpose]
    if caller != rule.caller:
        return f"Service {caller} has no such purpose; {purpose.value} is for {rule.caller}."
    if not any(recipient == name or (name.endswith(":") and recipient.startswith(name)) for name in rule.recipients):
        return f"Recipient {recipient} is not allowed for purpose {purpose.value}."
    if not fields <= rule.fields:
        extra = ", ".join(sorted(fields - rule.fields))
        return f"Fields not needed for purpose {purpose.value}: {extra}. Ask only for what the purpose needs."
    return None
