import Platform

/// A system library that is loaded on first use and is not there.
package enum MissingLibrary: UserFacing, Hashable {
    case crypto, curl

    package var message: String {
        switch self {
        case .crypto: "OpenSSL's libcrypto was not found; without it no image can be verified"
        case .curl: "libcurl was not found; without it nothing can be downloaded"
        }
    }

    package var hint: String? {
        switch self {
        case .crypto:
            "Install it: libssl3 (Debian), openssl-libs (Fedora), openssl (Arch, Termux), libcrypto3 (Alpine)."
        case .curl:
            "Install it: libcurl4 (Debian), libcurl (Fedora, Alpine, Termux), curl (Arch)."
        }
    }
}
