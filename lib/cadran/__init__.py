"""Cadran: a workbench for sales operations."""

import os

# Else polars gives memory back half a second after it was freed, only to ask for it again: a fifth of an import's time.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:10000")
