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
    TEKUN = "tekun"
    """特困人员救助供养"""
    DIBAO_MARGIN = "dibao_margin"
    """最低生活保障边缘家庭"""
    RIGID_EXPENSE = "rigid_expense"
    """刚性支出困难家庭"""
    ORPHAN = "orphan"
    """孤儿基本生活费"""
    DE_FACTO_ORPHAN = "de_facto_orphan"
    """事实无人抚养儿童基本生活补贴"""
    DISABILITY_LIVING_SUBSIDY = "disability_living_subsidy"
    """困难残疾人生活补贴"""
    DISABILITY_CARE_SUBSIDY = "disability_care_subsidy"
    """重度残疾人护理补贴"""
    ELDERLY_SUBSIDY = "elderly_subsidy"
    """高龄津贴"""
    MEDICAL_AID = "medical_aid"
    """医疗救助"""
    EDUCATION_AID = "education_aid"
    """教育救助"""
    UNIVERSITY_GRANT = "university_grant"
    """大学新生入学资助"""
    HEATING_AID = "heating_aid"
    """取暖补贴"""
    FESTIVAL_PAYMENT = "festival_payment"
    """节日慰问金"""
    PRICE_LINKAGE = "price_linkage"
    """价格临时补贴"""
    CHARITY_AID = "charity_aid"
    """慈善救助"""
    WATER_WAIVER = "water_waiver"
    """水费减免"""
    GAS_WAIVER = "gas_waiver"
    """燃气费减免"""
    TELEVISION_WAIVER = "television_waiver"
    """有线电视费减免"""
    HOUSING_AID = "housing_aid"
    """住房救助"""
    EMPLOYMENT_AID = "employment_aid"
    """就业救助"""


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
    CIVIL_AFFAIRS = "civil_affairs"
    EDUCATION = "education"
    MEDICAL_INSURANCE = "medical_insurance"
    HOUSING = "housing"
    EMPLOYMENT = "employment"
    WATER = "water"
    GAS = "gas"
    TELEVISION = "television"
    CHARITY = "charity"


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
