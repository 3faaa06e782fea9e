"""What anyone is owed: rules as data by place and date, evaluated with OpenFisca, each result explained.

Owns: parameters/ (dated, referenced), variables/ (formulas), places/, not_found.yaml. Publishes and consumes nothing.
Pure: it reads its own data files and nothing else. README.md: how to add a place, a figure or a benefit.
"""

from services.rulebook.assess import assess
from services.rulebook.check import check_rulebook
from services.rulebook.data_files import rulebook_version
from services.rulebook.dated_parameters import ParameterUnknown, ParameterUsed
from services.rulebook.evidence import required_evidence
from services.rulebook.models import (
    AmountLine,
    Assessment,
    AssessmentRequest,
    CatalogueItem,
    Evidence,
    Member,
    MissingFact,
    PaymentRule,
    Term,
    Terms,
)
from services.rulebook.not_found import NotFound
from services.rulebook.overview import Change, InForce, changes, in_force, still_unknown
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
from services.rulebook.small_sum import may_sign_small_sum, small_sum_cap_fen, small_sum_level
from services.rulebook.terms import (
    confirming_level,
    deciding_level,
    deciding_place,
    departments_of,
    first_month,
    payment_rule,
    terms,
)

__all__ = [
    "AmountLine",
    "Assessment",
    "AssessmentRequest",
    "CatalogueItem",
    "Change",
    "Evidence",
    "InForce",
    "Member",
    "MissingFact",
    "NotFound",
    "ParameterUnknown",
    "ParameterUsed",
    "PaymentRule",
    "Place",
    "PlaceCycle",
    "Term",
    "Terms",
    "UnknownPlace",
    "assess",
    "changes",
    "check_rulebook",
    "confirming_level",
    "deciding_level",
    "deciding_place",
    "departments_of",
    "find_place",
    "first_month",
    "in_force",
    "known_area",
    "may_sign_small_sum",
    "parent",
    "payment_rule",
    "place",
    "place_name",
    "places",
    "required_evidence",
    "rulebook_version",
    "small_sum_cap_fen",
    "small_sum_level",
    "still_unknown",
    "terms",
]
