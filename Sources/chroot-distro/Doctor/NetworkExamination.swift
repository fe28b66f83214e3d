import Platform
import Store

/// How names are resolved; containers get a copy of it.
enum NetworkExamination {
    static func findings() -> [Finding] {
        [
            resolver(HostText.text("/etc/resolv.conf"), given: GuestFiles.hostResolverConfiguration()),
            hosts(HostText.text("/etc/hosts")),
        ]
    }

    static func resolver(_ text: String?, given: String) -> Finding {
        let id = "network.resolver"
        let servers = servers(in: given).joined(separator: ", ")
        guard let text else {
            return Finding(
                id, .warning, "/etc/resolv.conf is missing or leads nowhere; containers get \(servers)",
                because: "the host itself cannot resolve names",
                remedy: "Start the service that writes it, or write it.")
        }
        if self.servers(in: text).isEmpty {
            return Finding(
                id, .note, "/etc/resolv.conf names no server; containers get \(servers)",
                because: "a server that only the host knows is not asked")
        }
        return Finding(id, .ok, "containers resolve names by \(servers)")
    }

    static func servers(in text: String) -> [String] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split { $0 == " " || $0 == "\t" }
            return words.count > 1 && words[0] == "nameserver" ? Quoted(String(words[1])).description : nil
        }
    }

    static func hosts(_ text: String?) -> Finding {
        let names = (text ?? "").split(separator: "\n").filter { !$0.hasPrefix("#") }.flatMap { line in
            line.split { $0 == " " || $0 == "\t" }.dropFirst()
        }
        if names.contains("localhost") { return Finding("network.hosts", .ok, "/etc/hosts knows localhost") }
        return Finding(
            "network.hosts", .note, "/etc/hosts does not know localhost",
            because: "some programs of the host look it up; containers have a file of their own",
            remedy: "echo '127.0.0.1 localhost' >>/etc/hosts")
    }
}
