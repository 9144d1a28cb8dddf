import CLibCurl
import Foundation

/// libcurl is to be initialised once, before its first use; a `let` of the file is, by whichever thread comes first.
private let libraryIsReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

/// One libcurl handle: its options, and what its results mean.
final class Transfer {
  enum Outcome: Equatable {
    /// All bytes are there.
    case complete
    /// The server cannot go on where the partial file ends.
    case rangeRefused
  }

  private let handle: UnsafeMutableRawPointer
  private let address: String
  private let host: String
  private let size: Int64
  private let connectTimeout: Double
  private let stallTimeout: Int

  init(_ address: String, size: Int64, connectTimeout: Double, stallTimeout: Int) throws {
    let components = URLComponents(string: address)
    guard let components, let host = components.host, !host.isEmpty,
      ["http", "https"].contains(components.scheme?.lowercased())
    else { throw HTTPError.badAddress(address) }
    guard libraryIsReady, let handle = curl_easy_init() else {
      throw HTTPError.failed(host: host, detail: "libcurl cannot be initialised")
    }
    self.handle = handle
    self.address = address
    self.host = host
    self.size = size
    self.connectTimeout = connectTimeout
    self.stallTimeout = stallTimeout
    try configure()
  }

  deinit { curl_easy_cleanup(handle) }

  /// Asks for what the partial file lacks, and appends what comes.
  func run(
    into part: PartialFile, progress: @escaping (Int64, Int64?) -> Void, isCancelled: @escaping () -> Bool
  ) throws -> Outcome {
    let reception = Reception(
      handle: handle, part: part, size: size, progress: progress, isCancelled: isCancelled)
    try check(fettle_curl_set_string(handle, CURLOPT_RANGE, part.size > 0 ? "\(part.size)-" : nil))
    let code = try reception.withContext { context in
      try check(fettle_curl_set_context(handle, CURLOPT_WRITEDATA, context))
      try check(fettle_curl_set_context(handle, CURLOPT_HEADERDATA, context))
      try check(fettle_curl_set_context(handle, CURLOPT_XFERINFODATA, context))
      return curl_easy_perform(handle)
    }
    if try reception.isFinished(after: code) { return .complete }
    if reception.isRangeRefused { return .rangeRefused }
    throw error(code, reception)
  }

  private func configure() throws {
    try check(fettle_curl_set_string(handle, CURLOPT_URL, address))
    try check(fettle_curl_allow_http_only(handle))
    try check(fettle_curl_set_string(handle, CURLOPT_USERAGENT, "fettle/0.1.0"))
    try check(fettle_curl_set_long(handle, CURLOPT_FOLLOWLOCATION, 1))
    try check(fettle_curl_set_long(handle, CURLOPT_MAXREDIRS, 10))
    try check(fettle_curl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, Int(connectTimeout * 1000)))
    try check(fettle_curl_set_long(handle, CURLOPT_LOW_SPEED_LIMIT, 1))
    try check(fettle_curl_set_long(handle, CURLOPT_LOW_SPEED_TIME, stallTimeout))
    // With signals, the time limit of a name look-up would interrupt some other thread.
    try check(fettle_curl_set_long(handle, CURLOPT_NOSIGNAL, 1))
    try check(fettle_curl_set_long(handle, CURLOPT_NOPROGRESS, 0))
    try check(
      fettle_curl_set_bytes_callback(handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
        let body = UnsafeRawBufferPointer(start: bytes, count: size * count)
        return Reception.of(context)?.receive(body) == true ? size * count : 0
      })
    try check(
      fettle_curl_set_bytes_callback(handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
        let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
        Reception.of(context)?.receive(header: String(decoding: line, as: UTF8.self))
        return size * count
      })
    try check(
      fettle_curl_set_progress_callback(handle) { context, _, _, _, _ in
        Reception.of(context)?.goesOn() == true ? 0 : 1
      })
  }

  private func check(_ code: CURLcode) throws {
    guard code == CURLE_OK else { throw HTTPError.failed(host: host, detail: Transfer.detail(code)) }
  }

  private static func detail(_ code: CURLcode) -> String { String(cString: curl_easy_strerror(code)) }

  private func error(_ code: CURLcode, _ reception: Reception) -> HTTPError {
    let detail = Transfer.detail(code)
    if reception.wasCancelled { return .cancelled }
    if let writeError = reception.part.writeError { return writeError }
    if reception.status >= 400 { return .status(reception.status, address: address) }
    if reception.isOtherFile { return .otherFile(host: host, expected: size) }
    switch code {
    case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL:
      if reception.status >= 300 { return .badRedirect(host: host) }
      // An answer without a status line is a protocol to libcurl: HTTP 0.9.
      return code == CURLE_URL_MALFORMAT ? .badAddress(address) : .notHTTP(host: host)
    case CURLE_WEIRD_SERVER_REPLY: return .notHTTP(host: host)
    case CURLE_TOO_MANY_REDIRECTS: return .badRedirect(host: host)
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: return .unknownHost(host, detail: detail)
    case CURLE_COULDNT_CONNECT: return .cannotConnect(host: host, detail: detail)
    case CURLE_OPERATION_TIMEDOUT:
      let isConnected = fettle_curl_get_offset(handle, CURLINFO_PRETRANSFER_TIME_T) > 0
      return isConnected
        ? .stalled(host: host, seconds: stallTimeout)
        : .connectingTookTooLong(host: host, seconds: connectTimeout)
    case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE,
      CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS,
      CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_ENGINE_INITFAILED,
      CURLE_SSL_CRL_BADFILE, CURLE_USE_SSL_FAILED:
      return .notTrusted(host: host, detail: detail)
    case CURLE_OK where reception.status >= 300: return .status(reception.status, address: address)
    case CURLE_OK, CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING, CURLE_HTTP2,
      CURLE_HTTP2_STREAM:
      return .connectionLost(host: host, received: reception.part.size, total: reception.total)
    default: return .failed(host: host, detail: detail)
    }
  }
}
