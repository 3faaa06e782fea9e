"""What is sealed opens for the recipient, by any JWE library, and for nobody else."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from services.intake.recipient_keys import RecipientKey, RecipientKeys

ALGORITHMS = ["ECDH-ES", "A256GCM"]


def a_key(curve: str) -> RecipientKey:
    """A recipient's own key."""
    if curve == "X25519":
        return OKPKey.generate_key("X25519", {"kid": "bank"}, private=True)
    return ECKey.generate_key("P-256", {"kid": "bank"}, private=True)


def known(key: RecipientKey, folder: Path) -> RecipientKeys:
    """What intake is given of it."""
    file = folder / "keys.json"
    file.write_text(json.dumps({"keys": [{**key.as_dict(private=False), "kid": "bank"}]}))
    return RecipientKeys.from_file(file)


def header_of(sealed: str) -> dict[str, Any]:
    """The protected header of a compact JWE."""
    encoded = sealed.partition(".")[0]
    return json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))


@pytest.mark.parametrize("curve", ["X25519", "P-256"])
def test_every_message_of_an_agreement_opens_with_the_recipients_key_alone(curve: str, tmp_path: Path) -> None:
    key = a_key(curve)
    agreement = known(key, tmp_path).agree("bank")
    for message in (b"", b"{}", "某".encode() * 5_000):
        sealed = agreement.encrypt(message)
        assert jwe.decrypt_compact(sealed, key, algorithms=ALGORITHMS).plaintext == message
        with pytest.raises(JoseError):
            jwe.decrypt_compact(sealed, a_key(curve), algorithms=ALGORITHMS)


def test_no_two_messages_share_a_key_and_no_two_requests_an_agreement(tmp_path: Path) -> None:
    keys = known(a_key("X25519"), tmp_path)
    first, second = keys.agree("bank"), keys.agree("bank")
    headers = [header_of(agreement.encrypt(b"same")) for agreement in (first, first, second, second)]
    assert len({header["apu"] for header in headers}) == 4
    assert [header["epk"] == headers[0]["epk"] for header in headers] == [True, True, False, False]
    assert {header["kid"] for header in headers} == {"bank"}


def test_a_changed_message_does_not_open(tmp_path: Path) -> None:
    key = a_key("X25519")
    header, *rest = known(key, tmp_path).agree("bank").encrypt(b"100 yuan").split(".")
    other = known(key, tmp_path).agree("bank").encrypt(b"900 yuan").split(".")[0]
    with pytest.raises(JoseError):
        jwe.decrypt_compact(".".join([other, *rest]), key, algorithms=ALGORITHMS)
    with pytest.raises(JoseError):
        jwe.decrypt_compact(".".join([header, *rest[:-1], "AAAAAAAAAAAAAAAAAAAAAA"]), key, algorithms=ALGORITHMS)
