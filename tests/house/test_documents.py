"""The generated documents say what the code says."""

import pytest

from tests.house.documents import DOCUMENTS, ROOT


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_is_fresh(name: str) -> None:
    assert (ROOT / "docs" / name).read_text() == DOCUMENTS[name](), f"run `make docs`: docs/{name} is stale"
