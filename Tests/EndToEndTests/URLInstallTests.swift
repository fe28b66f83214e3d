import Libc
import Platform
import TestSupport
import Testing

@Suite(
    "install from an address", .scratch, .needsRoot, .needsFile("/bin/busybox"),
    .needsProgram("python3", "gzip"))
struct URLInstallTests {
    @Test(
        "takes a root file system or an image, and names it after the file",
        arguments: ["box.tar.gz", "image.tar"])
    func whole(_ file: String) throws {
        let program = Program()
        try FileServer.with { server in
            try program.succeed("install", server.url("whole/\(file)?download=1"))
            try program.succeed("install", server.url("moved/\(file)"), "--name", "moved")
        }
        #expect(try program.names().contains("moved"))
        #expect(try program.inside(file == "image.tar" ? "image" : "box", "echo in") == "in")
        try expectNothingLeft(of: program)
    }

    @Test(
        "goes on where a connection broke, or begins again where that cannot be",
        arguments: ["drops", "forgets"])
    func broken(_ mode: String) throws {
        let program = Program()
        try FileServer.with { server in
            try program.succeed("install", server.url("\(mode)/box.tar.gz"))
            let ranges = try server.requests().filter { $0.contains("bytes=") }
            #expect(ranges.count == 1)
        }
        #expect(try program.inside("box", "echo in") == "in")
        try expectNothingLeft(of: program)
    }

    @Test("goes on where a killed command left off")
    func killed() throws {
        let program = Program()
        try FileServer.with { server in
            let process = try program.start("install", server.url("stalls/box.tar.gz"))
            _ = try Run.shell(
                "for i in $(seq 500); do [ -z \"$(find \"$1/cache\" -name '*.part' -size +100k 2>/dev/null)\" ] || break; sleep 0.02; done",
                Scratch.path.rawValue)
            process.signalGroup(SIGKILL)
            _ = try process.finish()
            #expect(try program.names().isEmpty)
            try program.succeed("install", server.url("stalls/box.tar.gz"))
            #expect(try server.requests().last?.contains("bytes=") == true)
        }
        #expect(try program.inside("box", "echo in") == "in")
        try expectNothingLeft(of: program)
    }

    @Test("is refused in one line when there is no archive to be had")
    func refused() throws {
        var program = Program()
        program.environment["CD_DOWNLOAD_MAX_RETRIES"] = "1"
        try FileServer.with { server in
            try program.refuse(
                "install", server.url("whole/nothing.tar"), naming: ["nothing.tar", "does not exist"])
            try program.refuse("install", server.url("page/box.tar.gz"), naming: ["box.tar.gz"])
            try program.refuse("install", server.url("broken/box.tar.gz"), naming: ["box.tar.gz", "500"])
            try program.refuse("install", server.url("short/box.tar.gz"), naming: ["127.0.0.1"])
        }
        try program.refuse("install", "http://\(Registry.nobody)/box.tar", naming: [Registry.nobody])
        try expectNothingLeft(of: program)
    }

    @Test("goes through the proxy of the environment", arguments: ["http_proxy", "all_proxy"])
    func proxy(_ variable: String) throws {
        var program = Program()
        try FileServer.with { server in
            program.environment[variable] = server.url("")
            try program.succeed("install", "http://files.invalid/whole/box.tar.gz")
            #expect(try server.requests().contains { $0.hasPrefix("http://files.invalid/whole/box.tar.gz") })
        }
        #expect(try program.names() == ["box"])
    }

    /// Expects the cache to be without what a download leaves.
    private func expectNothingLeft(of program: Program) throws {
        let left = try Run.shell("find \"$1/cache\" -name 'url_*'", program.directory.rawValue)
        #expect(left.isEmpty, "\(left)")
    }
}

/// A web server whose first directory says how it behaves; it is a proxy too.
private struct FileServer {
    private let port: UInt16
    private let log: HostPath

    func url(_ path: String) -> String { "http://127.0.0.1:\(port)/\(path)" }

    /// What was asked for: path and range, one line each.
    func requests() throws -> [Substring] { try Run.shell("cat \"$1\"", log.rawValue).split(separator: "\n") }

    static func with(_ body: (FileServer) throws -> Void) throws {
        let files = Scratch.path / "files"
        try Run.succeeding("mkdir", ["-p", files.rawValue])
        _ = try BusyboxImage.rootfsArchive(in: files, name: "box.tar")
        try Run.succeeding("gzip", ["-1", (files / "box.tar").rawValue])
        try BusyboxImage.layout(in: Scratch.path, name: "served").pack(as: files / "image.tar")
        let log = Scratch.path / "server.log"
        let process = try Running.start("python3", ["-c", script, files.rawValue, log.rawValue])
        let port = try #require(UInt16(try process.read(until: "\n").dropLast()))
        try body(FileServer(port: port, log: log))
        process.signal(SIGTERM)
        _ = try process.finish()
    }

    private static let script = """
        import collections, http.server, os, sys, time
        files, log = sys.argv[1:]
        seen = collections.Counter()

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *words): pass

            def head(self, status, length, **more):
                self.send_response(status)
                self.send_header("Content-Length", str(length))
                for name, value in more.items(): self.send_header(name.replace("_", "-"), value)
                self.end_headers()

            def do_GET(self):
                wanted = self.headers.get("Range")
                with open(log, "a") as file: print(self.path, wanted, file=file)
                path = self.path.split("?")[0]
                if path.startswith("http://"): path = "/" + path.split("/", 3)[3]
                mode, name = path.split("/")[1:]
                seen[mode] += 1
                if mode == "moved": return self.head(302, 0, Location="/whole/" + name)
                if mode == "broken": return self.head(500, 0)
                if not os.path.exists(os.path.join(files, name)): return self.head(404, 0)
                body = open(os.path.join(files, name), "rb").read()
                if mode == "page": body = b"<html>Welcome</html>" * 100
                start, end = 0, len(body)
                if mode == "short": end //= 2
                if mode in ("drops", "forgets", "stalls") and seen[mode] == 1: end //= 2
                if wanted and mode in ("drops", "stalls"):
                    start = int(wanted.split("=")[1].split("-")[0])
                    self.head(206, len(body) - start, ETag='"one"',
                              Content_Range=f"bytes {start}-{len(body) - 1}/{len(body)}")
                elif mode == "short":
                    self.head(200, len(body))
                else:
                    self.head(200, len(body), ETag='"one"')
                self.wfile.write(body[start:end])
                self.wfile.flush()
                if mode == "stalls" and seen[mode] == 1: time.sleep(20)

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        print(server.server_port, flush=True)
        server.serve_forever()
        """
}
