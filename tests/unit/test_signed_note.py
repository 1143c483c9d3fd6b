"""Signed notes are those of C2SP: what others have signed verifies, and nothing verifies as something else."""

from base64 import b64decode, b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from calendar_service.crypto.signed_note import VerifierKey, signed_note, verified_text, verifier_key
from calendar_service.crypto.signing import SignatureInvalid, check, public_key_text, signed

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NAME = "calendar.example.com/transparency"
TEXT = f"{NAME}\na line: 1\n"
NOTE = signed_note(TEXT, NAME, KEY)
OWN = verifier_key(NAME, KEY)

PUBLISHED_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
"""With the note below: made by an implementation in Elixir (https://github.com/yaglo/signed_note)."""
PUBLISHED_NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)


def test_a_note_that_another_implementation_signed_verifies() -> None:
    key = VerifierKey.of_text(PUBLISHED_KEY)
    assert verified_text(PUBLISHED_NOTE, [key]) == "This is an example message.\n"
    assert str(key) == PUBLISHED_KEY


def test_the_key_id_is_that_of_gos_implementation() -> None:
    """The verifier key of the tests of https://pkg.go.dev/golang.org/x/mod/sumdb/note."""
    text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert str(VerifierKey.of_text(text)) == text


def test_a_note_verifies_under_its_key_alone() -> None:
    assert verified_text(NOTE, [OWN]) == TEXT
    stranger = verifier_key(NAME, Ed25519PrivateKey.from_private_bytes(bytes(32)))
    renamed = VerifierKey("other.example.com", OWN.public_key)
    for keys in ([stranger], [renamed], []):
        with pytest.raises(SignatureInvalid, match="not signed by the operator's key"):
            verified_text(NOTE, keys)


def test_signatures_of_unknown_keys_are_ignored() -> None:
    more = "".join(f"— witness.example/{number} {b64encode(bytes(68)).decode()}\n" for number in range(15))
    assert verified_text(NOTE + more, [OWN]) == TEXT
    with pytest.raises(SignatureInvalid, match="is not a signed note"):
        verified_text(NOTE + more + more, [OWN])


@pytest.mark.parametrize(
    "changed",
    [
        NOTE.replace("a line: 1", "a line: 2"),
        NOTE.replace(f"{NAME}\na", f"{NAME}\n\na"),
        NOTE + NOTE[NOTE.rindex("—") :][:-6] + "AAAA=\n",
    ],
)
def test_a_changed_note_is_refused(changed: str) -> None:
    with pytest.raises(SignatureInvalid):
        verified_text(changed, [OWN])


@pytest.mark.parametrize(
    "malformed",
    [
        "",
        TEXT,
        f"{TEXT}\n",
        NOTE[:-1],
        NOTE.replace("— ", "- "),
        NOTE.replace("a line", "a\tline"),
        NOTE.replace("\n", "\r\n"),
        f"{TEXT}\n— {NAME} AAAA\n",
        f"{TEXT}\n— {NAME} A\n",
        f"{TEXT}\n— two words AAAAAAAAAAAA\n",
    ],
)
def test_what_is_no_note_is_refused(malformed: str) -> None:
    with pytest.raises(SignatureInvalid, match="is not a signed note"):
        verified_text(malformed, [OWN])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not a verifier key"),
        ("name+00000000", "is not a verifier key"),
        (f"{NAME}+{OWN.id.hex()}+{b64encode(OWN.public_key).decode()}", "is not a verifier key"),
        (str(OWN).replace(NAME, "another"), "has an id that does not belong"),
        (str(OWN).replace(f"+{OWN.id.hex()}", "+00000000"), "has an id that does not belong"),
    ],
)
def test_what_is_no_verifier_key_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        VerifierKey.of_text(text)


@pytest.mark.parametrize("name", ["", "two words", "a+b", '{"type"'])
def test_a_name_that_could_not_be_told_from_something_else_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a key"):
        verifier_key(name, KEY)


@pytest.mark.parametrize("text", ["other\n", f"{NAME}\nno end", f"{NAME}\na\x00b\n"])
def test_a_text_that_does_not_begin_with_its_origin_is_not_signed(text: str) -> None:
    with pytest.raises(ValueError, match="a note begins with the key's name"):
        signed_note(text, NAME, KEY)


def test_neither_signature_stands_under_the_other_kind_of_document() -> None:
    """One key signs receipts and notes. An attacker who moves a signature over must gain nothing."""
    receipt = signed({"type": "erasure-receipt", "number": "1"}, KEY)
    published = [public_key_text(KEY.public_key())]
    of_the_note = b64decode(NOTE[NOTE.rindex(" ") + 1 : -1])[4:]
    with pytest.raises(SignatureInvalid):
        check(receipt | {"signature": b64encode(of_the_note).decode()}, published, frozenset())
    covered = '{"number":"1","public_key":"' + published[0] + '","type":"erasure-receipt"}'
    KEY.public_key().verify(b64decode(receipt["signature"]), covered.encode())
    for_the_note = b64encode(OWN.id + b64decode(receipt["signature"])).decode()
    with pytest.raises(SignatureInvalid):
        verified_text(f"{covered}\n\n— {NAME} {for_the_note}\n", [OWN])
