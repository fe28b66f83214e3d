import Libc
import OCI
import Platform
import Store

/// What the containers were made of.
///
/// The image store keeps it for them, whatever their names mean by now: `reset` makes them anew of it, and `diff` and
/// `commit` compare with it.
struct ContainerImages {
    private let manifests: [Manifest]

    /// Throws where a container's record cannot be read: nobody knows then what it needs.
    init(of layout: StateLayout) throws {
        guard access(layout.data.rawValue, F_OK) == 0 else {
            manifests = []
            return
        }
        let store = try ContainerStore.open(layout)
        manifests = try store.names().compactMap { name in
            guard let container = try store.containerIfInstalled(name) else { return nil }
            do { return try RecordedImage(of: container)?.manifest } catch let error as any UserFacing {
                throw UnknownImage(container: name, reason: error.message)
            }
        }
    }

    /// The IDs of the images.
    var ids: Set<Digest> { Set(manifests.map(\.config.digest)) }

    /// Configs and layers.
    var content: Set<Digest> { Set(manifests.flatMap { [$0.config] + $0.layers }.map(\.digest)) }
}

/// Nothing can be removed, because a container may need it.
struct UnknownImage: UserFacing, Equatable {
    let container: ContainerName
    /// Safe to print.
    let reason: String

    var message: String { "what container \(container) needs of the image store is not known: \(reason)" }
    var hint: String? {
        "Nothing was removed. Remove that container first, or all images: chroot-distro clear-cache"
    }
}
