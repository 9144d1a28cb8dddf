/// SplitMix64 (Steele, Lea and Flood 2014).
struct Randomness: RandomNumberGenerator {
  private var state: UInt64

  init(_ parts: UInt64...) {
    state = 0
    for part in parts { state = (state ^ part) &* 0xD134_2543_DE82_EF95 &+ 0x9E37_79B9_7F4A_7C15 }
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// Damages a file as disks, editors and ill will do.
struct Mutator {
  /// Pieces that mean something to the reader.
  let words: [String]
  private static let longest = 200_000
  private static let numbers = [
    "0", "-1", "1", "255", "65536", "2147483647", "2147483648", "4294967296", "4611686018427387904",
    "9223372036854775807", "-9223372036854775808", "18446744073709551616", "1e308", "-0.0", "1e-400",
    "99999999999999999999999",
  ]

  func mutate(_ file: [UInt8], with other: [UInt8], _ random: inout Randomness) -> [UInt8] {
    var bytes = file
    for _ in 0..<Int.random(in: 1...6, using: &random) {
      change(&bytes, with: other, &random)
      if bytes.count > Self.longest { bytes.removeLast(bytes.count - Self.longest) }
    }
    return bytes
  }

  private func change(_ bytes: inout [UInt8], with other: [UInt8], _ random: inout Randomness) {
    let place = Int.random(in: 0...bytes.count, using: &random)
    let length = min(
      Int.random(in: 0...(1 << Int.random(in: 0...9, using: &random)), using: &random), bytes.count - place)
    let range = place..<(place + length)
    switch Int.random(in: 0..<11, using: &random) {
    case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &random)
    case 2: bytes.removeSubrange(range)
    case 3: bytes.removeLast(bytes.count - place)
    case 4:
      // Few make a slip, many an attack.
      let times = 1 << Int.random(in: 0...14, using: &random)
      let piece = Array(bytes[range])
      bytes.insert(
        contentsOf: Array(repeating: piece, count: min(times, Self.longest / max(1, piece.count))).joined(),
        at: place)
    case 5:
      let from = Int.random(in: 0...other.count, using: &random)
      bytes.insert(contentsOf: other[from...].prefix(length + 1), at: place)
    case 6: bytes.insert(contentsOf: (Self.numbers.randomElement(using: &random) ?? "").utf8, at: place)
    case 7: replaceNumber(&bytes, from: place, &random)
    case 8:
      let word = words.randomElement(using: &random) ?? ""
      let times = Int.random(in: 0..<4, using: &random) == 0 ? 1 << Int.random(in: 0...14, using: &random) : 1
      bytes.insert(
        contentsOf: Array(
          repeating: Array(word.utf8), count: min(times, Self.longest / max(1, word.utf8.count))
        ).joined(), at: place)
    case 9:
      let to = Int.random(in: 0...(bytes.count - length), using: &random)
      let piece = Array(bytes[range])
      bytes.removeSubrange(range)
      bytes.insert(contentsOf: piece, at: to)
    default:
      let word = words.randomElement(using: &random) ?? ""
      bytes.replaceSubrange(range, with: word.utf8)
    }
  }

  private func replaceNumber(_ bytes: inout [UInt8], from place: Int, _ random: inout Randomness) {
    let isDigit = { (byte: UInt8) in (48...57).contains(byte) }
    guard let start = bytes[place...].firstIndex(where: isDigit) else { return }
    let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.count
    bytes.replaceSubrange(start..<end, with: (Self.numbers.randomElement(using: &random) ?? "").utf8)
  }
}
