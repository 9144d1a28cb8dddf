import COneDNN

/// How numbers stand in matrix products. Sums are always kept in f32.
public enum Precision: String, Sendable, CaseIterable {
  case f32
  /// Half the bits, and a little less exact: about twice as fast on AMD's Zen 4 and newer and where there is AMX.
  case bf16
  /// bf16 where that is the faster one, else f32.
  case auto

  /// What this CPU does for `auto`: `.f32` or `.bf16`.
  /// - Throws: `ModelError.noBFloat16` where bf16 is asked for and the CPU would only emulate it.
  public func resolved() throws -> Precision {
    switch self {
    case .f32: return .f32
    case .bf16:
      guard onednn_multiplies_bf16() else { throw ModelError.noBFloat16 }
      return .bf16
    case .auto: return onednn_favours_bf16() ? .bf16 : .f32
    }
  }

  /// What products read, once it is resolved.
  var dtype: DType { self == .bf16 ? .bf16 : .f32 }
}
