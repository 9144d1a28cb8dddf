import CLibCrypto
import Foundation

/// SHA-256 (FIPS 180-4), by OpenSSL's libcrypto, which libcurl needs anyway.
///
/// ```swift
/// var hash = SHA256()
/// hash.update(Data("abc".utf8))
/// hash.finalize().hexadecimal  // ba7816bf…
/// ```
package struct SHA256: ~Copyable {
  private let context: OpaquePointer

  /// Looked up once: by itself OpenSSL 3 looks it up for every digest, and a data set has one a text.
  private nonisolated(unsafe) static let algorithm = EVP_MD_fetch(nil, "SHA256", nil)

  package init() {
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, Self.algorithm, nil) == 1 else {
      fatalError("libcrypto has no SHA-256, or there is no memory for it")
    }
    self.context = context
  }

  deinit { EVP_MD_CTX_free(context) }

  package mutating func update(_ bytes: some ContiguousBytes) {
    bytes.withUnsafeBytes { _ = EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
  }

  /// The 32 bytes of the digest.
  package consuming func finalize() -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    EVP_DigestFinal_ex(context, &digest, nil)
    return digest
  }
}

extension Sequence<UInt8> {
  /// Two digits a byte, `0f`.
  package var hexadecimal: String {
    map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
