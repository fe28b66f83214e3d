import Libc

/// Makes a system call, again when a signal interrupts it, and turns -1 into a `SystemError`.
///
/// This is the only place that reads `errno` after a call. `subject` is built only on failure.
@discardableResult
package func syscall<Value: FixedWidthInteger & SignedInteger>(
    _ call: StaticString, _ subject: @autoclosure () -> String = "", _ body: () -> Value
) throws(SystemError) -> Value {
    while true {
        let value = body()
        guard value == -1 else { return value }
        let code = errno  // Nothing may run in between.
        if code != EINTR { throw SystemError("\(call)", subject(), code: code) }
    }
}
