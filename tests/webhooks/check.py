"""Webhooks of a running Edgeboard, verified with `standardwebhooks` of PyPI.

EDGEBOARD_URL and EDGEBOARD_KEY (the operator's) say where. The tenant `webhooks-py` is used.
"""

import http.server
import json
import os
import queue
import threading
import urllib.request

from standardwebhooks import Webhook, WebhookVerificationError

URL, KEY = os.environ["EDGEBOARD_URL"], os.environ["EDGEBOARD_KEY"]
received: queue.Queue = queue.Queue()


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        received.put((dict(self.headers), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"X-API-Key": KEY, "X-Tenant-ID": "webhooks-py", "Content-Type": "application/json"}
    request = urllib.request.Request(URL + path, data, headers, method=method)
    with urllib.request.urlopen(request) as response:
        text = response.read()
        return json.loads(text) if text else None


def is_signed_by(secret, headers, body):
    try:
        return Webhook(secret).verify(body, headers) == json.loads(body)
    except WebhookVerificationError:
        return False


def next_message():
    """Runs deliveries until the receiver has the next message."""
    for _ in range(50):
        call("POST", "/internal/webhooks/tick")
        try:
            return received.get(timeout=0.2)
        except queue.Empty:
            pass
    raise SystemExit("no message arrived")


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
api = "/api/v1"
call("PUT", f"{api}/leaderboards/goals", {})
hook = {"url": f"http://127.0.0.1:{server.server_port}/", "events": ["score.accepted"]}
first = call("PUT", f"{api}/webhooks/check", hook)["secret"]

call("POST", f"{api}/webhooks/check/ping")
headers, body = received.get(timeout=10)
assert is_signed_by(first, headers, body), "the ping"

call("POST", f"{api}/leaderboards/goals/scores", {"player": "José", "score": 2**53})
headers, body = next_message()
assert is_signed_by(first, headers, body), "the score"
assert not is_signed_by(first, headers, body.replace(b"goals", b"g0als")), "a changed body"
assert not is_signed_by("whsec_" + "A" * 43 + "=", headers, body), "another secret"
event = json.loads(body)
assert event["specversion"] == "1.0" and event["type"] == "edgeboard.score.accepted", event
assert event["data"]["player"] == "José" and event["data"]["values"] == [str(2**53)], event

second = call("POST", f"{api}/webhooks/check/rotate", {"overlap_s": 60})["secret"]
call("POST", f"{api}/leaderboards/goals/scores", {"player": "ann", "score": 1})
headers, body = next_message()
assert is_signed_by(first, headers, body) and is_signed_by(second, headers, body), "during the rotation"

third = call("POST", f"{api}/webhooks/check/rotate", {"overlap_s": 0})["secret"]
call("POST", f"{api}/leaderboards/goals/scores", {"player": "bob", "score": 1})
headers, body = next_message()
assert is_signed_by(third, headers, body) and not is_signed_by(second, headers, body), "after the rotation"
call("DELETE", f"{api}/webhooks/check")
call("DELETE", f"{api}/leaderboards/goals")
print("standardwebhooks (PyPI): verified")
