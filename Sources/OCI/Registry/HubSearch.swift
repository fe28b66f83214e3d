import CTransport
import Platform

/// Searches Docker Hub for images.
package struct HubSearch {
    /// An image that was found; strangers write what is in it.
    package struct Hit: Hashable, Sendable {
        /// As one may install it.
        package let name: String
        /// In one line.
        package let description: String
        package let stars: Int64
        package let pulls: Int64
        package let isOfficial: Bool
    }

    /// The most that one answer has.
    package static let limit = 100

    private let http: HTTPSettings
    private let retry: RetryPolicy
    private let server: String

    /// `CD_HUB_URL` in `environment` names another server that speaks like Docker Hub.
    package init(http: HTTPSettings, environment: [String: String]) {
        self.http = http
        retry = RetryPolicy(environment: environment)
        server = environment["CD_HUB_URL"].flatMap { $0.isEmpty ? nil : $0 } ?? "https://hub.docker.com"
    }

    /// The first `count` images for some words, the most popular first; what has no name that can be installed is left
    /// out.
    package func find(_ words: String, count: Int) throws -> [Hit] {
        let query = "query=\(WebURL.escape(words))&page_size=\(min(max(count, 1), Self.limit))&page=1"
        guard let url = WebURL("\(server)/v2/search/repositories/?\(query)") else {
            throw RegistryError.badAnswer(host: server, problem: "its name makes no URL")
        }
        let body = try fetch(url)
        let answer = try JSON.decode(Answer.self, from: body, name: "the answer of \(url.origin.authority)")
        return answer.results.compactMap(\.hit).prefix(count).map { $0 }
    }

    private func fetch(_ first: WebURL) throws -> [UInt8] {
        let handle = try HTTPHandle(http)
        var request = HTTPRequest(url: first, headers: [("Accept", "application/json")], total: 60)
        var failures = 0
        var hops = 0
        while true {
            do {
                let answer = try handle.exchange(request, limit: 8 << 20)
                if answer.head.isRedirect, hops < 4 {
                    hops += 1
                    request = try RegistryClient.redirected(request, answer.head)
                    continue
                }
                guard answer.isWhole else { throw DocumentError.tooLarge(first.origin.authority) }
                if answer.head.isSuccess { return answer.body }
                let wait = RetryPolicy.retryAfter(answer.head)
                failures += 1
                guard retry.isWorthAnotherTry(status: answer.head.status), failures <= retry.retries,
                    wait ?? 0 <= retry.patience
                else { throw refusal(answer.head, answer.body, first) }
                RetryPolicy.sleep(max(Double(wait ?? 0), retry.pause(before: failures)))
            } catch let failure as HTTPFailure {
                failures += 1
                guard retry.isWorthAnotherTry(failure), failures <= retry.retries else {
                    throw RegistryError(failure, host: first.origin.authority)
                }
                RetryPolicy.sleep(retry.pause(before: failures))
            }
        }
    }

    private func refusal(_ head: HTTPHead, _ body: [UInt8], _ url: WebURL) -> RegistryError {
        if head.status == 429 {
            return .rateLimited(registry: url.origin.authority, wait: RetryPolicy.retryAfter(head))
        }
        return .refused(
            host: url.origin.authority, status: head.status, said: RegistryError.saidBy(body).text)
    }

    private struct Answer: Decodable {
        let results: [Result]

        private enum Key: String, CodingKey { case results }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: Key.self)
            results = try values.decodeIfPresent([Result].self, forKey: .results) ?? []
        }
    }

    /// One result, of which any part may be missing or something else.
    private struct Result: Decodable {
        let hit: Hit?

        private enum Key: String, CodingKey {
            case repo_name, short_description, star_count, pull_count, is_official
        }

        init(from decoder: any Decoder) throws {
            guard let values = try? decoder.container(keyedBy: Key.self),
                let name = try? values.decode(String.self, forKey: .repo_name),
                let reference = try? Reference(name), reference.registry == Reference.hub
            else {
                hit = nil
                return
            }
            let text = (try? values.decodeIfPresent(String.self, forKey: .short_description)) ?? ""
            hit = Hit(
                name: name, description: text.split(whereSeparator: \.isWhitespace).joined(separator: " "),
                stars: (try? values.decodeIfPresent(Int64.self, forKey: .star_count)) ?? 0,
                pulls: (try? values.decodeIfPresent(Int64.self, forKey: .pull_count)) ?? 0,
                isOfficial: (try? values.decodeIfPresent(Bool.self, forKey: .is_official)) ?? false)
        }
    }
}
