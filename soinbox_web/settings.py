"""The settings of contract.md: one frozen dataclass, and the only reader of the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from soinbox_web.model.allow_list import AllowList
from soinbox_web.problems import Problem, StoreError

PREFIX = "SOINBOX_"
SECRETS = ("GOOGLE_CLIENT_SECRET", "MICROSOFT_CLIENT_SECRET")
OAUTH_KEYS = ("ISSUER", "CLIENT_ID", "CLIENT_SECRET", "SCOPES", "HOSTS")


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """One issuer's client as the operator registered it; `hosts` are the mail hosts it serves."""

    name: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    issuer: str = ""
    tenant: str = "common"
    scopes: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator decides; `docs/settings.md` is generated from this class."""

    instance: Path = field(
        default=Path("instance"), metadata={"doc": "folder of the databases and the key ring"}
    )
    host: str = field(default="127.0.0.1", metadata={"doc": "address the web server binds"})
    port: int = field(default=8025, metadata={"doc": "port the web server binds"})
    secret_key_file: Path | None = field(
        default=None,
        metadata={"doc": "key ring; without it `secret.key` in the instance, made at the first start"},
    )
    dns_servers: tuple[tuple[str, int], ...] = field(
        default=(), metadata={"doc": "`ip:port,…` asked for every look-up; empty: the machine's own"}
    )
    ca_file: Path | None = field(default=None, metadata={"doc": "extra trust anchors (PEM)"})
    allow_hosts: AllowList = field(
        default_factory=AllowList,
        metadata={
            "doc": "mail servers exempt from address and port rules: `name`, `name:port`, `cidr`,"
            " `cidr:port`, …; with `https://` before it, pages of set-up and OAuth; never pictures in e-mails"
        },
    )
    allow_plain: AllowList = field(
        default_factory=AllowList, metadata={"doc": "`name:port,…` where sign-in without TLS is allowed"}
    )
    autoconfig_dir: Path | None = field(
        default=None, metadata={"doc": "folder of the operator's autoconfig XML files"}
    )
    ispdb_url: str = field(
        default="https://autoconfig.thunderbird.net/v1.1/", metadata={"doc": "ISPDB; empty: never asked"}
    )
    oauth_clients: tuple[OAuthClient, ...] = field(
        default=(),
        metadata={
            "names": "GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET, MICROSOFT_CLIENT_ID, MICROSOFT_CLIENT_SECRET, "
            "MICROSOFT_TENANT, OAUTH_<NAME>_{ISSUER,CLIENT_ID,CLIENT_SECRET,SCOPES,HOSTS}",
            "doc": "the operator's own OAuth clients",
        },
    )
    public_url: str = field(
        default="", metadata={"doc": "https address people use: OAuth redirect, secure cookies"}
    )
    trusted_proxies: int = field(
        default=0, metadata={"doc": "number of reverse proxies whose headers are believed"}
    )
    sender_rule: Literal["first", "own"] = field(
        default="first",
        metadata={
            "doc": "`first`: only the first address of one's card may send; `own`: any of its addresses"
        },
    )
    max_upload: int = field(
        default=25_000_000, metadata={"doc": "largest upload in bytes (`25 MB` is understood)"}
    )
    timezone: str = field(
        default="Europe/Amsterdam", metadata={"doc": "IANA zone of people who have not chosen one"}
    )
    metrics: bool = field(
        default=False, metadata={"doc": "serve `/metrics`, to this machine only and never through a proxy"}
    )
    allow_pinning: bool = field(
        default=False, metadata={"doc": "let people pin one certificate for one host"}
    )
    allow_http_autoconfig: bool = field(
        default=False, metadata={"doc": "look for autoconfig over plain http too"}
    )
    control_hosts: tuple[tuple[str, int], ...] = field(
        default=(), metadata={"doc": "`host:port,…` that tell a blocked way out from a dead server"}
    )

    @property
    def secure(self) -> bool:
        """People reach this instance over https."""
        return self.public_url.startswith("https://")

    @property
    def key_ring_path(self) -> Path:
        return self.secret_key_file or self.instance / "secret.key"

    @property
    def database_path(self) -> Path:
        return self.instance / "soinbox.sqlite"

    def oauth_client(self, name: str) -> OAuthClient | None:
        return next((client for client in self.oauth_clients if client.name == name), None)


def from_environment(environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Settings from `SOINBOX_*`; `X_FILE` reads a secret; StoreError settings_invalid names what is wrong."""
    given = {
        k.removeprefix(PREFIX): v
        for k, v in (os.environ if environ is None else environ).items()
        if k.startswith(PREFIX)
    }
    for name in [n for n in given if n.endswith("_SECRET_FILE")]:
        path = given.pop(name)
        try:
            given[name.removesuffix("_FILE")] = Path(path).read_text().strip()
        except OSError as error:
            raise _invalid(name, path) from error
    values: dict[str, Any] = {}
    readers = {f.name.upper(): f.name for f in fields(Settings) if f.name != "oauth_clients"}
    oauth = {n: given.pop(n) for n in list(given) if n.startswith(("OAUTH_", "GOOGLE_", "MICROSOFT_"))}
    values["oauth_clients"] = _oauth_clients(oauth)
    for name, text in given.items():
        if name not in readers:
            raise _invalid(name, text)
        try:
            values[readers[name]] = _READ.get(readers[name], str)(text.strip())
        except (ValueError, KeyError) as error:
            raise _invalid(name, text) from error
    return Settings(**{**values, **{k: v for k, v in overrides.items() if v is not None}})


def child_environment(settings: Settings) -> dict[str, str]:
    """The environment that makes a child process read these same settings."""
    return {**os.environ, **_placed(settings)}


def export(settings: Settings) -> None:
    """Let the worker processes that a library starts read these same settings."""
    os.environ.update(_placed(settings))


def _placed(settings: Settings) -> dict[str, str]:
    return {
        PREFIX + "INSTANCE": str(settings.instance.resolve()),
        PREFIX + "HOST": settings.host,
        PREFIX + "PORT": str(settings.port),
    }


def _oauth_clients(given: dict[str, str]) -> tuple[OAuthClient, ...]:
    clients: dict[str, dict[str, Any]] = {}
    for name, text in given.items():
        if name.startswith("OAUTH_"):
            issuer_name, _, key = name.removeprefix("OAUTH_").partition("_")
            while key not in OAUTH_KEYS and "_" in key:
                more, _, key = key.partition("_")
                issuer_name += f"_{more}"
            if key not in OAUTH_KEYS:
                raise _invalid(name, text)
            value: Any = tuple(text.replace(",", " ").split()) if key in ("SCOPES", "HOSTS") else text
        else:
            issuer_name, _, key = name.partition("_")
            if key not in ("CLIENT_ID", "CLIENT_SECRET", "TENANT") or (
                key == "TENANT" and issuer_name == "GOOGLE"
            ):
                raise _invalid(name, text)
            value = text
        clients.setdefault(issuer_name.lower(), {})[key.lower()] = value
    return tuple(OAuthClient(name=n, **parts) for n, parts in clients.items() if parts.get("client_id"))


def _addresses(text: str) -> tuple[tuple[str, int], ...]:
    pairs = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        host, separator, port = entry.rpartition(":")
        if not separator or not 0 < int(port) < 65536:
            raise ValueError(entry)
        pairs.append((host.strip("[]"), int(port)))
    return tuple(pairs)


def _switch(text: str) -> bool:
    return {
        "1": True,
        "true": True,
        "yes": True,
        "on": True,
        "0": False,
        "false": False,
        "no": False,
        "off": False,
        "": False,
    }[text.lower()]


def _size(text: str) -> int:
    number, unit = text.upper().replace(" ", "").rstrip("B"), 1
    for letter, factor in (("K", 1_000), ("M", 1_000_000), ("G", 1_000_000_000)):
        if number.endswith(letter):
            number, unit = number[:-1], factor
    return int(float(number) * unit)


def _zone(text: str) -> str:
    return ZoneInfo(text).key


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    if text and (
        parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment
    ):
        raise ValueError(text)
    return text.rstrip("/")


def _rule(text: str) -> str:
    if text not in ("first", "own"):
        raise ValueError(text)
    return text


def _optional_path(text: str) -> Path | None:
    return Path(text) if text else None


_READ: dict[str, Any] = {
    "instance": Path,
    "port": int,
    "secret_key_file": _optional_path,
    "dns_servers": _addresses,
    "ca_file": _optional_path,
    "allow_hosts": AllowList.parse,
    "allow_plain": AllowList.parse,
    "autoconfig_dir": _optional_path,
    "public_url": _public_url,
    "trusted_proxies": int,
    "sender_rule": _rule,
    "max_upload": _size,
    "timezone": _zone,
    "metrics": _switch,
    "allow_pinning": _switch,
    "allow_http_autoconfig": _switch,
    "control_hosts": _addresses,
}


def _invalid(name: str, text: str) -> StoreError:
    shown = "…" if "SECRET" in name else text
    facts = {"name": PREFIX + name, "detail": f"{PREFIX}{name}={shown}"}
    return StoreError(Problem("settings_invalid", facts=facts))
