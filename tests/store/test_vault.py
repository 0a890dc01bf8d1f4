"""Secrets open only under their key and only for what they were sealed for."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from soinbox_web.problems import StoreError
from soinbox_web.store.vault import Vault, rotate_ring

LOGIN = [1, 7, "imap", "imap.noordlicht.example", 993, "anna@noordlicht.example", "ssl"]


def test_a_secret_comes_back(tmp_path: Path) -> None:
    vault = Vault.open(tmp_path / "ring")
    sealed = vault.seal("lampje", LOGIN)
    assert "lampje" not in sealed
    assert vault.unseal(sealed, LOGIN) == "lampje"
    assert (tmp_path / "ring").stat().st_mode & 0o777 == 0o400


@pytest.mark.parametrize("index", range(len(LOGIN)))
def test_a_secret_does_not_open_for_anything_else(tmp_path: Path, index: int) -> None:
    vault = Vault.open(tmp_path / "ring")
    other = [value if at != index else f"{value}x" for at, value in enumerate(LOGIN)]
    with pytest.raises(StoreError):
        vault.unseal(vault.seal("lampje", LOGIN), other)


def test_rotation_keeps_old_secrets_and_cookie_keys(tmp_path: Path) -> None:
    before = Vault.open(tmp_path / "ring")
    sealed = before.seal("lampje", LOGIN)
    rotate_ring(tmp_path / "ring")
    after = Vault.open(tmp_path / "ring")
    assert after.kid != before.kid
    assert after.unseal(sealed, LOGIN) == "lampje"
    assert after.derive("flask cookie") == before.derive("flask cookie") != after.derive("something else")


def test_an_unknown_key_is_a_problem(tmp_path: Path) -> None:
    sealed = Vault.open(tmp_path / "ring").seal("lampje", LOGIN)
    with pytest.raises(StoreError) as caught:
        Vault.open(tmp_path / "another ring").unseal(sealed, LOGIN)
    assert caught.value.problem.code == "key_missing"


@pytest.mark.parametrize("text", ["", "abc", "abc:AAAA", "abc:not base64!"])
def test_a_broken_ring_is_a_problem(tmp_path: Path, text: str) -> None:
    (tmp_path / "ring").write_text(text)
    with pytest.raises(StoreError):
        Vault.open(tmp_path / "ring")


def test_a_process_that_runs_takes_in_a_rotation_by_another(tmp_path: Path) -> None:
    running = Vault.open(tmp_path / "ring")
    cookie_key = running.derive("flask cookie")
    rotate_ring(tmp_path / "ring")
    sealed = Vault.open(tmp_path / "ring").seal("lampje", LOGIN)
    assert running.unseal(sealed, LOGIN) == "lampje"
    assert running.derive("flask cookie") == cookie_key


def test_a_process_that_runs_seals_with_the_newest_key(tmp_path: Path) -> None:
    running = Vault.open(tmp_path / "ring")
    rotate_ring(tmp_path / "ring")
    assert running.seal("lampje", LOGIN).partition(":")[0] == Vault.open(tmp_path / "ring").kid


@pytest.mark.parametrize("text", [None, "", "abc:AAAA"])
def test_a_ring_lost_while_a_process_runs_stops_nothing(tmp_path: Path, text: str | None) -> None:
    running = Vault.open(tmp_path / "ring")
    sealed = running.seal("lampje", LOGIN)
    (tmp_path / "ring").unlink()
    if text is not None:
        (tmp_path / "ring").write_text(text)
    assert running.unseal(sealed, LOGIN) == "lampje"
    assert running.unseal(running.seal("lampje", LOGIN), LOGIN) == "lampje"
    with pytest.raises(StoreError):
        running.unseal("nobody:AAAA", LOGIN)


def test_a_process_that_runs_seals_with_a_key_of_an_older_ring_put_back(tmp_path: Path) -> None:
    """What it sealed with a key that it alone remembers would be lost at its end."""
    first = Vault.open(tmp_path / "ring")
    older = (tmp_path / "ring").read_text()
    rotate_ring(tmp_path / "ring")
    running = Vault.open(tmp_path / "ring")
    assert running.kid != first.kid
    (tmp_path / "ring").unlink()
    (tmp_path / "ring").write_text(older)
    assert Vault.open(tmp_path / "ring").unseal(running.seal("lampje", LOGIN), LOGIN) == "lampje"


def test_those_that_begin_together_have_one_ring(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        for number in range(40):
            together = Barrier(8)

            def begin(path: Path = tmp_path / f"ring {number}", together: Barrier = together) -> Vault:
                together.wait()
                return Vault.open(path)

            vaults = [each.result() for each in [threads.submit(begin) for _ in range(8)]]
            assert len({each.kid for each in vaults}) == 1


def test_of_two_rotations_at_once_no_key_is_lost(tmp_path: Path) -> None:
    Vault.open(tmp_path / "ring")
    with ThreadPoolExecutor(8) as threads:
        for each in [threads.submit(rotate_ring, tmp_path / "ring") for _ in range(40)]:
            each.result()
    assert len(Vault.open(tmp_path / "ring").kids) == 41
