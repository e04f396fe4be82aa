import pytest

from cadran.models import made_by


@pytest.mark.parametrize(("changed", "is_other"), [("hazards_logit.py", True), ("known.py", True), ("trial.py", False)])
def test_what_is_made_hangs_on_the_code_that_makes_it(changed, is_other, monkeypatch):
    digest, read = made_by.made_by.__wrapped__, made_by.Path.read_bytes
    first = digest("cadran.models.hazards_logit")
    monkeypatch.setattr(made_by.Path, "read_bytes", lambda path: read(path) + b"#" * (path.name == changed))

    assert (digest("cadran.models.hazards_logit") != first) is is_other
