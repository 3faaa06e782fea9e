"""The services of 社会救助一件事, one process and one database schema each."""
