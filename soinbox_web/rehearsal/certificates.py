"""Certificates made on the spot: good ones, and every fault that must stop a password."""

import datetime
import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Fault = Literal[
    "none", "expired", "not_yet_valid", "wrong_name", "self_signed", "unknown_ca", "missing_intermediate"
]

_LONG_AGO = datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC)
_BEFORE_TODAY = datetime.datetime(2021, 1, 1, tzinfo=datetime.UTC)
_FAR_AHEAD = datetime.datetime(2037, 1, 1, tzinfo=datetime.UTC)
_FARTHER_AHEAD = datetime.datetime(2037, 12, 31, tzinfo=datetime.UTC)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a server shows: its key and the chain it sends, leaf first, both PEM."""

    key: bytes
    chain: bytes

    def write(self, folder: Path, stem: str) -> tuple[Path, Path]:
        """Write `<stem>.crt` (the chain) and `<stem>.key` (0600) into the folder; returns both paths."""
        chain, key = folder / f"{stem}.crt", folder / f"{stem}.key"
        chain.write_bytes(self.chain)
        key.touch(0o600)
        key.write_bytes(self.key)
        return chain, key

    def server_context(self, *, old_tls: bool = False) -> ssl.SSLContext:
        """A server's context; `old_tls` offers nothing newer than TLS 1.1."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if old_tls:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        with tempfile.TemporaryDirectory() as folder:
            context.load_cert_chain(*self.write(Path(folder), "server"))
        return context


class Authority:
    """A certificate authority for the product to trust (`SOINBOX_CA_FILE`), and a stranger."""

    def __init__(self) -> None:
        self._trusted = trustme.CA(organization_name="soinbox rehearsal")
        self._between = self._trusted.create_child_ca()
        self._stranger = trustme.CA(organization_name="A stranger")

    @property
    def anchor(self) -> bytes:
        """The root certificate, PEM."""
        return self._trusted.cert_pem.bytes()

    def write_anchor(self, path: Path) -> Path:
        """Write the file for `SOINBOX_CA_FILE`."""
        path.write_bytes(self.anchor)
        return path

    def client_context(self) -> ssl.SSLContext:
        """A verifying client's context that trusts this authority only."""
        return ssl.create_default_context(cadata=self.anchor.decode("ascii"))

    def issue(self, *names: str, fault: Fault = "none") -> Identity:
        """An identity for host names or IP addresses, with the fault asked for."""
        match fault:
            case "none":
                return _identity(self._trusted.issue_cert(*names))
            case "expired":
                return _identity(
                    self._trusted.issue_cert(*names, not_before=_LONG_AGO, not_after=_BEFORE_TODAY)
                )
            case "not_yet_valid":
                return _identity(
                    self._trusted.issue_cert(*names, not_before=_FAR_AHEAD, not_after=_FARTHER_AHEAD)
                )
            case "wrong_name":
                return _identity(self._trusted.issue_cert("somebody-else.example"))
            case "self_signed":
                return _self_signed(names)
            case "unknown_ca":
                return _identity(self._stranger.issue_cert(*names))
            case "missing_intermediate":
                whole = self._between.issue_cert(*names)
                return Identity(whole.private_key_pem.bytes(), whole.cert_chain_pems[0].bytes())


def _identity(leaf: trustme.LeafCert) -> Identity:
    chain = b"".join(part.bytes() for part in leaf.cert_chain_pems)
    return Identity(leaf.private_key_pem.bytes(), chain)


def _self_signed(names: tuple[str, ...]) -> Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_LONG_AGO)
        .not_valid_after(_FARTHER_AHEAD)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Identity(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        certificate.public_bytes(serialization.Encoding.PEM),
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
