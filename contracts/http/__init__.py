"""HTTP messages: what may be asked of us, and what we ask of data sources, the bank and departments."""
