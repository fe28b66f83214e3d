import Platform

/// Something that is listed: a line of a table, a word, or an object of a JSON document.
package protocol Listed: Encodable {
    static var columns: [Column] { get }
    /// The key of the list in the JSON document, such as `containers`.
    static var plural: String { get }
    /// The number of the JSON document's form; raised when a key goes or changes its meaning.
    static var schema: Int { get }

    var row: Row { get }
    /// What `--quiet` leaves of it.
    var word: String { get }
}

extension Listed {
    /// The first form.
    package static var schema: Int { 1 }
}

/// How a list is to be written.
package enum ListingFormat: Hashable, Sendable {
    case table, quiet, json

    /// The flags by which every listing command lets one choose.
    package static let flags = [
        Flag("quiet", short: "q", group: "format", help: "Print only one word for each, one per line"),
        Flag("json", group: "format", help: "Print a JSON document"),
    ]

    /// What `arguments` chose by those flags.
    package init(_ arguments: ParsedArguments) {
        self = arguments.isSet("json") ? .json : arguments.isSet("quiet") ? .quiet : .table
    }
}

/// A list, and the one place that knows every format.
package struct Listing<Item: Listed> {
    /// In the order in which they are listed.
    package let items: [Item]

    package init(_ items: [Item]) { self.items = items }

    /// The list as text, every line ended; a `width` is given when a screen will show it.
    package func render(_ format: ListingFormat, width: Int? = nil, style: Style = .plain) throws -> String {
        switch format {
        case .table: Table(Item.columns, items.map(\.row)).text(width: width, style: style)
        case .quiet: items.map { Quoted($0.word).description + "\n" }.joined()
        case .json: try JSONListing.text(items, plural: Item.plural, schema: Item.schema)
        }
    }
}
