"""The data sources of the city: each answers about whoever a valid request names; who is unknown has no record."""
