import Platform

/// Where directories are in a tree: of each only the last step is kept, however deep it is.
struct PathTable {
    /// A directory; those in it come behind it.
    struct Place: Hashable, Comparable {
        fileprivate let number: Int

        static let root = Place(number: 0)
        static func < (left: Place, right: Place) -> Bool { left.number < right.number }
    }

    private struct Step: Hashable {
        let name: RawString
        let parent: Place
    }

    /// That to the place with number 1 is the first.
    private var steps: [Step] = []
    private var known: [Step: Place] = [:]

    mutating func place(of name: RawString, in parent: Place) -> Place {
        let step = Step(name: name, parent: parent)
        if let place = known[step] { return place }
        steps.append(step)
        let place = Place(number: steps.count)
        known[step] = place
        return place
    }

    func components(of place: Place) -> [RawString] {
        var components: [RawString] = []
        var place = place
        while place != .root {
            let step = steps[place.number - 1]
            components.append(step.name)
            place = step.parent
        }
        return components.reversed()
    }
}
