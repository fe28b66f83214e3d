import CLinux
import Libc
import Testing

@testable import Platform

@Suite("Signal") struct SignalTests {
    @Test(
        "names with and without SIG, and numbers",
        arguments: [
            ("SIGINT", SIGINT), ("INT", SIGINT), ("int", SIGINT), ("2", 2), ("SIGTERM", SIGTERM),
            ("9", SIGKILL),
            ("sigusr1", SIGUSR1), ("64", 64), ("RTMIN", cd_signal_realtime_minimum()),
            ("SIGRTMIN+3", cd_signal_realtime_minimum() + 3), ("RTMAX-1", cd_signal_realtime_maximum() - 1),
        ])
    func parses(text: String, number: Int32) { #expect(Signal(text)?.number == number) }

    @Test(
        "what is no signal",
        arguments: [
            "", "0", "65", "-9", "+9", "SIG", "SIGSIGINT", "INTR", "SIG9", "RTMIN-1", "RTMAX+1", "RTMIN+99",
            "9 ",
        ])
    func refuses(text: String) { #expect(Signal(text) == nil) }

    @Test("a signal prints by its name")
    func prints() {
        #expect(Signal(SIGTERM).description == "SIGTERM")
        #expect(Signal(50).description == "50")
    }

    @Test("sets hold what they were given")
    func sets() {
        #expect(SignalSet([SIGINT]).contains(SIGINT) && !SignalSet([SIGINT]).contains(SIGTERM))
        #expect(SignalSet.all.contains(SIGTERM) && !SignalSet([]).contains(SIGTERM))
    }

    @Test("blocking is undone by restoring")
    func blocking() {
        let original = SignalSet([]).block()
        SignalSet([SIGUSR2]).unblock()
        let open = SignalSet([SIGUSR2]).block()
        let during = SignalSet([]).block()
        open.restore()
        let after = SignalSet([]).block()
        original.restore()
        #expect(!open.contains(SIGUSR2) && during.contains(SIGUSR2) && !after.contains(SIGUSR2))
    }

    @Test("a reader tells a sent signal and its sender")
    func reader() throws {
        let reader = try SignalReader([SIGUSR1])
        #expect(reader.next() == nil)
        pthread_kill(pthread_self(), SIGUSR1)
        #expect(reader.next() == SignalReader.Arrival(number: SIGUSR1, isFromProcess: true))
        #expect(reader.next() == nil)
    }
}
