import Libc
import OCI
import Platform
import Session
import Store

/// Looks at everything that containers depend on, and repairs what is safe to repair.
struct Doctor {
    private let caller: Caller
    private let layout: StateLayout
    private let isRoot: Bool
    /// Whether every blob of the image store is read.
    private let isThorough: Bool

    init(_ context: borrowing Context, isThorough: Bool) {
        caller = context.caller
        layout = context.systemLayout
        isRoot = geteuid() == 0
        self.isThorough = isThorough
    }

    /// Everything that can be seen, in a fixed order; nothing is changed.
    func examine() -> [Finding] {
        let census = storeCensus()
        var needed: Set<Architecture> = []
        if case .success(let census?) = census {
            needed = Set(census.containers.compactMap { $0.architecture.flatMap { Architecture(uname: $0) } })
        }
        let isTermux = caller.host.termux != nil
        return KernelExamination.findings(isRoot: isRoot, release: caller.host.kernelRelease)
            + ControlGroupExamination.findings(isRoot: isRoot) + mounting()
            + BinfmtExamination.findings(host: caller.host, needed: needed) + HostLibrary.findings()
            + DiskExamination.findings(layout, isTermux: isTermux) + store(census)
            + ElevationExamination.findings(caller, isRoot: isRoot) + NetworkExamination.findings()
            + DesktopExamination.findings(caller.personal) + SecurityExamination.findings()
    }

    private func storeCensus() -> Result<StoreCensus?, any Error> {
        isRoot ? Result { try StoreCensus.take(layout) } : .success(nil)
    }

    /// What is tried on the file system of the containers.
    private func mounting() -> [Finding] {
        guard isRoot else {
            return [
                .needsRoot("kernel.idmapped-mounts", "whether owners can be shifted"),
                .needsRoot("kernel.overlay", "whether overlays work"),
            ]
        }
        var findings = [StoreExamination.idmap(layout.data)]
        // Making a store only to try something in it would leave the store.
        if HostText.exists(layout.data / "containers") {
            do { findings.append(StoreExamination.overlay(try ContainerStore.open(layout))) } catch {
                findings.append(Finding("kernel.overlay", unreadable: error))
            }
        }
        return findings
    }

    private func store(_ census: Result<StoreCensus?, any Error>) -> [Finding] {
        guard isRoot else { return [.needsRoot("store.access", "\(layout.data) and what runs")] }
        var findings: [Finding] = []
        var installed: Set<ContainerName> = []
        switch census {
        case .failure(let error): findings.append(Finding("store.access", unreadable: error))
        case .success(nil):
            findings.append(Finding("store.access", .ok, "nothing is installed in \(layout.data)"))
        case .success(let census?):
            installed = Set(census.containers.map(\.name))
            findings += StoreExamination.judge(census, layout, host: caller.host)
        }
        findings += ImageExamination.findings(layout, thoroughly: isThorough)
        do { findings += StateExamination.judge(try RunCensus.take(layout), installed: installed) } catch {
            findings.append(Finding("state.sessions", unreadable: error))
        }
        return findings + StateExamination.groups(installed, layout) + StateExamination.mounts(layout)
    }

    // MARK: - Repairing

    /// Does what can be done without risk about the findings, and says at each what it was.
    func repair(_ findings: [Finding]) -> [Finding] {
        var isSwept = false
        return findings.map { finding in
            guard let repair = finding.repair else { return finding }
            var finding = finding
            do {
                if case .sweep = repair {
                    // One sweep takes all debris.
                    finding.fixed = isSwept ? "deleted" : try carryOut(repair)
                    isSwept = true
                } else {
                    finding.fixed = try carryOut(repair)
                }
            } catch {
                return Finding(finding.id, unreadable: error)
            }
            return finding
        }
    }

    /// What was done; `nil` when something is in use and was left alone.
    private func carryOut(_ repair: Finding.Repair) throws -> String? {
        switch repair {
        case .sweep:
            try ContainerStore.open(layout).sweep()
            return "deleted"
        case .index:
            let store = try ContainerStore.open(layout)
            try store.reconcileIndex(measure: ListCommand.size)
            return "made anew from the containers that are there"
        case .heal(let name): return try RunCensus.heal(name, in: layout) ? "forgotten" : nil
        case .forget(let name):
            return try RunCensus.erase(name, from: ContainerStore.open(layout)) ? "forgotten" : nil
        case .group(let name):
            Debris.sweep(name, in: layout)
            return Debris.isLeft(of: name, in: layout) ? nil : "removed"
        case .parts:
            guard let images = try ImageLayout.openExisting(layout.cache) else { return nil }
            let reclaimed = try images.sweepParts(olderThan: 7 * 86400)
            guard reclaimed.files > 0 else { return nil }
            return
                "deleted \(reclaimed.files) that nobody has gone on with for a week (\(ByteCount(reclaimed.bytes)))"
        case .blob(let digest):
            guard let images = try ImageLayout.openExisting(layout.cache) else { return nil }
            images.evict(digest)
            return "deleted; the next installation fetches it again"
        }
    }
}
