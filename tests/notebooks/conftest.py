"""Small books for the apps: parts of the sample."""

import pytest
from parts import part_of_sample

from cadran.book.held import hold


@pytest.fixture(scope="module")
def part(tmp_path_factory):
    """`part(keep)`: a book in memory of those of the sample's deals that an expression keeps (see `part_of_sample`)."""
    return lambda keep, **changed: hold(part_of_sample(tmp_path_factory.mktemp("book"), keep, **changed))
