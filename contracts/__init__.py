"""What anyone outside may rely on: events, topics, HTTP messages and workflow names of 社会救助一件事.

Imports nothing of the rest of the project, does no I/O and needs only pydantic.
"""

from typing import Final

VERSION: Final = "0.1.0"
"""Of these contracts. `onething contracts release` raises it."""
