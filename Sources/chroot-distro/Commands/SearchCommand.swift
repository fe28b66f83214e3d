import CLI
import OCI
import Platform

struct SearchCommand: Command {
    static let spec = CommandSpec(
        "search", aliases: ["find", "se"], summary: "Search Docker Hub for images", group: "Images",
        description: [
            "Lists images of Docker Hub for some words, the most popular first. It never asks to become root."
        ],
        operands: [Operand("WORDS", repeatable: true)],
        flags: ListingFormat.flags + [
            Flag("limit", short: "l", value: "N", help: "At most so many, 1 to 100 (default 25)")
        ],
        examples: [
            .init("chroot-distro search nextcloud"), .init("chroot-distro search -q --limit 5 debian"),
        ])

    private let words: String
    private let limit: Int
    private let format: ListingFormat

    init(_ arguments: ParsedArguments) throws(UsageError) {
        words = try arguments.operands("WORDS").joined(separator: " ")
        limit = try arguments.number("limit", in: 1...HubSearch.limit) ?? 25
        format = ListingFormat(arguments)
        if words.isEmpty { throw UsageError("search: nothing to search for", command: "search") }
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        let environment = context.caller.personal.texts
        let search = HubSearch(
            http: HTTPSettings(version: Program.version, environment: environment), environment: environment)
        let hits = try search.find(words, count: limit)
        if hits.isEmpty, format == .table {
            context.diagnostics.info("Docker Hub has nothing for \(Quoted(words)).")
            return .success
        }
        try context.print(hits.map(ListedHit.init), format)
        return .success
    }
}

/// An image that was found, in a list.
private struct ListedHit: Listed {
    let name: String
    let description: String
    let stars: Int64
    let pulls: Int64
    let official: Bool

    static let columns = [
        Column("NAME"), Column("STARS", .right), Column("PULLS", .right), Column("OFFICIAL"),
        Column("DESCRIPTION"),
    ]
    static let plural = "results"

    init(_ hit: HubSearch.Hit) {
        name = hit.name
        description = hit.description
        stars = hit.stars
        pulls = hit.pulls
        official = hit.isOfficial
    }

    var row: Row { Row([name, "\(stars)", Self.short(pulls), official ? "[OK]" : "", description]) }

    var word: String { name }

    /// Such as `13.3B`: thousands, millions, billions.
    private static func short(_ number: Int64) -> String {
        for (unit, letter) in [(Int64(1_000_000_000), "B"), (1_000_000, "M"), (1000, "K")]
        where number >= unit {
            let tenths = number / (unit / 10)
            return "\(tenths / 10).\(tenths % 10)\(letter)"
        }
        return "\(max(0, number))"
    }
}
