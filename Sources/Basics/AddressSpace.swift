import CPosix
import Foundation

/// The memory that the process may ask the system for, where `ulimit -v` bounds it. Asked before long works, which otherwise would
/// break off in the middle: Swift's runtime knows no failed allocation, and its thread pool waits for ever for a thread's stack.
public enum AddressSpace {
  /// Bytes that are left; nil where nothing is limited.
  public static var left: Int? {
    let left = fettle_address_space_left()
    return left < 0 ? nil : left
  }

  /// Bytes that any verb may need besides what its texts and its model take: the stacks of the pool's threads, and some room.
  public static var leastRoom: Int { 32 << 20 + 2 * fettle_stack_size() }

  /// What has to be there for a work.
  ///
  /// - Parameter bytes: an estimate from above of what the work itself takes.
  /// - Throws: ``Shortage``.
  public static func require(_ bytes: Int = 0) throws {
    guard let left else { return }
    let (needed, isTooMuch) = bytes.addingReportingOverflow(leastRoom)
    guard isTooMuch || needed > left else { return }
    throw Shortage(needed: isTooMuch ? .max : needed, left: left)
  }

  /// Too little is left.
  public struct Shortage: Error, Equatable, Sendable, CustomStringConvertible {
    /// Bytes.
    public let needed: Int
    public let left: Int

    public init(needed: Int, left: Int) {
      self.needed = needed
      self.left = left
    }

    public var description: String {
      "There is not enough memory for this: it may take \(Self.megabytes(needed)) of address space, and the limit of "
        + "ulimit -v leaves \(Self.megabytes(left)). Allow more (ulimit -v unlimited), or ask for less."
    }

    private static func megabytes(_ bytes: Int) -> String { "\((bytes + 999_999) / 1_000_000) MB" }
  }

  /// Looks whether the program can run at all, and has what nobody can catch end with a sentence. To be called before the first
  /// thread is started.
  ///
  /// - Parameter leave: gives the terminal back, should the program have to end in the middle.
  /// - Throws: ``Shortage``, ``NoThreads``, ``NoFiles``.
  public static func begin(leave: @escaping @convention(c) () -> Void) throws {
    fettle_end_when_memory_is_short(leave)
    try require()
    let number = fettle_try_threads(threads)
    guard number == 0 else { throw NoThreads(number: number) }
    guard ![EMFILE, ENFILE].contains(fettle_try_files(files)) else { throw NoFiles() }
  }

  /// The database with its journal and locks, a document, a model, and a replay's workspace beside one's own.
  private static let files: Int32 = 16

  /// No more files may be open at once.
  public struct NoFiles: Error, Equatable, Sendable, CustomStringConvertible {
    public let description =
      "This shell lets fettle open too few files (ulimit -n). Allow more: ulimit -n 256."
  }

  /// The one that waits for signals, and two of the pool.
  private static let threads: Int32 = 3

  /// No more threads may be started.
  public struct NoThreads: Error, Equatable, Sendable, CustomStringConvertible {
    /// `errno`.
    public let number: Int32

    public var description: String {
      "No more threads can be started here, and fettle needs a few. Allow more (ulimit -u), end other programs, or make the limit "
        + "of a thread's stack smaller (ulimit -s 8192)."
    }
  }

  /// Ends the program with a sentence: for where an allocation failed and nothing can be thrown.
  public static func end() -> Never { fettle_end_for_want_of_memory() }
}
