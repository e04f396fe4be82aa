"""Cadran: a workbench for sales operations."""
