"""The sprite holds the icons that are used, no fewer and no more."""

from tests.house import sprite


def test_every_icon_that_is_drawn_somewhere_is_in_the_sprite():
    assert sprite.called() - sprite.drawn() == set()


def test_the_sprite_holds_no_icon_that_nobody_draws():
    assert sprite.drawn() - sprite.quoted() == set()
