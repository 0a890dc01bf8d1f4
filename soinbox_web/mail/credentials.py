"""What an account signs in with: its password, or an access token that is renewed when it has to be."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol, TypeVar

from soinbox_web.mail import issuers, oauth
from soinbox_web.mail.net.network import Network
from soinbox_web.model.account import Account
from soinbox_web.model.oauth import Grant
from soinbox_web.model.server import Protocol as Side
from soinbox_web.problems import Problem, SignInError

T = TypeVar("T")
RENEWABLE = ("token_revoked", "credentials_wrong", "oauth_required")


class Kept(Protocol):
    """Where secrets lie (`store.account_secrets`)."""

    def password(self, account: Account, side: Side) -> str: ...

    def refresh_token(self, account: Account) -> str: ...

    def replace_refresh_token(self, account: Account, old: str, new: str) -> None: ...

    def grant(self, account: Account) -> Grant | None: ...

    def keep_grant(self, account: Account, grant: Grant) -> None: ...

    def renewing(self, account: Account) -> AbstractContextManager[None]: ...


def sign_in(account: Account, side: Side, kept: Kept, network: Network, use: Callable[[str, bool], T]) -> T:
    """`use(secret, is_token)`; a refused access token is renewed once and tried again.

    Raises what `use` raises, StoreError key_missing, and for tokens SignInError token_revoked,
    consent_missing, oauth_not_set_up.
    """
    if account.auth != "oauth2":
        return use(kept.password(account, side), False)
    token = access_token(account, side, kept, network)
    try:
        return use(token, True)
    except SignInError as error:
        if error.problem.code not in RENEWABLE or error.problem.stage != "sign_in":
            raise
    return use(access_token(account, side, kept, network, refused=token), True)


def access_token(account: Account, side: Side, kept: Kept, network: Network, *, refused: str = "") -> str:
    """A token that is good for a while yet; never the one that was `refused`."""
    login = account.smtp if side == "smtp" and account.smtp else account.imap
    client = issuers.client_for(network.settings, login.host)
    if client is None or issuers.issuer_url(client) != account.issuer:
        facts = {"provider": account.issuer.removeprefix("https://") or login.host}
        raise SignInError(Problem("oauth_not_set_up", side=side, stage="sign_in", facts=facts))
    found = _usable(kept.grant(account), refused, network.clock.now())
    if found:
        return found
    try:
        with kept.renewing(account):
            found = _usable(kept.grant(account), refused, network.clock.now())
            if found:
                return found
            issuer = issuers.issuer_of(client, network)
            refresh = kept.refresh_token(account)
            try:
                grant = oauth.renew(client, issuer, network, refresh)
            except SignInError as error:
                newer = kept.refresh_token(account)  # another process may have renewed it meanwhile
                if error.problem.code != "token_revoked" or newer == refresh:
                    raise
                refresh = newer
                grant = oauth.renew(client, issuer, network, refresh)
            if grant.refresh != refresh:
                kept.replace_refresh_token(account, refresh, grant.refresh)
            kept.keep_grant(account, grant)
            return grant.access
    except SignInError as error:
        raise SignInError(error.problem.at(side=side)) from error


def _usable(grant: Grant | None, refused: str, now: datetime) -> str:
    return grant.access if grant and grant.access != refused and grant.fresh(now) else ""
