"""A client on python's websockets for tests/connection/interop.rs: client.py URL; prints what it agreed on."""

import sys

from websockets.sync.client import connect

with connect(sys.argv[1], max_size=None) as socket:
    print(socket.protocol.extensions)
    for message in ["", "hello", "all the same " * 100_000, bytes(range(256)) * 1000]:
        for _ in range(2):
            socket.send(message)
            assert socket.recv() == message
    socket.send(["in ", "three ", "pieces"])
    assert socket.recv() == "in three pieces"
    socket.ping().wait(10) or sys.exit("no pong")
    socket.close(4000, "enough")
    print(socket.close_code, socket.close_reason)
