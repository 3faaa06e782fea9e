"""Every event, one module per family. `contracts.catalogue` says who owns and who reads each."""
