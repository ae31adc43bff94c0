"""A server on python's websockets for tests/interop.rs, with the same paths as node.cjs.

Prints "listening PORT"; ends with its stdin.
"""

import datetime
import http
import os
import sys
import threading
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

chatting = set()
chat_lock = threading.Lock()


def refuse(connection, request):
    if request.path.startswith("/refused"):
        return connection.respond(http.HTTPStatus.UNAUTHORIZED, "no entry for you\n")
    return None


def choose(connection, offered):
    return "v2.chat" if "v2.chat" in offered else None


def echo(socket, arguments):
    for message in socket:
        socket.send(message)


def chat(socket, arguments):
    with chat_lock:
        chatting.add(socket)
    try:
        for message in socket:
            with chat_lock:
                for other in chatting:
                    other.send(message)
    finally:
        with chat_lock:
            chatting.discard(socket)


def time(socket, arguments):
    while True:
        socket.send(datetime.datetime.now(datetime.timezone.utc).isoformat())
        try:
            socket.recv(timeout=0.02)
        except TimeoutError:
            pass


def late(socket, arguments):
    delay = int(arguments.get("ms", 300)) / 1000
    timers = []
    for message in socket:
        timers.append(threading.Timer(delay, socket.send, [message]))
        timers[-1].start()


def kind(socket, arguments):
    for message in socket:
        name = "text" if isinstance(message, str) else "binary"
        size = len(message.encode() if isinstance(message, str) else message)
        socket.send(f"{name} {size}")


def bytes_(socket, arguments):
    socket.send(b"\x00\x0a\xff\x1b")


def ping(socket, arguments):
    socket.ping("12345").wait()
    socket.send("pong 12345")
    socket.recv()


def subprotocol(socket, arguments):
    socket.send(socket.subprotocol or "none")
    socket.recv()


def header(socket, arguments):
    socket.send(socket.request.headers.get(arguments.get("name", "host"), "none"))
    socket.recv()


def close(socket, arguments):
    socket.close(int(arguments.get("code", 1000)), arguments.get("reason", ""))


PATHS = {
    "/echo": echo,
    "/chat": chat,
    "/time": time,
    "/late": late,
    "/kind": kind,
    "/bytes": bytes_,
    "/ping": ping,
    "/subprotocol": subprotocol,
    "/header": header,
    "/close": close,
}


def handle(socket):
    url = urlsplit(socket.request.path)
    arguments = {name: values[-1] for name, values in parse_qs(url.query).items()}
    activity = PATHS.get(url.path)
    if activity is None:
        socket.close(1008, f"no such path: {url.path}")
        return
    try:
        activity(socket, arguments)
    except ConnectionClosed:
        pass


server = serve(
    handle,
    "127.0.0.1",
    0,
    compression=None,
    max_size=256 * 1024 * 1024,
    process_request=refuse,
    # Without the list, websockets looks at no offer at all.
    subprotocols=["v2.chat"],
    select_subprotocol=choose,
)
print(f"listening {server.socket.getsockname()[1]}", flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
os._exit(0)
