"""Refusals of the embedded stack: a code and one sentence that says what to do."""

import errno


class StackProblem(Exception):
    """Something a person must mend before the stack can go on; the message is one sentence for them."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


def disk_problem(error: OSError) -> StackProblem | None:
    """The sentence for a disk that cannot be written, or None when the error is another one."""
    place = error.filename or "the world folder"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StackProblem("disk_full", f"The disk is full at {place}. Free about 1 GB and run it again.")
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return StackProblem(
            "disk_read_only",
            f"{place} cannot be written. Make it writable or set ONETHING_HOME to a folder that is.",
        )
    return None
