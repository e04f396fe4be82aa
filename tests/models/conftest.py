"""The maker of tiny books, as tests of measures have it."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

_SPEC = spec_from_file_location("measures_conftest", Path(__file__).parent.parent / "measures" / "conftest.py")
_MEASURES = module_from_spec(_SPEC)
_SPEC.loader.exec_module(_MEASURES)
make_book = _MEASURES.make_book
