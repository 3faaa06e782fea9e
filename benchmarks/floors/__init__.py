"""The floors: the same work with bare libraries, no framework, no rules, no encryption."""
