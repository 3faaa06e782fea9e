"""HTTP/1.1 as uvicorn reads it with httptools, and a bound on what stands around a body."""

from __future__ import annotations

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_MAX_BYTES: Final = 16 * 1024


class BoundedHttp(HttpToolsProtocol):
    """Refuses (400) a request with more than HEAD_MAX_BYTES of request line, headers and trailers.

    Hazard: the parser knows no bound; a header without an end would fill the memory before any of ours is asked.
    """

    _beside_body_bytes = 0

    def data_received(self, data: bytes) -> None:
        self._beside_body_bytes += len(data)
        super().data_received(data)
        if self._beside_body_bytes > HEAD_MAX_BYTES and not self.transport.is_closing():
            self.send_400_response("The request line and headers are too long.")

    def on_body(self, body: bytes) -> None:
        # Twice: each byte of the body excuses one beside it, for the lengths of its chunks.
        self._beside_body_bytes -= 2 * len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._beside_body_bytes = 0
        super().on_message_complete()
