import CLI
import OCI
import Platform
import Store

/// Making a container anew of what it was made of.
extension Installer {
    /// Prepares a fresh root beside the old one and exchanges the two at the end.
    ///
    /// With `updates` it is made of the image that the name stands for now, else of just the one that it was made of.
    /// The caller has the container locked. `stop` is called when everything is ready and only the exchange is left;
    /// whatever fails before leaves the container as it was.
    func reset(_ name: ContainerName, updates: Bool, stop: () throws -> Void) throws {
        guard let image = try RecordedImage(of: store.container(name)) else {
            throw ResetError.noImage(name)
        }
        let staging = try store.stage(name, replacing: true)
        let prepared = Result {
            let facts = try fill(staging) {
                updates
                    ? try update(image, of: name, into: &$0, staging)
                    : try unpack(image, of: name, into: &$0, staging)
            }
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
        do { try note(size, of: name) } catch {
            context.diagnostics.warning(
                "\(name) is made anew, but its new size is not in the index: "
                    + ((error as? any UserFacing)?.message ?? "\(error)"),
                hint: "Measure it with: chroot-distro list --measure")
        }
    }

    private func note(_ size: Int64, of name: ContainerName) throws {
        try store.updateIndex { index in
            for position in index.containers.indices where index.containers[position].name == name.description
            {
                index.containers[position].size = size
            }
        }
    }

    /// From the store where it has all layers of just this image, else from the registry.
    private func unpack(
        _ image: RecordedImage, of name: ContainerName, into applied: inout AppliedLayers,
        _ staging: borrowing Staging
    ) throws -> Bool {
        let images = try context.images()
        guard image.stack.isStored(in: images) else {
            return try fetch(image, of: name, into: &applied, staging)
        }
        let progress = InstallProgress(context.diagnostics)
        defer { progress.close() }
        try Puller.deliver(image.stack, in: images, observer: progress, into: &applied)
        try staging.write("manifest.json", image.bytes)
        return image.hasEntrypoint
    }

    /// By its name where that still means this image, else by its digest; whatever else the name means is no substitute.
    private func fetch(
        _ image: RecordedImage, of name: ContainerName, into applied: inout AppliedLayers,
        _ staging: borrowing Staging
    ) throws -> Bool {
        guard let reference = image.reference else { throw ResetError.sourceGone(name) }
        do {
            return try pull(
                reference, for: image.platform, id: image.manifest.config.digest, into: &applied, staging)
        } catch PullError.otherImage {}
        guard let pinned = image.pinned else { throw ResetError.otherImage(name, reference) }
        do {
            return try pull(
                pinned, for: image.platform, id: image.manifest.config.digest, as: reference.familiar,
                into: &applied, staging)
        } catch let error as RegistryError where error.deniesImage {
            throw ResetError.otherImage(name, reference)
        }
    }

    private func update(
        _ image: RecordedImage, of name: ContainerName, into applied: inout AppliedLayers,
        _ staging: borrowing Staging
    ) throws -> Bool {
        guard let reference = image.reference else { throw ResetError.sourceGone(name) }
        return try pull(reference, for: image.platform, policy: .always, into: &applied, staging)
    }
}

/// Why a container cannot be made anew.
enum ResetError: UserFacing, Equatable {
    case noImage(ContainerName)
    case sourceGone(ContainerName)
    case otherImage(ContainerName, Reference)

    var message: String {
        switch self {
        case .noImage(let name):
            "container \(name) was not made of an image, and what it was made of is not kept"
        case .sourceGone(let name):
            "container \(name) was made of an archive, and its image is not in the image store any more"
        case .otherImage(let name, let reference):
            "\(Quoted(reference.familiar)) is another image by now than container \(name) was made of, and that one is nowhere to be had"
        }
    }

    var hint: String? {
        switch self {
        case .noImage(let name), .sourceGone(let name):
            "Install the archive again under another name, or after: chroot-distro remove \(name)"
        case .otherImage(let name, _):
            "Only if you want what has that name now: chroot-distro reset --update \(name)"
        }
    }
}
