"""A certificate authority of our own and the serving certificate it signs.

Theory of operation. The API server trusts what ``caBundle`` of the MutatingWebhookConfiguration
holds, and a controller copies it there from ``ca.crt``, some time later. So a serving certificate
must never be signed by an authority that was not published long before: the serving certificate
is renewed with the authority in hand, and a new authority is only *added* to the bundle. The next
serving certificate, months later, is the first one that it signs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_BUNDLE: Final = "ca.crt"
CERTIFICATE: Final = "tls.crt"
KEY: Final = "tls.key"
#: Only in a Secret that we made ourselves, so it also says whose the Secret is.
CA_KEY: Final = "ca.key"

_CA_LIFE: Final = timedelta(days=3650)
_LIFE: Final = timedelta(days=365)
#: Clocks of API servers may be behind ours.
_SKEW: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Material:
    """The Secret's data as PEM. Never log it."""

    ca_bundle: bytes
    """Certificates to trust: the current authority first, older ones after it."""
    certificate: bytes
    key: bytes
    ca_key: bytes = b""
    """Of the current authority; empty if somebody else, such as cert-manager, signs."""

    def __repr__(self) -> str:
        return "Material(...)"

    @classmethod
    def of(cls, data: Mapping[str, bytes]) -> Self | None:
        """Return what a Secret's ``data`` holds, or None if it lacks a certificate or key."""
        if not data.get(CERTIFICATE) or not data.get(KEY):
            return None
        return cls(data.get(CA_BUNDLE, b""), data[CERTIFICATE], data[KEY], data.get(CA_KEY, b""))

    def data(self) -> dict[str, bytes]:
        """Return the Secret's ``data``, not yet in base64."""
        return {
            CA_BUNDLE: self.ca_bundle,
            CERTIFICATE: self.certificate,
            KEY: self.key,
            CA_KEY: self.ca_key,
        }


def service_names(service: str, namespace: str) -> tuple[str, ...]:
    """Return the DNS names the API server may call a Service by, the short one first."""
    return (f"{service}.{namespace}.svc", f"{service}.{namespace}.svc.cluster.local")


def make(names: Sequence[str], now: datetime) -> Material:
    """Return a new authority and a serving certificate for the DNS ``names``."""
    ca_certificate, ca_key = _authority(now)
    return _signed(ca_certificate, ca_key, _pem(ca_certificate), names, now)


def renewed(material: Material, names: Sequence[str], now: datetime) -> Material:
    """Return ``material`` with what is due made anew, or ``material`` itself if nothing is.

    Raises:
        ValueError: it holds what cannot be read, and must be replaced as a whole.
    """
    bundle = x509.load_pem_x509_certificates(material.ca_bundle)
    ca_certificate, ca_key = bundle[0], _private_key(material.ca_key)
    if not _belong_together(ca_certificate, ca_key):
        raise ValueError(
            "the first certificate of ca.crt and ca.key do not belong together; replace both"
        )
    if ca_certificate.not_valid_after_utc <= now:
        raise ValueError("the authority has expired; replace it")
    if not _is_sound(material, bundle, names, now):
        return _signed(ca_certificate, ca_key, material.ca_bundle, names, now)
    if needs_renewal(ca_certificate, now):
        ca_certificate, ca_key = _authority(now)
        trusted = [ca_certificate, *(ca for ca in bundle if ca.not_valid_after_utc > now)]
        return Material(
            b"".join(_pem(ca) for ca in trusted),
            material.certificate,
            material.key,
            _key_pem(ca_key),
        )
    return material


def _is_sound(
    material: Material, bundle: Sequence[x509.Certificate], names: Sequence[str], now: datetime
) -> bool:
    """Return whether the serving certificate is usable, trusted and not yet due."""
    try:
        leaf = leaf_of(material)
    except ValueError:
        return False
    return not needs_renewal(leaf, now, names) and any(_signs(ca, leaf) for ca in bundle)


def _signs(authority: x509.Certificate, leaf: x509.Certificate) -> bool:
    try:
        leaf.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def leaf_of(material: Material) -> x509.Certificate:
    """Return the serving certificate.

    Raises:
        ValueError: ``tls.crt`` holds none, or ``tls.key`` is not its key, or cannot be read.
    """
    leaf = x509.load_pem_x509_certificates(material.certificate)[0]
    if not _belong_together(leaf, _read_key(material.key, KEY)):
        raise ValueError("tls.crt and tls.key do not belong together; replace both")
    return leaf


def needs_renewal(certificate: x509.Certificate, now: datetime, names: Sequence[str] = ()) -> bool:
    """Return whether a third of its life or less is left, or it lacks one of the DNS ``names``."""
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not begin <= now or end - now <= (end - begin) / 3:
        return True
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        known = extension.value.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        known = []
    return not set(names) <= set(known)


def _authority(now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    # The time in the name tells two authorities in one bundle apart, also for OpenSSL, which
    # looks issuers up by name.
    name = _name(f"lossless-webhook-ca {now:%Y-%m-%dT%H:%M:%SZ}")
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        _builder(name, name, key, now, _CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return builder.sign(key, hashes.SHA256()), key


def _signed(
    ca_certificate: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    ca_bundle: bytes,
    names: Sequence[str],
    now: datetime,
) -> Material:
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    builder = (
        # Clients look at the alternative names only; a common name is limited to 64 characters.
        _builder(_name("lossless-webhook"), ca_certificate.subject, key, now, _LIFE)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(authority, critical=False)
    )
    leaf = builder.sign(ca_key, hashes.SHA256())
    return Material(ca_bundle, _pem(leaf), _key_pem(key), _key_pem(ca_key))


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + life)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _private_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = _read_key(pem, CA_KEY)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("ca.key is not an elliptic curve key; replace it")  # noqa: TRY004 # a value read
    return key


def _read_key(pem: bytes, name: str) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(pem, password=None)
    except TypeError as error:
        # So the library says that a passphrase is wanted.
        raise ValueError(f"{name} is encrypted; store it without a passphrase") from error
    except UnsupportedAlgorithm as error:
        raise ValueError(f"{name} cannot be used ({error}); use RSA or a NIST curve") from error


def _belong_together(certificate: x509.Certificate, key: PrivateKeyTypes) -> bool:
    try:
        return certificate.public_key() == key.public_key()
    except UnsupportedAlgorithm:
        # One for a kind of key that cannot be read is not for a key that was.
        return False
