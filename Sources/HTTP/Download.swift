import Foundation

/// Fetches a file over http or https, and goes on where an earlier try broke off.
///
/// ```swift
/// let download = Download("https://example.org/model.safetensors", to: file, size: 90_868_376)
/// try download.run(progress: { received, total in … }, isCancelled: { false })
/// ```
/// What comes is written to `NAME.part` beside the file, and becomes the file when it is whole and on the disk; so the
/// file is either whole or not there. Of a server that sends more than the file has nothing is kept. Redirects are followed, within http and https. The proxy is that of the
/// environment (`https_proxy`, `http_proxy`, `no_proxy`). Whether the bytes are the right ones is the caller's to check.
public struct Download: Sendable {
  /// What is fetched.
  public var address: String
  /// Where it goes; its folder must exist, and a file already there is replaced.
  public var file: URL
  /// How many bytes the file has. Whoever answers in the server's place, a network that asks for a login say, must not fill the disk.
  public var size: Int64
  /// How long to try to connect, in seconds.
  public var connectTimeout: Double = 5
  /// How long less than a byte a second may come, in whole seconds.
  public var stallTimeout = 30

  public init(_ address: String, to file: URL, size: Int64) {
    self.address = address
    self.file = file
    self.size = size
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
    let transfer = try Transfer(
      address, size: size, connectTimeout: connectTimeout, stallTimeout: stallTimeout)
    let part = try PartialFile(for: file)
    if isCancelled() { throw HTTPError.cancelled }
    if part.size > size { try part.restart() }
    // One that a kill left whole, just before it got its name, needs nobody.
    if part.size < size || size == 0 {
      if try transfer.run(into: part, progress: progress, isCancelled: isCancelled) == .rangeRefused {
        // What is there is no beginning of what the server has.
        try part.restart()
        _ = try transfer.run(into: part, progress: progress, isCancelled: isCancelled)
      }
    }
    try part.finish()
  }
}
