"""Free words that leave the vault's side name nobody by a number, however that number is written."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from contracts.http.message import Unidentifying

WORDS: TypeAdapter[str] = TypeAdapter(Unidentifying)


@pytest.mark.parametrize("words", [
    "户主50011619610402001X不在本区",
    "户主 500116 19610402 001X 不在本区",
    "户主500116-19610402-001x不在本区",
    "户主５００１１６１９６１０４０２００１Ｘ不在本区",
    "户主5001 1619 6104 0200 1X不在本区",
    "请拨13800138000",
    "请拨 138 0013 8000",
    "请拨138-0013-8000找本人",
    "请拨１３８００１３８０００",
    "家有 3 人，13800138000",
])
def test_identity_and_mobile_numbers_are_refused(words: str) -> None:
    with pytest.raises(ValidationError, match="without any identity or mobile number") as refused:
        WORDS.validate_python(words)
    assert "请勿填写" in refused.value.errors()[0]["msg"]


@pytest.mark.parametrize("words", [
    "入户调查表",
    "入户调查表 2025-01-06 14:30",
    "2025-01-06 至 2025-01-16 三次走访",
    "核对报告 HD-500116108-20250106-3",
    "江津区白沙镇 500116108001，月收入 1350.00 元，存款 13,500 元",
    "热线 12345，办公电话 023-47521234",
])
def test_dates_places_sums_and_offices_are_not(words: str) -> None:
    assert WORDS.validate_python(words) == words
