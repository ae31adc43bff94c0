#!/usr/bin/env python3
"""Runs a client through every case of the Autobahn|Testsuite, one process a case."""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time

CASES = 517
LOOPED = re.compile(rb'"type":"message".*"direction":"in"')
HERE = pathlib.Path(__file__).parent


def certificate(folder):
    """A certificate for the server, made by openssl."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    if not cert.exists():
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
             "-keyout", str(key), "-out", str(cert)],
            check=True, stderr=subprocess.DEVNULL)
    return key, cert


class Server:
    def __init__(self, a, mode):
        self.out = pathlib.Path(a.out).resolve() / mode
        self.out.mkdir(parents=True, exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        scheme = mode.split("-")[0]
        self.base = f"{scheme}://127.0.0.1:{port}"
        spec = {"url": self.base, "outdir": str(self.out / "reports"), "cases": ["*"],
                "exclude-cases": [], "exclude-agent-cases": {}}
        if scheme == "wss":
            spec["key"], spec["cert"] = map(str, certificate(self.out))
        (self.out / "spec.json").write_text(json.dumps(spec))
        self.process = subprocess.Popen(
            [a.python2, str(HERE / "server.py"), a.lib, str(self.out / "spec.json"), str(a.messages)],
            stdout=open(self.out / "server.log", "wb"), stderr=subprocess.STDOUT,
            start_new_session=True)
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"the server did not start: see {self.out}/server.log")
                time.sleep(0.1)

    def stop(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)


def ask(client, url):
    """What a control URL of the server answers, through the client itself."""
    done = subprocess.run([*client, "-q", "-k", url], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, timeout=300)
    return done.stdout.decode()


def loop(process):
    """Every received message goes back to the client's input as it was printed."""
    lines, space = collections.deque(), threading.Condition()

    def write():
        try:
            while True:
                with space:
                    space.wait_for(lambda: lines)
                    line = lines.popleft()
                if line is None:
                    return process.stdin.close()
                process.stdin.write(line)
                process.stdin.flush()
        except OSError:
            pass

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    for line in process.stdout:
        if LOOPED.search(line):
            with space:
                lines.append(line)
                space.notify()
    with space:
        lines.append(None)
        space.notify()
    writer.join(5)


def case(client, mode, url):
    """-> the exit code, or None for a client that had to be killed."""
    if mode.endswith("echo"):
        command, stdin, stdout = ["--echo"], subprocess.DEVNULL, subprocess.DEVNULL
    else:
        command, stdin, stdout = ["--json", "--input", "json"], subprocess.PIPE, subprocess.PIPE
    process = subprocess.Popen([*client, "-k", *command, url], stdin=stdin, stdout=stdout,
                               stderr=subprocess.DEVNULL)
    killed = []
    timer = threading.Timer(120, lambda: (killed.append(1), process.kill()))
    timer.start()
    if stdin == subprocess.PIPE:
        loop(process)
    code = process.wait()
    timer.cancel()
    return None if killed else code


def judge(index, agent, codes):
    """-> what is wrong, a line each."""
    cases = index.get(agent, {})
    wrong = [] if len(cases) >= CASES else [f"only {len(cases)} of {CASES} cases ran"]
    for name, result in sorted(cases.items()):
        if result["behavior"] not in ("OK", "INFORMATIONAL"):
            wrong.append(f"{name}: {result['behavior']}")
        elif result["behaviorClose"] not in ("OK", "INFORMATIONAL"):
            wrong.append(f"{name}: closing was {result['behaviorClose']}")
        elif name in codes and result["remoteCloseCode"] != codes[name]:
            wrong.append(f"{name}: closed with {result['remoteCloseCode']}, not {codes[name]}")
    return wrong


def run(a, mode):
    server, started = Server(a, mode), time.monotonic()
    client, agent = [os.path.abspath(a.client)], f"wstap-{mode}"
    try:
        count = int(ask(client, server.base + "/getCaseCount"))
        urls = [f"{server.base}/runCase?case={n}&agent={agent}" for n in range(1, count + 1)]
        with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
            codes = list(pool.map(lambda url: case(client, mode, url), urls))
        ask(client, f"{server.base}/updateReports?agent={agent}")
    finally:
        server.stop()
    index = json.loads((server.out / "reports" / "index.json").read_text())
    expected = json.loads((HERE / "close-codes.json").read_text())
    wrong = judge(index, agent, expected)
    wrong += [f"case number {n}: had to be killed" for n, code in enumerate(codes, 1) if code is None]
    took = time.monotonic() - started
    print(f"{mode}: {count} cases, {len(wrong)} wrong, {took:.0f} s", flush=True)
    for line in wrong:
        print(f"  {line}")
    return not wrong


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--python2", required=True)
parser.add_argument("--lib", required=True)
parser.add_argument("--client", required=True)
parser.add_argument("--out", required=True)
parser.add_argument("--jobs", type=int, default=4)
parser.add_argument("--messages", type=int, default=20)
parser.add_argument("modes", nargs="*", default=["ws-echo", "ws-loop", "wss-echo", "wss-loop"])
arguments = parser.parse_args()
sys.exit(not all([run(arguments, mode) for mode in arguments.modes]))
