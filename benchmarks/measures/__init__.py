"""One module per measure; each has `measure(cases, progress)`."""
