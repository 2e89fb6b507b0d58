"""Serves its environment as JSON on PORT, until SIGTERM; says in a file that it was told to end."""

import http.server
import json
import os
import signal
import sys

signal.alarm(120)


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({**os.environ, "pid": os.getpid(), "arguments": sys.argv[1:]}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def end(number, frame):
    with open(f"ended-{os.environ['PS']}", "w") as file:
        file.write(signal.Signals(number).name)
    os._exit(0)


signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGQUIT, end)
server = http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer)
print("serving", flush=True)
server.serve_forever()
