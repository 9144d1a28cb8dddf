import CZlib
import Foundation

/// What a body was before a client compressed it.
enum Inflate {
  struct Fault: Error, Equatable { var isTooLong: Bool }

  /// Undoes gzip (RFC 1952), by zlib.
  ///
  /// - Parameter longest: bytes that may come of it; few can stand for very many.
  /// - Throws: `Fault`.
  static func gzip(_ data: Data, longest: Int) throws(Fault) -> Data {
    var stream = z_stream()
    // 31: with a header of gzip's.
    guard inflateInit2_(&stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw Fault(isTooLong: false)
    }
    defer { inflateEnd(&stream) }
    var input = [UInt8](data)
    var output = Data()
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    let status = input.withUnsafeMutableBufferPointer { input in
      stream.next_in = input.baseAddress
      stream.avail_in = UInt32(input.count)
      while true {
        let (status, count) = buffer.withUnsafeMutableBufferPointer { buffer in
          stream.next_out = buffer.baseAddress
          stream.avail_out = UInt32(buffer.count)
          let status = inflate(&stream, Z_NO_FLUSH)
          return (status, buffer.count - Int(stream.avail_out))
        }
        output.append(contentsOf: buffer[..<count])
        if status != Z_OK || output.count > longest { return status }
      }
    }
    if output.count > longest { throw Fault(isTooLong: true) }
    guard status == Z_STREAM_END, stream.avail_in == 0 else { throw Fault(isTooLong: false) }
    return output
  }
}
