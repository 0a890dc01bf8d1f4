"""What a synchronisation decides to do."""

from dataclasses import replace

import pytest

from soinbox_web.model import uid_set
from soinbox_web.model.folder import Folder
from soinbox_web.model.sync_plan import (
    FolderStatus,
    Plan,
    ServerFolder,
    compare_folders,
    in_order,
    plan,
    unchanged,
)

HERE = Folder(1, "INBOX", "/", "inbox", True, 7, 101, 40, 100, 100, 3, "2026-11-23T09:00:00.000Z", "INBOX")
THERE = FolderStatus(7, 101, 100, 40)


def test_nothing_happened() -> None:
    assert plan(HERE, THERE, known=100).nothing
    assert unchanged(HERE, THERE, known=100)


def test_a_folder_never_seen_begins_with_its_first_page() -> None:
    fresh = replace(HERE, uidvalidity=0, uidnext=0, highestmodseq=0, synced_at="")
    assert plan(fresh, THERE, known=0) == Plan(first_page=True, compare=True)
    assert plan(fresh, replace(THERE, total=0), known=0) == Plan(compare=True)


def test_an_interrupted_one_goes_on_without_a_first_page() -> None:
    cut = replace(HERE, uidnext=0, highestmodseq=0)
    assert plan(cut, THERE, known=50) == Plan(compare=True)


def test_another_uidvalidity_begins_anew() -> None:
    assert plan(HERE, replace(THERE, uidvalidity=8), known=100) == Plan(
        rebuild=True, first_page=True, compare=True
    )


def test_new_mail() -> None:
    there = FolderStatus(7, 103, 102, 42)
    assert plan(HERE, there, known=100) == Plan(new_from=101, changed_since=40)
    assert plan(HERE, there, known=100, resynchronised=True) == Plan(new_from=101)


def test_flags_changed_and_messages_went() -> None:
    assert plan(HERE, replace(THERE, highestmodseq=41), known=100) == Plan(changed_since=40)
    assert plan(HERE, replace(THERE, total=99), known=100) == Plan(compare=True)


@pytest.mark.parametrize("there", [replace(THERE, uidnext=90), replace(THERE, highestmodseq=12)])
def test_a_cursor_that_goes_back_is_not_believed(there: FolderStatus) -> None:
    assert plan(HERE, there, known=100) == Plan(compare=True, sweep="all")


def test_a_server_without_modseq_is_swept() -> None:
    here, there = replace(HERE, highestmodseq=0), replace(THERE, highestmodseq=0)
    assert plan(here, there, known=100) == Plan(sweep="recent")
    assert plan(here, there, known=100, sweep_due=True) == Plan(sweep="all")
    assert not unchanged(here, there, known=100)


def test_a_server_that_learnt_modseq_is_swept_once() -> None:
    assert plan(replace(HERE, highestmodseq=0), THERE, known=100) == Plan(sweep="all")


def folder(name: str, uidvalidity: int = 7, uidnext: int = 5, total: int = 4) -> ServerFolder:
    return ServerFolder(name, name, "/", "", True, FolderStatus(uidvalidity, uidnext, total))


def row(number: int, name: str, uidvalidity: int = 7, uidnext: int = 5, total: int = 4) -> Folder:
    return Folder(number, name, "/", "", True, uidvalidity, uidnext, 0, total, total, 0, "", name)


def test_folders_are_matched_by_name() -> None:
    found = compare_folders([row(1, "A"), row(2, "B", 8)], [folder("A"), folder("C", 9)])
    assert [f.name for f in found.appeared] == ["C"] and [f.name for f in found.gone] == ["B"]
    assert not found.described and not found.renamed


def test_a_folder_with_the_same_cursor_under_another_name_was_renamed() -> None:
    found = compare_folders([row(1, "A"), row(2, "B", 8)], [folder("A"), folder("C", 8)])
    assert [(number, f.name) for number, f in found.renamed] == [(2, "C")]
    assert not found.gone and not found.appeared


def test_where_folders_share_a_uidvalidity_nothing_is_taken_for_renamed() -> None:
    found = compare_folders([row(1, "A", uidnext=9), row(2, "B")], [folder("A", uidnext=9), folder("C")])
    assert [f.name for f in found.appeared] == ["C"] and [f.name for f in found.gone] == ["B"]
    assert not found.renamed


def test_two_that_fit_are_no_rename() -> None:
    found = compare_folders([row(1, "A")], [folder("B"), folder("C")])
    assert len(found.appeared) == 2 and len(found.gone) == 1 and not found.renamed


def test_the_order_of_folders() -> None:
    roles = ["", "trash", "drafts", "all", "sent", "inbox", "important"]
    every = [replace(row(n, f"f{n}"), role=role) for n, role in enumerate(roles)]  # type: ignore[arg-type]
    assert [f.role for f in in_order(every)] == ["inbox", "sent", "drafts", "", "all", "trash"]
    assert [f.role for f in in_order(every, "google")] == ["inbox", "sent", "drafts", "", "trash"]
    assert in_order(every, "google", first=["f3"])[0].role == "all"


def test_sets_of_uids() -> None:
    assert uid_set.write([5, 1, 2, 3, 9]) == "1:3,5,9"
    assert uid_set.read("1:3,5,9") == [1, 2, 3, 5, 9]
    assert list(uid_set.batches([1, 2, 3], 2)) == [[3, 2], [1]]
    for wrong in ("", "0", "1:*", "4294967296", "1;2", "1:4000000000"):
        with pytest.raises(ValueError):
            uid_set.read(wrong)
