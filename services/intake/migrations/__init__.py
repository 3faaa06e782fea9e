"""Revisions of the schema `intake`."""
