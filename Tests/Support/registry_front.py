#!/usr/bin/env python3
"""A small registry that serves an OCI layout and misbehaves as the first part of the repository says.

Usage: registry_front.py LAYOUT LOG. Prints its two ports; the second is "another host". Each request is one JSON line
in LOG. The image is always the tag `app` of the layout, whatever follows the first part of the name.
"""
import base64, collections, email.utils, hashlib, json, os, socket, struct, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

layout, log_path = sys.argv[1], sys.argv[2]
counts = collections.Counter()
lock = threading.Lock()
tokens = {}
PASSWORD = "Basic " + base64.b64encode(b"user:secret").decode()


def blob(digest):
    with open(os.path.join(layout, "blobs", *digest.split(":")), "rb") as file:
        return file.read()


def top():
    with open(os.path.join(layout, "index.json")) as file:
        return json.load(file)["manifests"][0]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "front"

    def log_message(self, *arguments):
        pass

    def note(self, **more):
        entry = {"method": self.command, "path": self.path, "port": self.server.server_port,
                 "authorization": self.headers.get("Authorization"), "range": self.headers.get("Range"),
                 "if_range": self.headers.get("If-Range"), "agent": self.headers.get("User-Agent"), **more}
        with lock, open(log_path, "a") as file:
            file.write(json.dumps(entry) + "\n")

    def count(self, key):
        with lock:
            counts[key] += 1
            return counts[key]

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def error(self, status, code, message, **headers):
        body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
        self.answer(status, body, Content_Type="application/json", **headers)

    def hang_up(self):
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def do_HEAD(self):
        self.do_GET()

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        self.form = self.rfile.read(length).decode()
        self.do_GET()

    def do_GET(self):
        self.note(form=getattr(self, "form", None))
        path, _, query = self.path.partition("?")
        if path.startswith("http://"):
            path = "/" + path.split("/", 3)[3]  # Asked as a proxy.
        if path == "/token":
            return self.token(query + "&" + getattr(self, "form", ""))
        if path.startswith("/file/"):
            return self.file(path[6:])
        if path.startswith("/elsewhere/"):
            return self.send_blob("elsewhere", path.split("/")[2])
        if path.startswith("/stray/"):
            return self.challenge()
        if path == "/v2/":
            return self.challenge() if self.server.server_port == ports[2] else self.answer(200, b"{}")
        parts = path.split("/")
        kind, name, repository = parts[-2], parts[-1], "/".join(parts[2:-2])
        mode = repository.split("/")[0]
        if self.server.server_port == ports[2] or mode == "late":
            if mode == "denied" or not self.is_known():
                return self.challenge()
        if kind == "manifests":
            return self.manifest(mode, name)
        return self.layer(mode, name)

    def challenge(self):
        realm = f"http://127.0.0.1:{ports[2]}/token"
        self.error(401, "UNAUTHORIZED", "authentication required",
                   WWW_Authenticate=f'Bearer realm="{realm}",service="front"')

    def is_known(self):
        value = self.headers.get("Authorization") or ""
        left = tokens.get(value.removeprefix("Bearer "), 0)
        tokens[value.removeprefix("Bearer ")] = left - 1
        return left > 0

    def token(self, query):
        given = self.headers.get("Authorization")
        if given is not None and given != PASSWORD:
            return self.error(401, "UNAUTHORIZED", "bad password")
        if "refresh_token" in query and "refresh_token=identity" not in query:
            return self.error(401, "UNAUTHORIZED", "bad identity")
        token = hashlib.sha256(os.urandom(8)).hexdigest()
        tokens[token] = 2 if "shortlived" in query else 1000
        self.answer(200, json.dumps({"token": token, "expires_in": 300}).encode())

    def manifest(self, mode, name):
        descriptor = top()
        if mode == "private401":
            return self.error(401, "UNAUTHORIZED", "access to the requested resource is not authorized")
        if mode == "denied403":
            return self.error(403, "DENIED", "requested access to the resource is denied\x1b[31m")
        if mode == "missing" or name == "nosuchtag":
            return self.error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        if mode == "limited" and self.count(self.path) == 1:
            return self.error(429, "TOOMANYREQUESTS", "slow down", Retry_After="1")
        if mode == "limiteddate" and self.count(self.path) == 1:
            return self.error(429, "TOOMANYREQUESTS", "slow down",
                              Retry_After=email.utils.formatdate(time.time() + 1, usegmt=True))
        if mode == "exhausted":
            return self.error(429, "TOOMANYREQUESTS", "slow down", Retry_After="7200")
        if mode == "flaky" and self.count(self.path) <= 2:
            return self.error(503, "UNAVAILABLE", "try later")
        if mode == "broken":
            return self.error(500, "UNKNOWN", "out of order")
        if mode == "oversized":
            return self.answer(200, b"{" + b" " * (17 << 20) + b"}", Content_Type=descriptor["mediaType"])
        if mode == "notjson":
            return self.answer(200, b"<html>welcome</html>", Content_Type="text/html")
        if mode == "schema1":
            return self.answer(200, b'{"schemaVersion":1}',
                               Content_Type="application/vnd.docker.distribution.manifest.v1+prettyjws")
        if mode == "loop":
            return self.answer(302, Location=self.path)
        digest = name if ":" in name else descriptor["digest"]
        body = blob(digest)
        if mode == "forged":
            body = body.replace(b"{", b"{ ", 1)
        self.answer(200, body, Content_Type=json.loads(blob(digest)).get("mediaType", descriptor["mediaType"]),
                    Docker_Content_Digest=digest)

    def layer(self, mode, name):
        if mode == "redirect" or mode == "tokenredirect":
            return self.answer(307, Location=f"http://127.0.0.1:{ports[1]}/elsewhere/{name}")
        if mode == "stray":
            return self.answer(307, Location=f"http://127.0.0.1:{ports[1]}/stray/{name}")
        if mode == "nolayer" and len(blob(name)) > 4096:
            return self.error(404, "BLOB_UNKNOWN", "blob unknown")
        self.send_blob(mode, name)

    def send_blob(self, mode, name):
        body = blob(name)
        big = len(body) > 4096
        if mode == "wrong" and big:
            body = body[:-1] + bytes([body[-1] ^ 1])
        if mode == "long" and big:
            body += b"more"
        if mode == "short" and big:
            body = body[:-1000]
        start = 0
        wanted = self.headers.get("Range")
        if wanted and mode != "norange":
            start = int(wanted.split("=")[1].split("-")[0])
            if mode == "wrongrange":
                start = 0
            if start >= len(body):
                return self.answer(416, Content_Range=f"bytes */{len(body)}")
        self.send_response(206 if start or (wanted and mode != "norange") else 200)
        self.send_header("Content-Length", str(len(body) - start))
        if wanted and mode != "norange":
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.end_headers()
        if mode in ("drop", "norange", "wrongrange") and big and self.count(("drop", mode, self.path)) <= 2:
            self.wfile.write(body[start:start + 300000])
            time.sleep(0.05)
            return self.hang_up()
        if mode == "deaf" and big:
            return time.sleep(60)
        if mode == "slow" and big:
            for position in range(start, len(body), 100000):
                self.wfile.write(body[position:position + 100000])
                time.sleep(0.05)
            return
        self.wfile.write(body[start:])

    def file(self, name):
        body = blob(top()["digest"]) if name == "small" else bytes(i * 7 % 251 for i in range(1000)) * 1000
        tag = '"two"' if name == "changing" and self.count("changing") > 1 else '"one"'
        if name == "changing" and tag == '"two"':
            body = body[::-1]
        if name == "gone":
            return self.answer(404)
        if name == "moved":
            return self.answer(302, Location="/file/plain")
        start = 0
        wanted = self.headers.get("Range")
        if wanted and self.headers.get("If-Range") in (None, tag):
            start = int(wanted.split("=")[1].split("-")[0])
        end = min(start + 300000, len(body)) if name == "pieces" and start else len(body)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(end - start))
        if name != "untagged":
            self.send_header("ETag", tag)
        if start:
            told = 0 if name == "wrongpart" else start
            self.send_header("Content-Range", f"bytes {told}-{end - 1}/{len(body)}")
        self.end_headers()
        once = name in ("dropping", "changing", "pieces", "wrongpart") and self.count(("file", name)) == 1
        if once or name in ("untagged", "breaking"):
            self.wfile.write(body[:400000])
            time.sleep(0.05)
            return self.hang_up()
        self.wfile.write(body[start:end])


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *arguments):
        pass


servers = [Server(("127.0.0.1", 0), Handler) for _ in range(3)]
ports = [server.server_port for server in servers]
for server in servers:
    threading.Thread(target=server.serve_forever, daemon=True).start()
print(*ports, flush=True)
sys.stdin.read()  # Ends with whoever started it.
