"""The envelope: published test vectors, and every blob that must not open."""

import dataclasses
import itertools
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path

import cryptography_vectors
import pytest

from calendar_service.crypto.derive import keyed_hash
from calendar_service.crypto.envelope import (
    NONCE_BYTES,
    CannotOpen,
    DataKey,
    Place,
    Vault,
    decrypt,
    derived,
    encrypt,
)
from calendar_service.crypto.identity import IdentityKey
from tests.support.evidence import shows

PLACE = Place("acme", "agent-1", "c" * 32)
KEK = os.urandom(32)
CANNOT_OPEN = "a sealed record cannot be opened with the keys at hand"


def vault(*keys: tuple[str, bytes]) -> Vault:
    return Vault(lambda: keys or (("k1", KEK),))


def published_vectors() -> list[dict[str, str]]:
    """Read NIST's file of 256-bit keys: blocks of `name = value` lines, `FAIL` on its own."""
    folder = Path(cryptography_vectors.__file__).parent / "ciphers" / "AES" / "GCM"
    vectors: list[dict[str, str]] = []
    for name in ("gcmEncryptExtIV256.rsp", "gcmDecrypt256.rsp"):
        current: dict[str, str] = {}
        for line in [*(folder / name).read_text().splitlines(), ""]:
            field, equals, value = line.partition(" = ")
            if line.startswith("Count") and current:
                vectors.append(current)
                current = {}
            if line == "FAIL":
                current["FAIL"] = "yes"
            elif equals or line.endswith(" ="):
                current[field.removesuffix(" =")] = value
        vectors.append(current)
    usable = [v for v in vectors if len(v.get("IV", "")) == 24 and len(v.get("Tag", "")) == 32]
    assert len(usable) > 400
    return usable


@shows("ST-1")
def test_the_published_vectors_hold_for_our_own_functions() -> None:
    refused = 0
    for vector in published_vectors():
        key, nonce, associated = (bytes.fromhex(vector[name]) for name in ("Key", "IV", "AAD"))
        sealed = bytes.fromhex(vector["CT"] + vector["Tag"])
        if "FAIL" in vector:
            refused += 1
            with pytest.raises(CannotOpen):
                decrypt(key, nonce, sealed, associated)
            continue
        plaintext = bytes.fromhex(vector["PT"])
        assert encrypt(key, nonce, plaintext, associated) == sealed
        assert decrypt(key, nonce, sealed, associated) == plaintext
    assert refused > 100


PUBLISHED = [
    (1, b"", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
    (3, b"c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),
]
"""The vectors of https://c2sp.org/XAES-256-GCM: each byte of the key, associated data, ciphertext with tag."""


@shows("ST-1")
@pytest.mark.parametrize(("byte", "associated", "sealed"), PUBLISHED)
def test_the_published_vectors_hold_for_the_key_that_a_nonce_gives(
    byte: int, associated: bytes, sealed: str
) -> None:
    key, nonce = derived(bytes([byte]) * 32, b"ABCDEFGHIJKLMNOPQRSTUVWX")
    assert encrypt(key, nonce, b"XAES-256-GCM", associated).hex() == sealed


def test_no_two_seals_share_a_key_of_aes_gcm() -> None:
    data_key, gcm_keys = vault().new_key(PLACE), set()
    for _ in range(1_000):
        raw = urlsafe_b64decode(data_key.seal("f", b"same").rpartition(".")[2])
        gcm_keys.add(derived(KEK, raw[:NONCE_BYTES])[0])
    assert len(gcm_keys) == 1_000


def _opened_by_hand(key: bytes, blob: str, associated: list[str]) -> bytes:
    raw = urlsafe_b64decode(blob.rpartition(".")[2])
    text = json.dumps(associated).encode()
    return decrypt(*derived(key, raw[:NONCE_BYTES]), raw[NONCE_BYTES:], text)


def test_version_purpose_place_and_key_id_are_authenticated_each_by_itself() -> None:
    bound = ["cs2", "data-key", PLACE.organization, PLACE.agent, PLACE.connection, "k1"]
    wrapped = vault(("k1", KEK)).new_key(PLACE).wrapped
    assert len(_opened_by_hand(KEK, wrapped, bound)) == 32
    for index in range(len(bound)):
        for changed in ([*bound[:index], *bound[index + 1 :]], [*bound[:index], "x", *bound[index + 1 :]]):
            with pytest.raises(CannotOpen):
                _opened_by_hand(KEK, wrapped, changed)


def test_a_key_of_another_id_does_not_open_even_if_it_is_the_same() -> None:
    wrapped = vault(("k1", KEK)).new_key(PLACE).wrapped
    with pytest.raises(CannotOpen):
        vault(("k1", KEK), ("k2", KEK)).open_key(PLACE, wrapped.replace(".k1.", ".k2."))


@pytest.mark.parametrize(
    "other",
    [
        Place("ac", "meagent-1", "c" * 32),
        Place("acme", "agent-", "1" + "c" * 32),
        Place("acmeagent-1", "", "c" * 32),
    ],
)
def test_a_place_whose_names_join_to_the_same_text_is_another_place(other: Place) -> None:
    wrapped = vault().new_key(PLACE).wrapped
    with pytest.raises(CannotOpen):
        vault().open_key(other, wrapped)


@shows("ST-1")
def test_a_field_opens_at_its_place_and_nowhere_else() -> None:
    data_key = vault().new_key(PLACE)
    blob = data_key.seal("refresh token", b"secret")
    assert data_key.open("refresh token", blob) == b"secret"
    assert vault().open_key(PLACE, data_key.wrapped).open("refresh token", blob) == b"secret"
    with pytest.raises(CannotOpen):
        data_key.open("access token", blob)


@shows("no-transfer")
@pytest.mark.parametrize("field", ["organization", "agent", "connection"])
def test_a_data_key_moved_to_another_place_does_not_open(field: str) -> None:
    wrapped = vault().new_key(PLACE).wrapped
    with pytest.raises(CannotOpen):
        vault().open_key(dataclasses.replace(PLACE, **{field: "other"}), wrapped)


def test_every_pair_of_exchanged_blobs_is_refused() -> None:
    places = [Place(o, a, "c") for o in ("acme", "beta") for a in ("one", "two")]
    keys = {place: vault().new_key(place) for place in places}
    blobs = {(place, f): keys[place].seal(f, b"x") for place in places for f in ("access", "refresh")}
    for (here, blob), there in itertools.product(blobs.items(), blobs):
        if here != there:
            with pytest.raises(CannotOpen):
                keys[there[0]].open(there[1], blob)


def test_every_flipped_bit_and_every_truncation_is_refused_alike() -> None:
    data_key = vault().new_key(PLACE)
    blob = data_key.seal("refresh token", b"1//secret")
    broken = [blob[:length] for length in range(len(blob))]
    for index, bit in itertools.product(range(len(blob)), range(7)):
        broken.append(blob[:index] + chr(ord(blob[index]) ^ (1 << bit)) + blob[index + 1 :])
    messages = set()
    for other in broken:
        with pytest.raises(CannotOpen) as refused:
            data_key.open("refresh token", other)
        messages.add(str(refused.value))
    assert len(messages) == 1


NONCE_ALONE = f"cs2.k1.{urlsafe_b64encode(bytes(NONCE_BYTES)).decode()}"


@pytest.mark.parametrize(
    "blob", ["", "cs2", "cs2.k1.", "cs1.data.AAAA", "cs2.data.!!!", "cs2.k1.é", ".", NONCE_ALONE]
)
def test_a_malformed_blob_is_refused(blob: str) -> None:
    for read in (lambda: vault().open_key(PLACE, blob), lambda: Vault.key_id(blob)):
        with pytest.raises(CannotOpen, match=rf"^{CANNOT_OPEN}$"):
            read()


def test_a_wrapped_data_key_names_the_key_that_seals_it() -> None:
    wrapped = vault(("2026.k1", KEK)).new_key(PLACE).wrapped
    assert Vault.key_id(wrapped) == "2026.k1"
    assert vault(("2026.k1", KEK)).open_key(PLACE, wrapped).wrapped == wrapped


def test_an_unknown_key_id_is_refused_as_any_other_blob_is() -> None:
    wrapped = vault(("old", os.urandom(32))).new_key(PLACE).wrapped
    with pytest.raises(CannotOpen):
        vault().open_key(PLACE, wrapped)


def test_after_a_rotation_old_blobs_open_and_ask_for_resealing() -> None:
    old, new = ("old", os.urandom(32)), ("new", os.urandom(32))
    before = vault(old).new_key(PLACE)
    blob = before.seal("refresh token", b"secret")
    rotated = vault(new, old)
    assert rotated.needs_resealing(before.wrapped)
    again = rotated.resealed(before).wrapped
    assert not rotated.needs_resealing(again)
    assert vault(new).open_key(PLACE, again).open("refresh token", blob) == b"secret"


def test_nonces_and_data_keys_do_not_repeat() -> None:
    data_key = vault().new_key(PLACE)
    assert len({data_key.seal("f", b"same") for _ in range(20_000)}) == 20_000
    wrapped = {vault().new_key(PLACE).wrapped for _ in range(500)}
    assert len(wrapped) == 500
    bound = ["cs2", "data-key", PLACE.organization, PLACE.agent, PLACE.connection, "k1"]
    data_keys = {_opened_by_hand(KEK, one, bound) for one in wrapped}
    assert (len(data_keys), {len(one) for one in data_keys}) == (500, {32})


def test_what_is_derived_dies_with_its_key_and_differs_by_label() -> None:
    one, two = (DataKey(os.urandom(32), PLACE, "") for _ in range(2))
    assert one.keyed_hash("event id", b"s") != two.keyed_hash("event id", b"s")
    assert one.keyed_hash("event id", b"s") != one.keyed_hash("content", b"s")
    assert one.keyed_hash("event id", b"s") != one.keyed_hash("event id", b"t")
    assert len(keyed_hash(KEK, "label", b"data")) == 32


def test_keyed_hashes_tell_agents_sessions_and_accounts_apart() -> None:
    identity = IdentityKey(KEK)
    account_refs = {
        identity.calendar_marker("a", "b"),
        identity.calendar_marker("a/b", ""),
        identity.session_marker("a", "b", ""),
        identity.session_marker("a", "b", "s"),
        identity.account_ref("a"),
        identity.check_value(),
        IdentityKey(os.urandom(32)).calendar_marker("a", "b"),
    }
    assert len(account_refs) == 7
