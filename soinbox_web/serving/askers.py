"""Who asks: a member, somebody known by an address only, or a picture of somebody's mail."""

import asyncio

from soinbox_web.fair import FairPool
from soinbox_web.problems import SoinboxError
from soinbox_web.runtime import Runtime
from soinbox_web.services import members, pictures
from soinbox_web.serving.bodies import MEMBER, STRANGER, Bound, Scope, length, upload
from soinbox_web.serving.bridge import Asker
from soinbox_web.web.cookie import SessionCookie, address_group

THREADS = 24
PICTURE_THREADS = 16
OF_ONE_HOST = 4  # pictures fetched at once
REMEMBERED = 30.0  # seconds: it decides about fairness only, never about what may be seen
MOST_REMEMBERED = 5_000


class Askers:
    """The pools of one process and who uses them; call it with a request's scope."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._cookie = SessionCookie(runtime)
        self._pool = FairPool(THREADS, "pages")
        self._pictures = FairPool(PICTURE_THREADS, "pictures", waiting=2 * pictures.MOST)
        self._upload = upload(runtime.settings.max_upload)
        self._users: dict[str, tuple[float, int | None]] = {}

    async def __call__(self, scope: Scope) -> Asker:
        if scope["path"].startswith("/image/"):
            asked = pictures.asked_for(self._runtime, scope["path"].removeprefix("/image/"))
            if asked is not None:
                user, host = ("user", asked[0]), asked[1]
                if host:
                    return Asker(user, STRANGER, self._pictures, {("host", host): OF_ONE_HOST})
                return Asker(user, STRANGER, self._pool)
        headers = dict(scope["headers"])
        token = self._cookie.token(headers.get(b"cookie", b"").decode("latin-1"))
        user_id = await self._user(token) if token else None
        if user_id is not None:
            return Asker(("user", user_id), self._bound(scope, headers), self._pool)
        bound = self._bound(scope, headers) if token else STRANGER  # a session that ended is told so
        return Asker(("address", address_group(scope)), bound, self._pool, {"strangers": self._pool.half})

    def _bound(self, scope: Scope, headers: dict[bytes, bytes]) -> Bound:
        has_files = headers.get(b"content-type", b"").lower().startswith(b"multipart/form-data")
        announced = length(scope)
        small = announced is not None and announced <= MEMBER.most
        return self._upload if has_files and not small else MEMBER

    async def _user(self, token: str) -> int | None:
        """Whose session it is, as known some seconds ago."""
        now = asyncio.get_running_loop().time()
        known = self._users.get(token)
        if known is not None and known[0] > now:
            return known[1]
        try:
            member = await asyncio.to_thread(members.of_session, self._runtime, token)
        except SoinboxError:
            return None
        if len(self._users) >= MOST_REMEMBERED:
            self._users.clear()
        found = member.id if member else None
        self._users[token] = (now + REMEMBERED, found)
        return found
