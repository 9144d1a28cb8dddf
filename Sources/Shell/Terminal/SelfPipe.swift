import Foundation

/// A pipe to oneself: what a signal's handler writes, a thread reads (D. J. Bernstein's self-pipe trick).
struct SelfPipe: Sendable {
  let reader: Int32
  let writer: Int32

  /// `nil` where the process may open no more descriptors.
  init?() {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return nil }
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
    reader = ends[0]
    writer = ends[1]
  }

  func close() {
    Glibc.close(reader)
    Glibc.close(writer)
  }

  /// Everything written so far; empty where nothing was.
  func drain() -> [UInt8] {
    var bytes: [UInt8] = []
    var byte: UInt8 = 0
    while read(reader, &byte, 1) == 1 { bytes.append(byte) }
    return bytes
  }

  /// Safe in a signal's handler.
  static func write(_ byte: UInt8, to writer: Int32) {
    let code = errno
    var byte = byte
    _ = Glibc.write(writer, &byte, 1)
    errno = code
  }
}
