"""The bank: takes payment batches, books them later the same day, and keeps a statement of its own on disk."""
