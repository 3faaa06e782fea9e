"""Revisions of the schema `disbursement`."""
