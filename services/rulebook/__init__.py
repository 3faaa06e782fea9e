"""What anyone is owed: rules as data by place and date, evaluated with OpenFisca, each result explained.

Owns: parameters/ (dated, referenced), variables/ (formulas), benefits/, messages/, places/, not_found.yaml. Publishes
and consumes nothing.
Pure: it reads its own data files and nothing else. README.md: how to add a place, a figure or a benefit.
"""

from services.rulebook.approving_first import ApproveFirst, approve_first
from services.rulebook.assess import assess, decide, required_evidence
from services.rulebook.check import check_rulebook
from services.rulebook.data_files import rulebook_version
from services.rulebook.dated_parameters import ParameterUnknown, ParameterUsed
from services.rulebook.effects import Effect, effects, sample
from services.rulebook.evidence import age_years, fact_names
from services.rulebook.household_file import BadHousehold, HouseholdFile, read_household
from services.rulebook.menu import Group, Menu, MenuEntry, menu, menus
from services.rulebook.models import (
    AmountLine,
    Assessment,
    AssessmentRequest,
    CatalogueItem,
    Evidence,
    HouseholdFacts,
    Member,
    MissingFact,
    PaymentRule,
    Term,
    Terms,
)
from services.rulebook.not_found import NotFound
from services.rulebook.overview import Change, InForce, changes, in_force, still_unknown
from services.rulebook.package import Package
from services.rulebook.places import (
    Place,
    PlaceCycle,
    UnknownPlace,
    find_place,
    known_area,
    parent,
    place,
    place_name,
    places,
)
from services.rulebook.register import Register, register_of
from services.rulebook.screening import Screened, screen
from services.rulebook.small_sum import may_sign_small_sum, small_sum_cap_fen, small_sum_level
from services.rulebook.terms import (
    confirming_level,
    deciding_level,
    deciding_place,
    departments_of,
    first_month,
    payment_rule,
    support_disregarded_from_age_years,
    terms,
)

__all__ = [
    "AmountLine",
    "ApproveFirst",
    "Assessment",
    "AssessmentRequest",
    "BadHousehold",
    "CatalogueItem",
    "Change",
    "Effect",
    "Evidence",
    "Group",
    "HouseholdFacts",
    "HouseholdFile",
    "InForce",
    "Member",
    "Menu",
    "MenuEntry",
    "MissingFact",
    "NotFound",
    "Package",
    "ParameterUnknown",
    "ParameterUsed",
    "PaymentRule",
    "Place",
    "PlaceCycle",
    "Register",
    "Screened",
    "Term",
    "Terms",
    "UnknownPlace",
    "age_years",
    "approve_first",
    "assess",
    "changes",
    "check_rulebook",
    "confirming_level",
    "decide",
    "deciding_level",
    "deciding_place",
    "departments_of",
    "effects",
    "fact_names",
    "find_place",
    "first_month",
    "in_force",
    "known_area",
    "may_sign_small_sum",
    "menu",
    "menus",
    "parent",
    "payment_rule",
    "place",
    "place_name",
    "places",
    "read_household",
    "register_of",
    "required_evidence",
    "rulebook_version",
    "sample",
    "screen",
    "small_sum_cap_fen",
    "small_sum_level",
    "still_unknown",
    "support_disregarded_from_age_years",
    "terms",
]
