import Foundation

/// Fetches a file over http or https, and goes on where an earlier try broke off.
///
/// ```swift
/// let download = Download("https://example.org/model.safetensors", to: file)
/// try download.run(progress: { received, total in … }, isCancelled: { false })
/// ```
/// What comes is written to `NAME.part` beside the file, and becomes the file when it is whole and on the disk; so the
/// file is either whole or not there. Redirects are followed, within http and https. The proxy is that of the
/// environment (`https_proxy`, `http_proxy`, `no_proxy`). Whether the bytes are the right ones is the caller's to check.
public struct Download: Sendable {
  /// What is fetched.
  public var address: String
  /// Where it goes; its folder must exist, and a file already there is replaced.
  public var file: URL
  /// How long to try to connect, in seconds.
  public var connectTimeout: Double = 5
  /// How long less than a byte a second may come, in whole seconds.
  public var stallTimeout = 30

  public init(_ address: String, to file: URL) {
    self.address = address
    self.file = file
  }

  /// Runs to the end, on the calling thread. Throws an `HTTPError`.
  ///
  /// - Parameters:
  ///   - progress: bytes that are there, those of an earlier try among them, and bytes in all where the server says so.
  ///   - isCancelled: asked several times a second while bytes come, once a second while none do.
  public func run(
    progress: @escaping (_ received: Int64, _ total: Int64?) -> Void = { _, _ in },
    isCancelled: @escaping () -> Bool = { false }
  ) throws {
    let transfer = try Transfer(address, connectTimeout: connectTimeout, stallTimeout: stallTimeout)
    let part = try PartialFile(for: file)
    if isCancelled() { throw HTTPError.cancelled }
    if try transfer.run(into: part, progress: progress, isCancelled: isCancelled) == .rangeRefused {
      // What is there is no beginning of what the server has.
      try part.restart()
      _ = try transfer.run(into: part, progress: progress, isCancelled: isCancelled)
    }
    try part.finish()
  }
}
