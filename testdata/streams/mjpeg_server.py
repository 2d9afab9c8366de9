#!/usr/bin/env python3
"""A camera for tests: MJPEG over HTTP (multipart/x-mixed-replace) on the loopback, 10 pictures a second.

    mjpeg_server.py [--port N] [--user NAME:PASSWORD --scheme basic|digest] [--tls CERTIFICATE.pem] FILE.jpg...

Serves /stream with the files in turn, over and over; /page, which is no stream; /elsewhere, which sends on to another host;
/silent, which begins and sends nothing more. Prints the port when it listens. Needs Python alone.
"""

import argparse
import base64
import hashlib
import http.server
import pathlib
import re
import ssl
import time

BOUNDARY = "picture"
REALM = "camera"
NONCE = "0f1e2d3c4b5a"


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


class Camera(http.server.BaseHTTPRequestHandler):
    """One request."""

    user = None
    scheme = "digest"
    pictures = []

    def log_message(self, *_):
        pass

    def is_allowed(self):
        if self.user is None:
            return True
        said = self.headers.get("Authorization", "")
        if self.scheme == "basic":
            return said == "Basic " + base64.b64encode(self.user.encode()).decode()
        name, password = self.user.split(":", 1)
        # RFC 2617 section 3.2.2, without and with qop=auth.
        parts = {key: a or b for key, a, b in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', said)}
        secret, request = md5(f"{name}:{REALM}:{password}"), md5(f"GET:{parts.get('uri')}")
        between = [parts.get(key, "") for key in ("nonce", "nc", "cnonce", "qop")]
        between = ":".join(between if parts.get("qop") else [parts.get("nonce", "")])
        return parts.get("username") == name and parts.get("response") == md5(f"{secret}:{between}:{request}")

    def answer(self, code, **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def do_GET(self):
        if not self.is_allowed():
            offer = {"basic": f'Basic realm="{REALM}"', "digest": f'Digest realm="{REALM}", nonce="{NONCE}", qop="auth"'}
            self.answer(401, WWW_Authenticate=offer[self.scheme], Content_Length="0")
        elif self.path == "/page":
            self.answer(200, Content_Type="text/html", Content_Length="5")
            self.wfile.write(b"hello")
        elif self.path == "/elsewhere":
            self.answer(302, Location=f"http://127.0.0.2:{self.server.server_port}/stream", Content_Length="0")
        elif self.path in ("/stream", "/silent"):
            self.answer(200, Content_Type=f"multipart/x-mixed-replace;boundary={BOUNDARY}")
            self.send()
        else:
            self.answer(404, Content_Length="0")

    def send(self):
        try:
            for number in range(1_000_000):
                picture = self.pictures[number % len(self.pictures)]
                head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                self.wfile.write(head.encode() + picture + b"\r\n")
                time.sleep(3600 if self.path == "/silent" else 0.1)
        except OSError:
            pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--user")
    parser.add_argument("--scheme", choices=["basic", "digest"], default="digest")
    parser.add_argument("--tls", help="a file with a certificate and its key")
    parser.add_argument("files", nargs="+", metavar="FILE.jpg")
    args = parser.parse_args()
    Camera.user, Camera.scheme = args.user, args.scheme
    Camera.pictures = [pathlib.Path(file).read_bytes() for file in args.files]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", args.port), Camera)
    server.daemon_threads = True
    if args.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(args.tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_port, flush=True)
    server.serve_forever()


main()
