"""One HTTP/2 request with prior knowledge: no TLS, no upgrade."""

import socket

import h2.config
import h2.connection
import h2.events

from tests.support.waiting import PATIENCE


def http2_headers(port: int) -> dict[str, str]:
    """Return the headers of the answer to ``GET /``.

    Raises:
        AssertionError: the connection ended without one.
    """
    connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    connection.initiate_connection()
    connection.send_headers(
        1,
        [(":method", "GET"), (":path", "/"), (":authority", "a"), (":scheme", "http")],
        end_stream=True,
    )
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as link:
        link.sendall(connection.data_to_send())
        while True:
            received = link.recv(65536)
            assert received, "the connection has ended without an answer"
            for event in connection.receive_data(received):
                if isinstance(event, h2.events.ResponseReceived):
                    return {str(name): str(value) for name, value in event.headers}
            link.sendall(connection.data_to_send())
