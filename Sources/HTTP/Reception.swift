import CLibCurl
import Foundation

/// What libcurl's callbacks work on while one request runs, all on the thread that runs it.
final class Reception {
  let part: PartialFile
  private let handle: UnsafeMutableRawPointer
  /// Bytes that the file has.
  private let size: Int64
  private let progress: (Int64, Int64?) -> Void
  private let isCancelled: () -> Bool

  /// Bytes that were there before the request.
  private let offset: Int64
  /// The last response's `Content-Range`, where it has one.
  private var range: ContentRange?
  private var hasBegun = false
  private var isOutOfPlace = false
  private var failure: (any Error)?
  private var reported: Int64 = -1

  /// Bytes in all, where the server said so.
  private(set) var total: Int64?
  private(set) var wasCancelled = false
  /// Whether what comes has another size than the file.
  private(set) var isOtherFile = false

  init(
    handle: UnsafeMutableRawPointer, part: PartialFile, size: Int64,
    progress: @escaping (Int64, Int64?) -> Void,
    isCancelled: @escaping () -> Bool
  ) {
    self.handle = handle
    self.part = part
    self.size = size
    self.progress = progress
    self.isCancelled = isCancelled
    offset = part.size
  }

  /// Lends a pointer to this object that the callbacks find it by.
  func withContext<Result>(_ body: (UnsafeMutableRawPointer) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(self) { try body(Unmanaged.passUnretained(self).toOpaque()) }
  }

  static func of(_ context: UnsafeMutableRawPointer?) -> Reception? {
    context.map { Unmanaged<Reception>.fromOpaque($0).takeUnretainedValue() }
  }

  /// The status of the last response, 0 before one came.
  var status: Int { fettle_curl_get_long(handle, CURLINFO_RESPONSE_CODE) }

  func receive(header line: String) {
    // A redirect's headers come before those of the response that counts.
    if line.hasPrefix("HTTP/") { range = nil }
    let parts = line.split(separator: ":", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "content-range" else { return }
    range = ContentRange(parts[1].trimmingCharacters(in: .whitespacesAndNewlines))
  }

  /// Returns false to end the transfer.
  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard begin() else { return false }
    guard part.size + Int64(bytes.count) <= size else {
      // Not even its beginning is the file's.
      isOtherFile = true
      try? part.restart()
      return false
    }
    return part.append(bytes)
  }

  /// Reports progress. Returns false to end the transfer.
  func goesOn() -> Bool {
    if isCancelled() {
      wasCancelled = true
      return false
    }
    if hasBegun, part.size != reported {
      reported = part.size
      progress(part.size, total)
    }
    return true
  }

  /// Whether the partial file is whole now. Throws where it could not be written.
  func isFinished(after code: CURLcode) throws -> Bool {
    if let failure { throw failure }
    // Nothing lies beyond the end of a file that is whole already.
    if status == 416, offset > 0 { return range?.total == offset }
    // An empty body has called nothing.
    guard code == CURLE_OK, begin() else { return false }
    if let total, part.size != total { return false }
    if total == nil, part.size != size { return false }
    if part.size != reported { progress(part.size, part.size) }
    return true
  }

  /// Whether asking again, for the whole, may help.
  var isRangeRefused: Bool { offset > 0 && !wasCancelled && (status == 416 || isOutOfPlace) }

  /// Decides, once, where the body's bytes go. Returns false where it is not the file's.
  private func begin() -> Bool {
    if hasBegun { return true }
    let length = Int64(fettle_curl_get_offset(handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T))
    switch status {
    case 206 where offset > 0:
      guard let range, range.start == offset else {
        isOutOfPlace = true
        return false
      }
      total = range.total ?? (length >= 0 ? offset + length : nil)
    case 200..<300: total = length >= 0 ? length : nil
    default: return false
    }
    guard total ?? size == size else {
      isOtherFile = true
      return false
    }
    // A server that knows no ranges sends the whole.
    if status != 206, part.size > 0 {
      do {
        try part.restart()
      } catch {
        failure = error
        return false
      }
    }
    hasBegun = true
    return true
  }
}

/// `bytes 5-9/10` or `bytes */10`: RFC 9110, section 14.4.
struct ContentRange: Equatable {
  var start: Int64?
  /// `nil` where the server does not know it.
  var total: Int64?

  init?(_ text: String) {
    guard text.lowercased().hasPrefix("bytes ") else { return nil }
    let parts = text.dropFirst(6).split(separator: "/")
    guard parts.count == 2 else { return nil }
    start = parts[0].split(separator: "-").first.flatMap { Int64($0) }
    total = Int64(parts[1])
  }
}
