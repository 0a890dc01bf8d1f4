"""A user's e-mail options (profile icon › E-mail options › General)."""

from soinbox_web.model.options import Options
from soinbox_web.runtime import Runtime
from soinbox_web.store import options


def of(runtime: Runtime, user_id: int) -> Options:
    """The options of a user; what was never chosen has its default."""
    with runtime.db.read() as connection:
        return options.of(connection, user_id)


def save(runtime: Runtime, user_id: int, chosen: Options) -> None:
    """Keep all options of a user."""
    with runtime.db.write() as connection:
        options.save(connection, user_id, chosen, runtime.clock.now())
