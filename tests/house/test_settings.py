"""The environment is read in one place, and a mistake in it stops the start."""

from pathlib import Path

import pytest

from soinbox_web.problems import StoreError
from soinbox_web.settings import from_environment


def test_names_and_values_are_understood(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("geheim\n")
    settings = from_environment(
        {
            "SOINBOX_INSTANCE": str(tmp_path),
            "SOINBOX_DNS_SERVERS": "127.0.0.1:5353, [::1]:53",
            "SOINBOX_MAX_UPLOAD": "10 MB",
            "SOINBOX_METRICS": "yes",
            "SOINBOX_ISPDB_URL": "",
            "SOINBOX_PUBLIC_URL": "https://mail.noordlicht.example/",
            "SOINBOX_GOOGLE_CLIENT_ID": "id",
            "SOINBOX_GOOGLE_CLIENT_SECRET_FILE": str(tmp_path / "secret"),
            "SOINBOX_OAUTH_OUR_OWN_CLIENT_ID": "us",
            "SOINBOX_OAUTH_OUR_OWN_HOSTS": "imap.one.example, smtp.one.example",
            "HOME": "/ignored",
        }
    )
    assert settings.dns_servers == (("127.0.0.1", 5353), ("::1", 53))
    assert (settings.max_upload, settings.metrics, settings.ispdb_url) == (10_000_000, True, "")
    assert settings.public_url == "https://mail.noordlicht.example" and settings.secure
    google, own = settings.oauth_client("google"), settings.oauth_client("our_own")
    assert google and google.client_secret == "geheim" and "geheim" not in repr(settings)
    assert own and own.hosts == ("imap.one.example", "smtp.one.example")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SOINBOX_COLOUR", "red"),
        ("SOINBOX_PORT", "many"),
        ("SOINBOX_SENDER_RULE", "anyone"),
        ("SOINBOX_TIMEZONE", "Mars/Base"),
        ("SOINBOX_METRICS", "perhaps"),
        ("SOINBOX_PUBLIC_URL", "foo"),
        ("SOINBOX_DNS_SERVERS", "127.0.0.1"),
        ("SOINBOX_GOOGLE_CLIENT_SECRET_FILE", "/nowhere"),
        ("SOINBOX_OAUTH_X_COLOUR", "red"),
    ],
)
def test_a_mistake_stops_the_start_and_is_named(name: str, value: str) -> None:
    with pytest.raises(StoreError) as caught:
        from_environment({name: value})
    assert caught.value.problem.code == "settings_invalid"
    assert name.removesuffix("_FILE").startswith(caught.value.problem.facts["name"].removesuffix("_FILE"))
