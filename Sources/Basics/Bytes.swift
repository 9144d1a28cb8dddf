import Foundation

/// A size for people: `90.9 MB`, `18.9 kB`.
package struct Bytes: CustomStringConvertible, Equatable {
  package let count: Int
  package init(_ count: Int) { self.count = count }

  package var description: String {
    switch count {
    case ..<1000: "\(count) B"
    case ..<1_000_000: "\(tenths(of: 1e3)) kB"
    case ..<1_000_000_000: "\(tenths(of: 1e6)) MB"
    default: "\(tenths(of: 1e9)) GB"
    }
  }

  private func tenths(of unit: Double) -> String {
    String(format: "%.1f", locale: nil, Double(count) / unit)
  }
}
