"""Settings: one sentence that names the key, never its value."""

from __future__ import annotations

import os

import pytest

from services.runtime.settings import RuntimeSettings, SettingsError, load

COMPLETE = {
    "ONETHING_DATABASE_DSN": "postgresql://intake:secret-word@127.0.0.1:5432/onething",
    "ONETHING_KAFKA_BOOTSTRAP": "127.0.0.1:9092",
    "ONETHING_TEMPORAL_ADDRESS": "127.0.0.1:7233",
    "ONETHING_HTTP_PORT": "8001",
    "ONETHING_TRUSTED_KEYS_FILE": "trusted.json",
    "ONETHING_SIGNING_KEY_FILE": "signing.json",
    "ONETHING_PAYLOAD_KEY": "c2VjcmV0LXdvcmQ=",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in [key for key in os.environ if key.startswith("ONETHING_")]:
        monkeypatch.delenv(key)
    for key, value in COMPLETE.items():
        monkeypatch.setenv(key, value)


def test_production_is_the_default() -> None:
    assert load(RuntimeSettings).env == "production"


@pytest.mark.parametrize("secret", ["ONETHING_DATABASE_DSN", "ONETHING_PAYLOAD_KEY", "ONETHING_SIGNING_KEY_FILE"])
def test_a_secret_has_no_default(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.delenv(secret)
    with pytest.raises(SettingsError, match=secret):
        load(RuntimeSettings)


def test_an_unknown_key_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONETHING_DATABSE_DSN", "misspelt-secret")
    with pytest.raises(SettingsError, match=r"^ONETHING_DATABSE_DSN: ") as refused:
        load(RuntimeSettings)
    assert "misspelt-secret" not in str(refused.value)


def test_a_wrong_value_is_named_but_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONETHING_HTTP_PORT", "eight-thousand")
    with pytest.raises(SettingsError, match="ONETHING_HTTP_PORT") as refused:
        load(RuntimeSettings)
    assert "eight-thousand" not in str(refused.value)


def test_settings_do_not_change_and_do_not_print_secrets() -> None:
    settings = load(RuntimeSettings)
    with pytest.raises(ValueError, match="frozen"):
        settings.http_port = 1  # pyright: ignore[reportAttributeAccessIssue]
    assert "secret-word" not in repr(settings) + str(settings)
