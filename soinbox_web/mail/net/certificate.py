"""Server certificates: what they say, and the name of the fault when TLS refuses one."""

import hashlib
import ssl
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import NameOID

from soinbox_web.problems import CertificateError, Problem

# X509_V_ERR_* of OpenSSL; what is not here is a chain that leads to no trusted issuer.
_CODES = {9: "cert_not_yet_valid", 10: "cert_expired", 18: "cert_self_signed", 62: "cert_name_mismatch"}
_CODES[64] = "cert_name_mismatch"  # the host is an IP address
_SHOWN_NAMES = 10
OLD_VERSIONS = frozenset({"SSLv3", "TLSv1", "TLSv1.1"})


@dataclass(frozen=True, slots=True)
class Certificate:
    """A leaf certificate, read but not verified; times are aware UTC, names are as in the certificate.

    `fingerprint` is the SHA-256 of the whole, in small hexadecimal digits.
    """

    names: tuple[str, ...]
    issuer: str
    not_before: datetime
    not_after: datetime
    fingerprint: str


def read_certificate(der: bytes) -> Certificate | None:
    """The certificate in `der`; None when it cannot be read."""
    try:
        leaf = x509.load_der_x509_certificate(der)
        return Certificate(
            _names(leaf), _issuer(leaf), leaf.not_valid_before_utc, leaf.not_valid_after_utc, fingerprint(der)
        )
    except ValueError:
        return None


def fingerprint(der: bytes) -> str:
    """What a pinned certificate is recognised by."""
    return hashlib.sha256(der).hexdigest()


def certificate_error(
    error: ssl.SSLCertVerificationError, host: str, certificate: Certificate | None
) -> CertificateError:
    """The refusal of a certificate as a problem; `certificate` comes from a second, unverified handshake."""
    code = _CODES.get(error.verify_code, "cert_untrusted_chain")
    facts = {"host": host}
    if certificate is not None:
        moment = certificate.not_before if code == "cert_not_yet_valid" else certificate.not_after
        names = certificate.names[:_SHOWN_NAMES]
        facts |= {"names": ", ".join(names), "issuer": certificate.issuer, "date": moment.date().isoformat(),
                  "fingerprint": certificate.fingerprint}  # fmt: skip
    return CertificateError(Problem(code, stage="encrypt", evidence=error.verify_message, facts=facts))


def _names(leaf: x509.Certificate) -> tuple[str, ...]:
    """Subject alternative names (RFC 6125); the common name where there are none."""
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension):
        return tuple(str(a.value) for a in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME))
    addresses = names.get_values_for_type(x509.IPAddress)
    return (*names.get_values_for_type(x509.DNSName), *map(str, addresses))


def _issuer(leaf: x509.Certificate) -> str:
    for oid in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME):
        for attribute in leaf.issuer.get_attributes_for_oid(oid):
            return str(attribute.value)
    return ""
