import Libc
import Platform

/// A step of the mount plan that the kernel refused.
package struct MountFailure: UserFacing {
    package let step: MountStep
    package let cause: SystemError

    package init(step: MountStep, cause: SystemError) {
        self.step = step
        self.cause = cause
    }

    package var message: String {
        switch step {
        case .fileSystem(let type, let target, _, _): "cannot mount \(type) on \(target): \(reason)"
        case .bind(let spec, _): "cannot bind \(spec.source) on \(spec.target): \(reason)"
        case .mask(let target), .seal(let target): "cannot cover \(target): \(reason)"
        case .file(let file): "cannot put \(file.target) in place: \(reason)"
        case .directory(let target, _), .node(let target, _), .link(let target, _):
            "cannot make \(target) in the container: \(reason)"
        }
    }

    /// `mount(2)` gives some errors a meaning of its own.
    private var reason: String {
        switch cause.code {
        case ENOSPC: "too many mounts in this namespace (/proc/sys/fs/mount-max)"
        case ENODEV: "this kernel does not have that file system"
        case EPERM: "permission denied by the kernel or a security module (\(cause.call))"
        case ENOTDIR: "the container has something there that is not a directory (\(cause.call))"
        case EISDIR: "the container has a directory there"
        case EEXIST: "the container has something unsuitable there"
        default: "\(cause.reason) (\(cause.call))"
        }
    }

    package var hint: String? {
        switch (step, cause.code) {
        case (_, ENOTDIR), (_, ELOOP):
            "Look at that path in the container's root file system; a broken image may have put a file or a link there."
        case (.bind, ENOENT): "Make the source first, or correct the path."
        case (.fileSystem, ENODEV): "The kernel needs to be built with it."
        default: nil
        }
    }
}
