"""Revisions of the schema `approval`."""
