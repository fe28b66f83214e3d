/// What every request of this program has in common.
package struct HTTPSettings: Sendable {
    package var userAgent: String
    /// Milliseconds until a connection must stand.
    package var connectTimeout = 30_000
    /// Seconds that may pass without a byte.
    package var silence = 60
    /// Trusted certificates (`SSL_CERT_FILE`, `SSL_CERT_DIR`); `nil` leaves libcurl's own.
    package var caFile: String?
    package var caDirectory: String?
    private let openProxy: String
    private let secureProxy: String
    let proxyExceptions: String

    /// Reads certificates and proxies from `environment`, by the names that curl(1) knows.
    package init(version: String, environment: [String: String] = [:]) {
        func value(_ names: String...) -> String? {
            names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
        }
        userAgent = "chroot-distro/\(version)"
        caFile = value("SSL_CERT_FILE")
        caDirectory = value("SSL_CERT_DIR")
        // HTTP_PROXY is not among them: a web server sets it from what a client sends (CVE-2016-5385).
        openProxy = value("http_proxy", "all_proxy", "ALL_PROXY") ?? ""
        secureProxy = value("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY") ?? ""
        proxyExceptions = value("no_proxy", "NO_PROXY") ?? ""
    }

    /// The proxy on the way to `origin`, or nothing; for this machine there is none, since a proxy has a loopback of
    /// its own.
    func proxy(for origin: WebURL.Origin) -> String {
        if WebURL.isLoopback(origin.host) { return "" }
        return origin.isSecure ? secureProxy : openProxy
    }
}
