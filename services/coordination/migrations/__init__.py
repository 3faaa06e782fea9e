"""Revisions of the schema `coordination`."""
