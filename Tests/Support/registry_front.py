#!/usr/bin/env python3
"""A small registry that serves an OCI layout and misbehaves as the first part of the repository says.

Usage: registry_front.py LAYOUT LOG. Prints its two ports; the second is "another host". Each request is one JSON line
in LOG. The image is always the tag `app` of the layout, whatever follows the first part of the name. Where the first
part begins with `up`, images can be pushed, and what was pushed is there. `/v2/search/repositories/` answers searches.
"""
import base64, collections, email.utils, hashlib, json, os, socket, struct, sys, threading, time, urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

layout, log_path = sys.argv[1], sys.argv[2]
counts = collections.Counter()
lock = threading.Lock()
tokens = {}
uploads = {}
pushed = collections.defaultdict(dict)
tags = collections.defaultdict(dict)
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
                 "if_range": self.headers.get("If-Range"), "content_range": self.headers.get("Content-Range"), "agent": self.headers.get("User-Agent"), **more}
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

    do_PUT = do_PATCH = do_DELETE = do_HEAD

    def do_GET(self):
        self.note(form=getattr(self, "form", None))
        path, _, query = self.path.partition("?")
        if path.startswith("http://"):
            path = "/" + path.split("/", 3)[3]  # Asked as a proxy.
        if path.startswith("/v2/search/repositories"):
            return self.search(urllib.parse.parse_qs(query))
        if path.startswith("/elsewhere-upload/"):
            return self.upload("upelsewhere", path.split("/")[2], query)
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
        if kind == "uploads":
            return self.upload(mode, name, query) if name else self.begin(mode, "/".join(parts[2:-3]), query)
        if mode.startswith("up"):
            return self.pushing(mode, repository, kind, name)
        if kind == "manifests":
            return self.manifest(mode, name)
        return self.layer(mode, name)

    def begin(self, mode, repository, query):
        if mode == "up401":
            return self.error(401, "UNAUTHORIZED", "who are you?")
        if mode == "up403":
            return self.error(403, "DENIED", "not yours\x1b[31m")
        if mode == "up405":
            return self.error(405, "UNSUPPORTED", "this is a mirror")
        if mode == "upnolocation":
            return self.answer(202)
        wanted = urllib.parse.parse_qs(query)
        if "mount" in wanted and mode != "upnomount":
            digest, donor = wanted["mount"][0], wanted["from"][0]
            if digest in pushed[donor]:
                pushed[repository][digest] = pushed[donor][digest]
                return self.answer(201, Location=f"/v2/{repository}/blobs/{digest}")
        name = hashlib.sha256(os.urandom(8)).hexdigest()
        uploads[name] = {"repository": repository, "bytes": bytearray()}
        location = f"/v2/{repository}/blobs/uploads/{name}?state=a%2Fb"
        if mode == "uprelative":
            location = f"{name}?state=x"
        if mode == "upelsewhere":
            location = f"http://127.0.0.1:{ports[1]}/elsewhere-upload/{name}?signature=s"
        more = {"OCI-Chunk-Min-Length": "700000"} if mode == "upchunks" else {}
        self.answer(202, Location=location, Range="0-0", **more)

    def upload(self, mode, name, query):
        upload = uploads.get(name)
        if self.command == "DELETE":
            uploads.pop(name, None)
            return self.answer(204)
        if upload is None or (mode == "upforget" and self.command == "GET"):
            return self.error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        kept, location = upload["bytes"], f"/v2/{upload['repository']}/blobs/uploads/{name}?state=next"
        if mode == "upelsewhere":
            location = f"http://127.0.0.1:{ports[1]}/elsewhere-upload/{name}?signature=s"
        if self.command == "GET":
            last = max(len(kept) - 1, 0) + (10**9 if mode == "upstatuslie" else 0)
            return self.answer(204, Location=location, Range=f"0-{last}")
        length = int(self.headers.get("Content-Length", 0))
        big = length > 4096
        refusals = {"up413": 413, "up500": 500, "upteapot": 418}
        if big and mode in refusals or (big and mode == "upflaky" and self.count("upflaky") <= 2):
            self.close_connection = True
            return self.error(refusals.get(mode, 503), "NO", "not this one")
        if big and mode == "up429" and self.count("up429") == 1:
            self.close_connection = True
            return self.error(429, "TOOMANYREQUESTS", "slow down", Retry_After="1")
        if big and mode == "up429long":
            self.close_connection = True
            return self.error(429, "TOOMANYREQUESTS", "slow down", Retry_After="7200")
        if big and (mode == "upwhole" and self.command == "PATCH" or mode in ("upchunks", "uprangelie") and self.command == "PUT"):
            self.close_connection = True
            return self.error(405, "UNSUPPORTED", "not in this way")
        if big and mode == "upredirect" and self.server.server_port != ports[1]:
            self.close_connection = True
            return self.answer(307, Location=f"http://127.0.0.1:{ports[1]}/elsewhere-upload/{name}?{query}")
        if mode == "upslow" and big:
            time.sleep(0.3)
        start = self.headers.get("Content-Range")
        if start is not None and int(start.split("-")[0]) != len(kept):
            self.close_connection = True
            return self.answer(416, Range=f"0-{max(len(kept) - 1, 0)}")
        if self.command == "PUT" and start is None and big:
            kept.clear()
        breaks = big and mode in ("updrop", "upforget", "upwhole", "upstatuslie") and self.count(("updrop", mode)) <= 2
        left = min(length, 300000) if breaks else length
        while left > 0:
            piece = self.rfile.read(min(left, 65536))
            if not piece:
                return
            kept.extend(piece)
            left -= len(piece)
        if breaks:
            return self.hang_up()
        if self.command == "PATCH":
            last = len(kept) - 1 + (5000 if mode == "uprangelie" else 0)
            return self.answer(202, Location=location, Range=f"0-{last}")
        digest = urllib.parse.parse_qs(query).get("digest", [""])[0]
        if digest != "sha256:" + hashlib.sha256(kept).hexdigest():
            return self.error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        del uploads[name]
        if mode != "uploses" or not len(kept) > 4096:
            pushed[upload["repository"]][digest] = bytes(kept)
        told = "sha256:" + "0" * 64 if mode == "updigestlie" else digest
        self.answer(201, Location=f"/v2/{upload['repository']}/blobs/{digest}", Docker_Content_Digest=told)

    def pushing(self, mode, repository, kind, name):
        if kind == "blobs":
            body = pushed[repository].get(name)
            if body is None and mode == "upheadlie":
                return self.answer(200, b"something else")
            if body is None:
                return self.error(404, "BLOB_UNKNOWN", "blob unknown")
            return self.answer(200, body, Docker_Content_Digest=name)
        if self.command == "PUT":
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            document = json.loads(body)
            parts = document.get("manifests", document.get("layers", []) + [document.get("config")])
            lacking = [part["digest"] for part in parts
                       if part["digest"] not in pushed[repository] and part["digest"] not in tags[repository]]
            if lacking or mode == "upbadmanifest":
                return self.error(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry")
            digest = "sha256:" + hashlib.sha256(body).hexdigest()
            for key in (name, digest):
                tags[repository][key] = (self.headers.get("Content-Type"), body)
            return self.answer(201, Docker_Content_Digest="sha256:" + "1" * 64 if mode == "upmanifestlie" else digest)
        if name not in tags[repository]:
            return self.error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        kind, body = tags[repository][name]
        self.answer(200, body, Content_Type=kind,
                    Docker_Content_Digest="sha256:" + hashlib.sha256(body).hexdigest())

    def search(self, wanted):
        query, size = wanted["query"][0], int(wanted["page_size"][0])
        if query == "broken":
            return self.answer(500)
        if query == "notjson":
            return self.answer(200, b"<html>")
        results = [{"repo_name": f"{query}{i}", "short_description": "A  thing\n\x1b[31mwith \u202e colours " + "x" * 100,
                    "star_count": 100 - i, "pull_count": 13300000000, "is_official": i == 0} for i in range(3)]
        if query == "wrong":
            results = [{"repo_name": "../../etc", "star_count": "many"}, {"star_count": 1}, "text", results[0]]
        self.answer(200, json.dumps({"count": 3, "results": results[:size]}).encode(), Content_Type="application/json")

    def challenge(self):
        # What has been sent and is not read must not be taken for the next request.
        self.close_connection = self.close_connection or self.command in ("PUT", "PATCH")
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
        if mode == "headless" and self.command == "HEAD":
            return self.error(405, "UNSUPPORTED", "GET alone")
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
