"""Certificates that the API server accepts, renewed before anybody needs them."""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID

from lossless.webhook.certificate import (
    Material,
    leaf_of,
    make,
    needs_renewal,
    renewed,
    service_names,
)
from tests.webhook.keys import UNKNOWN_KIND, encrypted

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
NAMES = service_names("lossless-webhook", "lossless-system")


def authorities(material: Material) -> list[x509.Certificate]:
    """Return the certificates of the bundle."""
    return x509.load_pem_x509_certificates(material.ca_bundle)


def signers(material: Material) -> list[int]:
    """Return the positions in the bundle of those that signed the serving certificate."""
    return [i for i, authority in enumerate(authorities(material)) if signs(authority, material)]


def signs(authority: x509.Certificate, material: Material) -> bool:
    """Return whether the authority signed the serving certificate."""
    try:
        leaf_of(material).verify_directly_issued_by(authority)
    except (ValueError, InvalidSignature):
        return False
    return True


def test_names_of_the_service() -> None:
    """The API server calls a webhook's Service by its name with .svc."""
    assert NAMES == (
        "lossless-webhook.lossless-system.svc",
        "lossless-webhook.lossless-system.svc.cluster.local",
    )


def test_a_new_pair_is_for_serving_only() -> None:
    """One authority that signs leaves only, one leaf that serves only, both usable at once."""
    material = make(NAMES, NOW)
    (authority,) = authorities(material)
    leaf = leaf_of(material)

    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value == (
        x509.BasicConstraints(ca=True, path_length=0)
    )
    assert signers(material) == [0]
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [*usage] == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert leaf.not_valid_before_utc == NOW - timedelta(hours=1)
    assert leaf.not_valid_after_utc == NOW + 365 * DAY
    assert authority.not_valid_after_utc == NOW + 3650 * DAY


def test_openssl_accepts_it_by_name(tmp_path: Path) -> None:
    """A strict client verifies chain and name, as the API server's does."""
    material = make(NAMES, datetime.now(UTC))
    pair = tmp_path / "pair.pem"
    pair.write_bytes(material.key + material.certificate)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pair)
    client = ssl.create_default_context(cadata=material.ca_bundle.decode())
    client.verify_flags |= ssl.VERIFY_X509_STRICT

    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=NAMES[0])
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (ours, theirs, ours, theirs):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue

    assert ours.version() == "TLSv1.3"


@pytest.mark.parametrize(
    ("days", "due"),
    [
        pytest.param(-1, True, id="from-the-future"),
        pytest.param(0, False, id="new"),
        pytest.param(242, False, id="more-than-a-third-left"),
        pytest.param(244, True, id="less-than-a-third-left"),
        pytest.param(400, True, id="expired"),
    ],
)
def test_when_a_certificate_is_due(days: int, due: bool) -> None:  # noqa: FBT001 # a column
    """A third of its life is time enough for a renewal that fails for months."""
    leaf = leaf_of(make(NAMES, NOW))

    assert needs_renewal(leaf, NOW + days * DAY, NAMES) is due


def test_a_certificate_for_other_names_is_due() -> None:
    """The installation may have moved to another namespace."""
    leaf = leaf_of(make(("lossless-webhook.old.svc",), NOW))

    assert needs_renewal(leaf, NOW, NAMES)
    assert not needs_renewal(leaf, NOW)


def test_what_is_not_due_stays() -> None:
    """Every replica looks every minute; nothing may change then."""
    material = make(NAMES, NOW)

    assert renewed(material, NAMES, NOW + DAY) is material


def test_a_renewed_certificate_has_the_published_authority() -> None:
    """The API server knows the authority already, so nothing has to be published."""
    material = make(NAMES, NOW)
    again = renewed(material, NAMES, NOW + 300 * DAY)

    assert (again.ca_bundle, again.ca_key) == (material.ca_bundle, material.ca_key)
    assert again.certificate != material.certificate
    assert signers(again) == [0]
    assert renewed(again, NAMES, NOW + 301 * DAY) is again


def test_a_new_authority_is_published_long_before_it_signs() -> None:
    """In fifteen years of daily looks no certificate is served that was not verifiable before.

    Whoever copies the bundle may be a day late.
    """
    material = make(NAMES, NOW)
    published = material.ca_bundle
    generations = 1
    for day in range(15 * 365):
        now = NOW + day * DAY
        material = renewed(material, NAMES, now)
        leaf = leaf_of(material)
        assert leaf.not_valid_before_utc <= now < leaf.not_valid_after_utc
        known = x509.load_pem_x509_certificates(published)
        trusting = [
            ca for ca in known if ca.subject == leaf.issuer and ca.not_valid_after_utc > now
        ]
        assert trusting, f"day {day}: an API server of yesterday does not trust us"
        generations += published != material.ca_bundle
        published = material.ca_bundle
        assert len(known) <= 2

    assert generations == 3


def replaced(material: Material, **fields: bytes) -> Material:
    """Return the material with parts exchanged."""
    return Material(
        **{
            "ca_bundle": material.ca_bundle,
            "certificate": material.certificate,
            "key": material.key,
            "ca_key": material.ca_key,
            **fields,
        }
    )


GOOD, OTHER = make(NAMES, NOW), make(NAMES, NOW)


@pytest.mark.parametrize(
    ("spoil", "remedy"),
    [
        pytest.param(encrypted, "is encrypted; store it without a passphrase", id="encrypted"),
        pytest.param(
            lambda _: UNKNOWN_KIND, r"cannot be used \(.*\); use RSA or a NIST curve", id="unknown"
        ),
    ],
)
def test_a_key_that_cannot_be_read_is_named_with_the_remedy(
    spoil: Callable[[bytes], bytes], remedy: str
) -> None:
    """Each by its name in the Secret, and as the error that callers know."""
    with pytest.raises(ValueError, match=rf"tls\.key {remedy}"):
        leaf_of(replaced(GOOD, key=spoil(GOOD.key)))
    with pytest.raises(ValueError, match=rf"ca\.key {remedy}"):
        renewed(replaced(GOOD, ca_key=spoil(GOOD.ca_key)), NAMES, NOW)


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(replaced(GOOD, key=OTHER.key), id="key-of-another"),
        pytest.param(replaced(GOOD, key=b"no key"), id="no-key"),
        pytest.param(replaced(GOOD, key=encrypted(GOOD.key)), id="encrypted-key"),
        pytest.param(replaced(GOOD, key=UNKNOWN_KIND), id="unknown-kind-of-key"),
        pytest.param(replaced(GOOD, certificate=b"no certificate"), id="no-certificate"),
        pytest.param(
            replaced(GOOD, certificate=OTHER.certificate, key=OTHER.key), id="untrusted-pair"
        ),
    ],
)
def test_a_damaged_pair_is_made_anew_by_the_same_authority(damaged: Material) -> None:
    """As long as the authority is whole, trust does not have to change."""
    mended = renewed(damaged, NAMES, NOW)

    assert mended.ca_bundle == GOOD.ca_bundle
    assert signers(mended) == [0]


@pytest.mark.parametrize(
    ("damaged", "days"),
    [
        pytest.param(replaced(GOOD, ca_key=OTHER.ca_key), 0, id="authority-and-its-key-differ"),
        pytest.param(replaced(GOOD, ca_key=b"no key"), 0, id="no-authority-key"),
        pytest.param(replaced(GOOD, ca_bundle=b""), 0, id="no-authority"),
        pytest.param(GOOD, 3651, id="authority-expired"),
    ],
)
def test_a_damaged_authority_is_said(damaged: Material, days: int) -> None:
    """Then everything has to be replaced, and the caller must know."""
    with pytest.raises(ValueError):  # noqa: PT011 # the texts are of several libraries
        renewed(damaged, NAMES, NOW + days * DAY)


def test_keys_do_not_get_into_logs() -> None:
    """Whoever prints the material sees nothing of it."""
    assert repr(GOOD) == "Material(...)"


def test_data_and_back() -> None:
    """What is written to the Secret is what is read from it."""
    assert Material.of(GOOD.data()) == GOOD
    assert Material.of({}) is None
