"""Names that events, HTTP messages and the rulebook share: benefits, sources, departments, relations."""

from __future__ import annotations

from enum import StrEnum

from contracts.vocabulary import GrowingVocabulary


class Benefit(GrowingVocabulary):
    """What can be asked for, or joins a case unasked. Chinese term beside each."""

    DIBAO = "dibao"
    """最低生活保障"""
    TEMPORARY_ASSISTANCE = "temporary_assistance"
    """临时救助"""
    ELECTRICITY_WAIVER = "electricity_waiver"
    """电费减免 (decided by the power company)"""


class Source(GrowingVocabulary):
    """A data source (数据源) that answers means checks."""

    SOCIAL_SECURITY = "social_security"
    MEDICAL_INSURANCE = "medical_insurance"
    BANK = "bank"
    VEHICLES = "vehicles"
    PROPERTY = "property"
    DISABILITY = "disability"
    CIVIL_REGISTRY = "civil_registry"


class Department(GrowingVocabulary):
    """Another body that decides items of its own."""

    ELECTRICITY = "electricity"


class Relation(GrowingVocabulary):
    """Relation to the applicant (GB/T 4761, narrowed)."""

    APPLICANT = "applicant"
    SPOUSE = "spouse"
    CHILD = "child"
    PARENT = "parent"
    OTHER = "other"


class Standard(StrEnum):
    """Which of a place's two standards applies."""

    URBAN = "urban"
    RURAL = "rural"
