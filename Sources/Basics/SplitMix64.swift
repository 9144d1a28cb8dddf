/// The step of SplitMix64 (Steele, Lea and Flood 2014): a bijection that makes of each number one that looks random.
@inlinable package func splitMix64(_ number: UInt64) -> UInt64 {
  var z = number
  z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
  z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
  return z ^ (z >> 31)
}
