import Foundation
import GRDB

/// A value of the database that cannot be what fettle has written: whoever reads it learns that the workspace is damaged.
struct DamagedValue: Error {}

/// Reading a row's values by what they have to be.
///
/// A file from anywhere may hold anything: NULL where the tables forbid it, texts for numbers (SQLite's types bind nobody), numbers
/// that overflow the first sum. GRDB's subscripts end the process there, and its own decoding takes a text for 0.
extension Row {
  /// More than any count, size or id that fettle makes, and few enough that sums of many do not overflow.
  static let largestCount = 1 << 40

  /// - Throws: ``DamagedValue``.
  func text(_ index: Int) throws -> String {
    guard let text = try optionalText(index) else { throw DamagedValue() }
    return text
  }

  /// - Throws: ``DamagedValue``.
  func optionalText(_ index: Int) throws -> String? {
    switch (self[index] as DatabaseValue).storage {
    case .null: nil
    case .string(let text): text
    case .int64, .double, .blob: throw DamagedValue()
    }
  }

  /// A number of things, of bytes, or of a row: from 0 to ``largestCount``.
  ///
  /// - Throws: ``DamagedValue``.
  func count(_ index: Int) throws -> Int {
    guard let count = try optionalCount(index) else { throw DamagedValue() }
    return count
  }

  /// - Throws: ``DamagedValue``.
  func optionalCount(_ index: Int) throws -> Int? {
    switch (self[index] as DatabaseValue).storage {
    case .null: nil
    case .int64(let number) where (0...Int64(Self.largestCount)).contains(number): Int(number)
    case .int64, .double, .string, .blob: throw DamagedValue()
    }
  }

  /// Milliseconds since 1970.
  ///
  /// - Throws: ``DamagedValue``.
  func optionalTime(_ index: Int) throws -> Int? {
    switch (self[index] as DatabaseValue).storage {
    case .null: nil
    case .int64(let number) where (0...1 << 50).contains(number): Int(number)
    case .int64, .double, .string, .blob: throw DamagedValue()
    }
  }

  /// - Throws: ``DamagedValue``.
  func flag(_ index: Int) throws -> Bool { try count(index) != 0 }

  /// SQLite keeps whole numbers as integers where the column lets it.
  ///
  /// - Throws: ``DamagedValue``.
  func optionalNumber(_ index: Int) throws -> Double? {
    switch (self[index] as DatabaseValue).storage {
    case .null: nil
    case .int64(let number): Double(number)
    case .double(let number): number
    case .string, .blob: throw DamagedValue()
    }
  }

  /// A share or a probability: nil or from 0 to 1.
  ///
  /// - Throws: ``DamagedValue``.
  func optionalShare(_ index: Int) throws -> Double? {
    let share = try optionalNumber(index)
    guard share.map((0...1).contains) ?? true else { throw DamagedValue() }
    return share
  }

  /// - Throws: ``DamagedValue``.
  func data(_ index: Int) throws -> Data {
    guard case .blob(let data) = (self[index] as DatabaseValue).storage else { throw DamagedValue() }
    return data
  }
}
