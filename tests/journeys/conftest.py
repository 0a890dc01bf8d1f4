"""Fixtures of the journeys over plain HTTP."""

from tests.servers.noordlicht import connected_world

__all__ = ["connected_world"]
