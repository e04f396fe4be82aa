"""Every sentence of the catalogue exists in French."""

import pytest

from cadran.measures import MEASURES
from cadran.text import words_for


@pytest.mark.parametrize("name", MEASURES)
def test_definition_exists_in_french(name):
    measure, french = MEASURES[name], words_for("fr").catalogue
    rivals = [text for rival in measure.rivals for text in (rival.name, rival.says)]
    columns = [column.description for column in measure.returns.columns().values()]

    missing = [
        text
        for text in (measure.title, measure.definition, measure.unit, measure.subject.no_column, *rivals, *columns)
        if text not in french
    ]

    assert missing == []
