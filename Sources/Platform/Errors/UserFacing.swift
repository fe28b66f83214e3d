/// An error that a person is going to read.
///
/// `message` names the thing and the cause, `hint` the way out. Names that come from an archive, a registry or a
/// guest stand in `Quoted` in both.
package protocol UserFacing: Error {
    var message: String { get }
    var hint: String? { get }
    var status: ExitStatus { get }
}

extension UserFacing {
    package var hint: String? { nil }
    package var status: ExitStatus { .failure }
}
