"""How the whole is run: the embedded stack, the command line and the sandbox city."""
