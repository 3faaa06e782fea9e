"""How fast the system is, beside a bare floor measured in the same run on the same servers."""
