"""Exit 0 where the process of this container is ready. It runs every few seconds: nothing heavy is imported."""

import socket
import sys

try:
    with socket.create_connection(("127.0.0.1", 8000), timeout=3) as connection:
        connection.sendall(b"GET /ready HTTP/1.0\r\n\r\n")
        status_line = connection.makefile("rb").readline()
except OSError:
    sys.exit(1)
sys.exit(b" 200 " not in status_line)
