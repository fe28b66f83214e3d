import CLI
import OCI
import Platform
import Store

/// Making a container anew of what it was made of.
extension Installer {
    /// Prepares a fresh root beside the old one and exchanges the two at the end.
    ///
    /// The caller has the container locked. `stop` is called when everything is ready and only the exchange is left;
    /// whatever fails before leaves the container as it was.
    func reset(_ name: ContainerName, stop: () throws -> Void) throws {
        guard let image = try RecordedImage(of: store.container(name)) else {
            throw ResetError.noImage(name)
        }
        let staging = try store.stage(name, replacing: true)
        let prepared = Result {
            let facts = try fill(staging) { try unpack(image, of: name, into: &$0, staging) }
            try stop()
            return facts
        }
        if case .failure(let error) = prepared {
            try? staging.discard(in: store)
            throw error
        }
        try store.replace(with: staging)
        let container = try store.container(name)
        Flushing.goOn(container)
        let size = try prepared.get().size
        try store.updateIndex { index in
            for position in index.containers.indices where index.containers[position].name == name.description
            {
                index.containers[position].size = size
            }
        }
    }

    /// From the store where it has all layers of just this image, else from the registry, whatever the name means there.
    private func unpack(
        _ image: RecordedImage, of name: ContainerName, into applied: inout AppliedLayers,
        _ staging: borrowing Staging
    ) throws -> Bool {
        let images = try context.images()
        if image.stack.isStored(in: images) {
            let progress = InstallProgress(context.diagnostics)
            defer { progress.close() }
            try Puller.deliver(image.stack, in: images, observer: progress, into: &applied)
            try staging.write("manifest.json", image.bytes)
            return image.hasEntrypoint
        }
        guard let reference = image.reference else { throw ResetError.sourceGone(name) }
        return try pull(reference, for: image.platform, into: &applied, staging)
    }
}

/// Why a container cannot be made anew.
enum ResetError: UserFacing, Equatable {
    case noImage(ContainerName)
    case sourceGone(ContainerName)

    var message: String {
        switch self {
        case .noImage(let name):
            "container \(name) was not made of an image, and what it was made of is not kept"
        case .sourceGone(let name):
            "container \(name) was made of an archive, and its image is not in the image store any more"
        }
    }

    var hint: String? {
        switch self {
        case .noImage(let name), .sourceGone(let name):
            "Install the archive again under another name, or after: chroot-distro remove \(name)"
        }
    }
}
