import CLinux
import CTransport
import Libc
import Platform

/// Downloads blobs, several at a time.
final class BlobFetcher: LayerSupply {
    private let jobs: [BlobJob]
    private let image: Reference
    private let clients: [RegistryClient]
    private let store: ImageLayout
    private let board: TransferBoard
    private let settings: TransferSettings
    private let http: HTTPSettings
    private var limiter: RateLimiter
    private var began = 0.0

    init(
        _ blobs: [Descriptor], of image: Reference, from clients: [RegistryClient],
        into store: borrowing ImageLayout, board: TransferBoard, settings: TransferSettings,
        http: HTTPSettings
    ) throws {
        jobs = blobs.map(BlobJob.init)
        self.image = image
        self.clients = clients
        self.store = try store.duplicate()
        self.board = board
        self.settings = settings
        self.http = http
        limiter = RateLimiter(settings.rateLimit, now: MonotonicClock.seconds)
        for client in clients { client.isStopped = { board.isClosing } }
    }

    // MARK: - The thread

    func run() {
        began = MonotonicClock.seconds
        let transfers = cd_transfers_new()
        while !board.isClosing {
            let now = MonotonicClock.seconds
            startJobs(transfers, at: now)
            continuePaused(at: now)
            if jobs.contains(where: { $0.state == .active }) {
                cd_transfers_run(transfers, settings.rateLimit == nil ? 50 : 10)
                endJobs(transfers)
            } else {
                if jobs.allSatisfy({ $0.state == .ended }) { break }
                RetryPolicy.sleep(0.02)
            }
        }
        for job in jobs where job.state == .active { detach(job, transfers) }
        for job in jobs { job.letGo() }
        if let transfers { cd_transfers_free(transfers) }
    }

    /// Starts what may run beside what runs already.
    private func startJobs(_ transfers: OpaquePointer?, at now: Double) {
        var free = settings.connections(after: now - began) - jobs.count { $0.state == .active }
        for job in jobs where free > 0 && job.state == .idle && job.notBefore <= now {
            do {
                try start(job, transfers)
                if job.state == .active { free -= 1 }
            } catch {
                // The request itself could not be made; another server may still be asked.
                giveUp(job, error)
            }
        }
    }

    private func start(_ job: BlobJob, _ transfers: OpaquePointer?) throws {
        if store.has(job.descriptor) { return end(job) }
        guard !clients.isEmpty else { throw BlobError.missing(job.descriptor.digest) }
        guard try job.open(in: store) else {
            // Another process fetches it. It tells nobody when it is done, so look again soon.
            board.set(job.descriptor.digest, .elsewhere, done: 0)
            job.notBefore = MonotonicClock.seconds + 0.2
            return
        }
        // It may have come in between the two looks.
        if store.has(job.descriptor) { return end(job) }
        job.beginAttempt()
        if job.isComplete { return try complete(job) }
        let redirected = job.hops > 0 ? job.request : nil
        var request = try redirected ?? clients[job.source].blobRequest(of: image, job.descriptor.digest)
        job.request = request
        request.headers += job.rangeHeader
        let handle = try job.handle ?? HTTPHandle(http)
        job.handle = handle
        handle.receive = { [unowned self, unowned job] in self.receive(job, $0, $1) }
        try handle.prepare(request)
        guard cd_transfers_add(transfers, handle.raw) else {
            throw HTTPFailure(kind: cd_failure_other, reason: "libcurl takes no more transfers")
        }
        job.state = .active
        board.set(job.descriptor.digest, .downloading, done: job.offset)
    }

    private func receive(_ job: BlobJob, _ head: HTTPHead, _ bytes: UnsafeRawBufferPointer) -> cd_body_answer
    {
        guard limiter.isOpen(at: MonotonicClock.seconds) else {
            job.isPaused = true
            return cd_body_pause
        }
        limiter.spend(bytes.count)
        do {
            try job.take(head, bytes)
        } catch {
            job.problem = error
            return cd_body_stop
        }
        board.set(job.descriptor.digest, .downloading, done: job.offset)
        return cd_body_take
    }

    private func continuePaused(at now: Double) {
        for job in jobs where job.isPaused && limiter.isOpen(at: now) {
            job.isPaused = false
            cd_transfer_continue(job.handle?.raw)
        }
    }

    private func endJobs(_ transfers: OpaquePointer?) {
        var kind = cd_failure_none
        while let ended = cd_transfers_next_ended(transfers, &kind) {
            guard let job = jobs.first(where: { $0.handle?.raw == ended }) else { continue }
            detach(job, transfers)
            do { try judge(job, kind) } catch { giveUp(job, error) }
        }
    }

    private func detach(_ job: BlobJob, _ transfers: OpaquePointer?) {
        if let handle = job.handle { cd_transfers_remove(transfers, handle.raw) }
        job.state = .idle
        job.isPaused = false
    }

    // MARK: - Decisions

    /// Decides how a job goes on whose transfer has ended; throws when this server is of no use.
    private func judge(_ job: BlobJob, _ kind: cd_failure) throws {
        guard let handle = job.handle, let request = job.request else { return }
        if let problem = job.problem {
            guard job.hasWrongRange else { throw problem }
            // The whole is asked for then, in this run or in the next one.
            try job.restart()
            return try retry(job, after: 0, problem)
        }
        let client = clients[job.source]
        let head = handle.head
        if kind != cd_failure_none {
            let failure = handle.failure(kind)
            let error = RegistryError(failure, host: request.url.origin.authority)
            guard client.retry.isWorthAnotherTry(failure) else { throw error }
            return try retry(job, after: 0, error)
        }
        if head.isRedirect {
            job.hops += 1
            guard job.hops <= 5 else { throw RegistryError.badRedirect(host: request.url.origin.authority) }
            job.request = try RegistryClient.redirected(
                request, head, trust: client.endpoint.trust)
            return
        }
        let wasRedirected = job.hops > 0
        job.hops = 0
        if head.isSuccess {
            if job.isComplete { return try complete(job) }
            return try retry(
                job, after: 0,
                BlobError.wrongSize(job.descriptor.digest, expected: job.descriptor.size, actual: job.offset))
        }
        if head.status == 416 {
            // The server has less than was promised, or the part holds something else.
            let error = BlobError.wrongSize(
                job.descriptor.digest, expected: job.descriptor.size, actual: job.offset)
            try job.restart()
            return try retry(job, after: 0, error)
        }
        // A token has run out, or the link that a redirect gave.
        if !job.isRenewed, head.status == 401 || (wasRedirected && [400, 403].contains(head.status)) {
            job.isRenewed = true
            if client.renew(head) || wasRedirected { return }
        }
        let error = try client.error(head, job.errorBody, image)
        guard client.retry.isWorthAnotherTry(status: head.status) else { throw error }
        let wait = RetryPolicy.retryAfter(head) ?? 0
        guard wait <= client.retry.patience else { throw error }
        try retry(job, after: wait, error)
    }

    /// Puts a job off; throws `error` when it has been tried often enough.
    private func retry(_ job: BlobJob, after seconds: Int, _ error: any Error) throws {
        let policy = clients[job.source].retry
        if job.hasProgressed { job.attempts = 0 }
        job.attempts += 1
        job.hops = 0
        job.isRenewed = false
        guard job.attempts <= policy.retries else { throw error }
        job.notBefore = MonotonicClock.seconds + max(Double(seconds), policy.pause(before: job.attempts))
        board.set(job.descriptor.digest, .waiting, done: job.offset)
    }

    private func complete(_ job: BlobJob) throws {
        let wasOld = job.isOld
        do {
            try job.finish(in: store)
            end(job)
        } catch let error as BlobError {
            // What an earlier run left may have been damaged by a crash; the whole gets its own chance.
            guard wasOld else { throw error }
        }
    }

    private func end(_ job: BlobJob) {
        job.letGo()
        job.handle = nil
        job.state = .ended
        board.set(job.descriptor.digest, .ready, done: job.descriptor.size)
    }

    /// Asks the next server, or reports the failure when there is none.
    private func giveUp(_ job: BlobJob, _ error: any Error) {
        job.hops = 0
        job.attempts = 0
        job.isRenewed = false
        if job.source + 1 < clients.count, !(error is SystemError) {
            clients[job.source].giveUp(error)
            job.source += 1
            if error is BlobError { try? job.restart() }
            return
        }
        job.letGo()
        job.state = .ended
        let digest = job.descriptor.digest
        switch (error as? HTTPFailure).map({ RegistryError($0, host: image.registry) }) ?? error {
        case RegistryError.interrupted(let host, let reason):
            board.fail(digest, BlobError.incomplete(digest, host: host, reason: reason))
        case let error: board.fail(digest, error)
        }
    }
}
