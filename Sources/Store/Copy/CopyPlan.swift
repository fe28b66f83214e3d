import Platform

/// Under which name what is copied arrives; computed from what was found, before anything is touched.
package struct CopyPlan: Hashable, Sendable {
    /// How the destination was meant.
    package enum Arrival: Hashable, Sendable {
        /// The destination is its new name.
        case asNamed
        /// The destination is a directory, in which it gets this name.
        case into(RawString)
        /// The destination is a directory, which takes what is in the source.
        case contents
    }

    package let request: CopyRequest
    package let arrival: Arrival

    /// `source` and `destination` are what was found at the two places, after links were followed where they are.
    package init(
        _ request: CopyRequest, source: FileStatus.Kind, destination: FileStatus.Kind?
    ) throws(CopyError) {
        self.request = request
        try Self.check(request, source)
        arrival = try Self.arrival(request, source, destination)
    }

    private static func check(_ request: CopyRequest, _ source: FileStatus.Kind) throws(CopyError) {
        switch source {
        case .directory:
            if case .copy(isRecursive: false) = request.manner { throw .isDirectory(request.source) }
        case .regular, .symbolicLink:
            if request.source.namesDirectory { throw .notDirectory(request.source) }
            if request.deletes { throw .deletesForFile(request.source) }
        case .characterDevice, .blockDevice, .fifo, .socket, .other: throw .special(request.source)
        }
        if request.isMove, request.source.ownName == nil { throw .nothingToMove(request.source) }
    }

    private static func arrival(
        _ request: CopyRequest, _ source: FileStatus.Kind, _ destination: FileStatus.Kind?
    ) throws(CopyError) -> Arrival {
        switch destination {
        case .directory:
            if request.isSync, source == .directory { return .contents }
            return request.source.ownName.map { .into($0) } ?? .contents
        case nil:
            if source != .directory, request.destination.namesDirectory {
                throw .noDirectory(request.destination)
            }
        case .regular, .symbolicLink:
            if source == .directory || request.destination.namesDirectory {
                throw .notDirectory(request.destination)
            }
        case .characterDevice, .blockDevice, .fifo, .socket, .other: throw .special(request.destination)
        }
        return .asNamed
    }
}

extension CopyPlan: CustomStringConvertible {
    package var description: String {
        let verb =
            switch request.manner {
            case .copy: "copy"
            case .move: "move"
            case .sync: "sync"
            }
        let target =
            switch arrival {
            case .asNamed: "as"
            case .into(let name): "as \(name) into"
            case .contents: "what is in it into"
            }
        return "\(verb) \(request.source) \(target) \(request.destination)"
    }
}
