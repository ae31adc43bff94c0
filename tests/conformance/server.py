"""The fuzzing server of the Autobahn|Testsuite on loopback; Python 2.7.

usage: server.py LIB SPEC.json MESSAGES      MESSAGES: per case in the compression groups 12 and 13
"""
import json
import site
import sys

lib, spec, messages = sys.argv[1:]
site.addsitedir(lib)
sys.path.insert(0, lib)
import autobahntestsuite  # noqa: puts its own folder on sys.path
from autobahntestsuite import choosereactor  # noqa: before twisted.internet.reactor
from autobahntestsuite import fuzzing
from twisted.internet import reactor

for case in fuzzing.Cases:
    if hasattr(case, "COUNT"):
        case.COUNT = int(messages)

# The stock server listens on all interfaces whatever the URL says.
listen = fuzzing.listenWS
fuzzing.listenWS = lambda factory, context=None: listen(
    factory, context, backlog=256, interface="127.0.0.1"
)
fuzzing.startServer(json.load(open(spec)), 0)
reactor.run()
