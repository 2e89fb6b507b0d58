"""A web server on $PORT that says hello and logs every request."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = f"Hello from devrun, process {os.getpid()}: you asked for {self.path}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        print(f"\033[32m{self.command}\033[0m {self.path}")


def main() -> None:
    port = int(os.environ.get("PORT", "5000"))
    with ThreadingHTTPServer(("127.0.0.1", port), Hello) as server:
        print(f"listening on \033[4mhttp://localhost:{port}\033[0m")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("closing the server")


if __name__ == "__main__":
    main()
