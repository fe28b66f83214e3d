import Platform

/// Asks a registry whether it knows somebody.
package struct RegistryLogin {
    private let http: HTTPSettings
    private let registries: RegistriesConfiguration
    private let retry: RetryPolicy

    /// The retries are those of `environment`.
    package init(http: HTTPSettings, registries: RegistriesConfiguration, environment: [String: String]) {
        self.http = http
        self.registries = registries
        retry = RetryPolicy(environment: environment)
    }

    /// Throws unless the registry takes the user name and password; false when it asks nobody for one.
    ///
    /// `source` names where they come from, for the error.
    package func check(user: String, _ password: Secret, at registry: String, source: String) throws -> Bool {
        guard let endpoint = registries.endpoints(of: registry).last else { throw MissingLibrary.curl }
        let client = RegistryClient(
            endpoint, settings: http, credentials: CredentialSource(environment: [:]),
            retry: retry)
        let image = try Reference("\(registry)/library/login")
        try client.meet(image)
        guard let challenge = client.challenge, let base = client.base else { return false }
        let credential = Credential.password(user: user, password)
        var request: HTTPRequest
        if challenge.scheme == "bearer" {
            request = try client.tokenRequest(challenge, [], credential)
        } else {
            request = try client.ping(base)
            request.authorization = credential.basic
        }
        let answer = try client.patiently(request)
        switch answer.head.status {
        case 200..<300: return true
        case 400, 401, 403: throw RegistryError.wrongPassword(registry: registry, source: source)
        default: throw try client.error(answer.head, answer.body, image)
        }
    }
}
