"""All that was released of the sample's survey is what is released of it anew, wave after wave."""

import shutil

from cadran.book import SAMPLE, open_book
from cadran.measures.releases import released


def test_the_sample_releases_what_is_released_of_its_waves(tmp_path):
    made, told = tmp_path / "sample", ("releases", "latest")
    shutil.copytree(SAMPLE, made, ignore=shutil.ignore_patterns(*told))

    assert len(released(open_book(made))) == 12

    for name in told:
        ours, shipped = (
            {file.relative_to(book).as_posix(): file.read_bytes() for file in (book / "pulse" / name).rglob("*.*")}
            for book in (made, SAMPLE)
        )
        assert ours == shipped, "run `make sample`"
        assert len(shipped) > 24
