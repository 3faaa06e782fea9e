"""Revisions of the schema `verification`."""
