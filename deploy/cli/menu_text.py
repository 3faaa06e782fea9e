"""A household's menu as lines of text, Chinese first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from services.rulebook import Group, Menu, MenuEntry, fact_names
from services.rulebook.units import yuan

GROUP_WORDS: Final = {"qualifies": "qualifies", "may_qualify": "may qualify", "does_not": "does not"}
GROUP_TITLES: Final[dict[Group, str]] = {
    "qualifies": "符合条件 Qualifies", "may_qualify": "可能符合 May qualify, if …",
    "does_not": "不符合 Does not, because …",
}
PERIODS: Final = {"monthly": ("每月", "a month"), "yearly": ("每年", "a year"), "term": ("每学期", "a school term"),
                  "once": ("一次", "once")}


def told(menu: Menu) -> Iterator[str]:
    """The three groups with reasons and clauses, then the package."""
    for group, title in GROUP_TITLES.items():
        entries = menu.group(group)
        if entries:
            yield f"== {title}"
        for entry in entries:
            yield from _entry(entry)
    names = {entry.benefit: entry.zh for entry in menu.entries}
    chosen = "、".join(names[benefit] for benefit in menu.package.benefits) or "无 none"
    yield f"== 套餐 Package: {chosen}; 每年 a year {yuan(menu.package.year_fen)} 元"
    for left_out, instead in menu.package.left_out.items():
        yield f"   {names[left_out]}不能与{names[instead]}同时享受 not together: {left_out}, {instead}"


def _entry(entry: MenuEntry) -> Iterator[str]:
    yield f"-- {entry.zh} {entry.en} [{entry.department}]{_sum(entry)}"
    if entry.once_granted:
        yield f"   随 {entry.once_granted} 认定而享受 once {entry.once_granted} is granted"
    for reason in entry.reasons:
        yield f"   {reason.zh} {reason.en} [{reason.clause}]"
    for missing in dict.fromkeys((fact.name, fact.from_whom) for fact in entry.missing):
        zh, en = fact_names(missing[0])
        yield f"   待查明 not known: {zh} {en} ({missing[1]})"
    for paper in entry.papers:
        yield f"   材料 paper: {paper.zh} {paper.en}"


def _sum(entry: MenuEntry) -> str:
    if entry.amount_fen is None or entry.given_per is None:
        return ""
    zh, en = PERIODS[entry.given_per]
    return f": {zh} {yuan(entry.amount_fen)} 元 {en}"
