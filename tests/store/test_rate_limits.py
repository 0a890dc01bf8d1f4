"""Token buckets: so many at once, then one after each refill."""

from datetime import timedelta

from soinbox_web.store.rate_limits import Limit, give_back, prune, take

LIMIT = Limit(3, timedelta(minutes=10))
NONE = timedelta(0)


def test_capacity_then_delay_then_refill(runtime, clock):
    with runtime.db.write() as c:
        assert [take(c, "x", LIMIT, clock.now()) for _ in range(3)] == [NONE] * 3
        assert take(c, "x", LIMIT, clock.now()) == timedelta(minutes=10)
        clock.turn(minutes=4)
        assert take(c, "x", LIMIT, clock.now()) == timedelta(minutes=6)
        clock.turn(minutes=6)
        assert take(c, "x", LIMIT, clock.now()) == NONE
        assert take(c, "x", LIMIT, clock.now()) > NONE


def test_never_holds_more_than_its_capacity(runtime, clock):
    with runtime.db.write() as c:
        give_back(c, "x", LIMIT, clock.now())
        clock.turn(days=3)
        assert [take(c, "x", LIMIT, clock.now()) for _ in range(4)][3] > NONE


def test_a_clock_that_jumps_back_gives_nothing(runtime, clock):
    with runtime.db.write() as c:
        for _ in range(3):
            take(c, "x", LIMIT, clock.now())
        assert take(c, "x", LIMIT, clock.now() - timedelta(days=1)) == timedelta(minutes=10)


def test_full_buckets_are_forgotten(runtime, clock):
    with runtime.db.write() as c:
        take(c, "x", LIMIT, clock.now())
        prune(c, clock.now() + timedelta(days=8))
        assert c.execute("SELECT count(*) FROM buckets").fetchone()[0] == 0
