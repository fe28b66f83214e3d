/// What kind of word stands somewhere on the command line: decides what a shell offers there.
package enum ValueKind: Hashable, Sendable {
    /// Free text; nothing is offered.
    case text
    /// An installed container.
    case container
    /// A container with a session in it.
    case running
    /// An image in the store.
    case image
    /// An image or a file: what `install` takes.
    case imageOrFile
    /// A file, or `NAME:PATH` inside a container.
    case containerPath
    case file
    case directory
    /// A program of this host.
    case program
    /// A command of this program.
    case topic
    /// These words are offered, others are accepted as well.
    case suggestion([String])
    /// Only these words are accepted.
    case choice([String])
}
