/// The learning rate's course: from nothing to its highest along a straight line, then to nothing along another.
struct Schedule {
  let steps: Int
  /// Share of the steps that the rise takes.
  let warmup: Double

  /// Share of the highest rate in step `step`, counted from 0.
  func share(_ step: Int) -> Float {
    let rise = warmup * Double(steps)
    let fall = (1 - warmup) * Double(steps)
    let rising = rise > 0 ? Double(step + 1) / rise : 1
    let falling = fall > 0 ? Double(steps - step) / fall : 1
    return Float(min(1, rising, falling))
  }
}
