import Basics
import Foundation
import Testing

@Suite struct SHA256Tests {
  /// The answers are those of FIPS 180-4's examples.
  @Test(
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        String(repeating: "a", count: 1_000_000),
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
      ),
    ])
  func `A text's digest is the standard's, taken at once or in parts`(text: String, digest: String) {
    var whole = SHA256()
    var parts = SHA256()
    let bytes = Data(text.utf8)
    whole.update(bytes)
    for start in stride(from: 0, to: bytes.count, by: 997) { parts.update(bytes[start...].prefix(997)) }
    #expect(whole.finalize().hexadecimal == digest)
    #expect(parts.finalize().hexadecimal == digest)
  }
}
