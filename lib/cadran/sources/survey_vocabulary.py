"""Every key that a mapping of survey results may hold beyond those of a mapping, with the type of its value.

`docs/survey_results.md` documents each (a test sees to it).
"""

from cadran.sources.vocabulary import KEYS

_TEXT, _TEXTS, _YES_NO, _NUMBER, _DICT = "text", "texts", "yes or no", "number", "table"
_SCALE = {
    "low": _NUMBER,
    "high": _NUMBER,
    "favourable_from": _NUMBER,
    "unfavourable_to": _NUMBER,
    "scores": _DICT,
    "not_applicable": _TEXTS,
    "labels": "texts or table",
}

RESULT_KEYS: dict[str, dict[str, str]] = {
    "a mapping of survey results": {
        **{key: KEYS["the mapping"][key] for key in ("name", "extends", "folder", "taken", "time_zone", "currency")},
        **{key: KEYS["the mapping"][key] for key in ("fiscal_year_starts", "holidays", "files")},
        "survey": _DICT,
        "answers": "list or table",
        "responses": "list or table",
        "questions": "list or table",
        "scales": _DICT,
        "waves": _DICT,
    },
    "a survey": {
        "survey": _TEXT,
        "title": "text or table",
        "mode": _TEXT,
        "cadence": _TEXT,
        "minimum": _NUMBER,
        "comments_minimum": _NUMBER,
        "cuts": "texts or table",
        "crossed": "texts or table",
        "rolling": _NUMBER,
        "controller": _TEXT,
        "purpose": "text or table",
        "retention_months": _NUMBER,
        "contact": _TEXT,
    },
    "survey results": {"file": _TEXT, "only": _DICT},
    "a question": {
        "id": _TEXT,
        "kind": _TEXT,
        "text": "text or table",
        "named": _TEXTS,
        "dimension": _TEXT,
        "reversed": _YES_NO,
        "scale": _TEXT,
        "values": _DICT,
        **_SCALE,
    },
    "a scale": _SCALE,
    "a wave": {"opened": "date", "closed": "date"},
}
