"""A small source to break: two reps, two clients, a handful of deals, and a mapping that takes them in."""

from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest

from cadran.sources import deliver
from cadran.sources.mapping import load_mapping
from cadran.tables.delivery import Delivery
from cadran.tables.problems import Problem


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with the small source."""
    return Path(copytree(Path(__file__).parent / "small", tmp_path / "small"))


@pytest.fixture
def take(source: Path) -> Callable[..., Delivery]:
    """Deliver the small source, with other deals (text or bytes) and another mapping where given."""

    def deliver_it(deals: str | bytes | None = None, mapping: str | None = None) -> Delivery:
        if deals is not None:
            data = deals.encode() if isinstance(deals, str) else deals
            (source / "deals.csv").write_bytes(data)
        if mapping is not None:
            (source / "mapping.toml").write_text(mapping, encoding="utf-8")
        delivered = deliver(load_mapping(source / "mapping.toml"))
        for file in delivered.files:
            assert file.n_read == file.n_accepted + file.n_left_out + file.n_set_aside
        assert sum(file.n_set_aside for file in delivered.files) == delivered.set_aside.height
        return delivered

    return deliver_it


@pytest.fixture
def refused(take: Callable[..., Delivery]) -> Callable[..., str]:
    """What is said when the import is refused."""

    def told(deals: str | bytes | None = None, mapping: str | None = None) -> str:
        with pytest.raises(Problem) as caught:
            take(deals, mapping)
        return str(caught.value)

    return told
