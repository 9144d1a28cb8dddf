import Basics
import Foundation
import Synchronization

/// How far long work has come, on standard error: a bar with rate and time left on a terminal, a plain line now and then
/// where the terminal knows no escape codes, nothing where it is no terminal.
///
/// Work that ends within a third of a second shows nothing. May be called from any thread.
public final class Progress: Sendable {
  private struct State {
    var drawing = ProgressDrawing()
    var drawnAt: Double?
    var isOnScreen = false
  }

  private static let delay = 0.3
  private static let interval = 0.1
  private static let plainInterval = 10.0

  private let terminal: Terminal
  private let state = Mutex(State())

  public init(terminal: Terminal = .standardError) {
    self.terminal = terminal
  }

  /// Says how far the work is.
  ///
  /// - Parameters:
  ///   - done: units finished; less than before begins the count anew.
  ///   - total: all units; 0 where nobody knows.
  ///   - unit: what is counted, in the plural: `assets`.
  ///   - note: a few words more, such as the loss.
  public func update(done: Int, total: Int, unit: String, note: String? = nil) {
    guard terminal.isTerminal else { return }
    let now = Self.now
    state.withLock { state in
      state.drawing.update(done: done, total: total, unit: unit, note: note, at: now)
      let since = state.drawnAt ?? state.drawing.startedAt
      let wait = terminal.isDumb ? Self.plainInterval : state.drawnAt == nil ? Self.delay : Self.interval
      guard now - since >= wait else { return }
      state.drawnAt = now
      show(&state, at: now)
    }
  }

  /// Takes the bar off the screen. Further updates begin anew.
  public func finish() {
    state.withLock { state in
      erase(&state)
      state = State()
    }
  }

  /// Puts a line above the bar; where there is no terminal, a line of its own.
  public func message(_ text: String) {
    state.withLock { state in
      let wasOnScreen = state.isOnScreen
      erase(&state)
      terminal.write(text + "\n")
      if wasOnScreen { show(&state, at: Self.now) }
    }
  }

  private func show(_ state: inout State, at now: Double) {
    let width = terminal.width
    if terminal.isDumb {
      terminal.write(state.drawing.plain(at: now) + "\n")
    } else {
      // One column stays free: a terminal that wraps at once would scroll at every redraw.
      let line = state.drawing.line(width: width - 1, unicode: terminal.unicode, at: now)
      terminal.write("\r" + line + "\u{1B}[K")
      state.isOnScreen = true
    }
  }

  private func erase(_ state: inout State) {
    guard state.isOnScreen else { return }
    terminal.write("\r\u{1B}[K")
    state.isOnScreen = false
  }

  private static var now: Double { ProcessInfo.processInfo.systemUptime }
}

/// The progress line as text, from what has been told and the time; seconds count from anywhere.
public struct ProgressDrawing: Sendable {
  public private(set) var done = 0
  public private(set) var total = 0
  public private(set) var unit = ""
  public private(set) var note: String?
  public private(set) var startedAt = 0.0
  private var firstDone = 0
  /// Recent (time, done), the oldest first: the rate follows a change of speed within seconds.
  private var recent: [(time: Double, done: Int)] = []

  public init() {}

  public mutating func update(done: Int, total: Int, unit: String, note: String?, at now: Double) {
    if recent.isEmpty || done < self.done || unit != self.unit {
      startedAt = now
      firstDone = done
      recent = []
    }
    self.done = done
    self.total = total
    self.unit = unit
    self.note = note
    if let last = recent.last, now - last.time < 0.25, recent.count > 1 {
      recent[recent.count - 1] = (now, done)
    } else {
      recent.append((now, done))
    }
    while recent.count > 2, now - recent[0].time > 10 { recent.removeFirst() }
  }

  /// Units a second over the last ten seconds; `nil` before it can be told.
  public func rate(at now: Double) -> Double? {
    guard let first = recent.first, now - first.time > 0.05, done > first.done else { return nil }
    return Double(done - first.done) / (now - first.time)
  }

  /// `[=====>    ] 480/800 assets  60 %  212/s  2 s left  loss 0.61`, cut to the width.
  public func line(width: Int, unicode: Bool, at now: Double) -> String {
    let facts = facts(at: now)
    let text = facts.joined(separator: "  ")
    let room = min(30, width - text.displayWidth - 4)
    guard total > 0, room >= 8 else { return text.cut(to: width, ellipsis: unicode ? "…" : "...") }
    let bar = BarDrawing.draw(share, width: room, unicode: unicode)
    let rest = String(repeating: " ", count: max(0, room - bar.displayWidth))
    let edges = unicode ? ("▕", "▏") : ("[", "]")
    return edges.0 + bar + rest + edges.1 + " " + text
  }

  /// The same without a bar, for a terminal that only prints.
  public func plain(at now: Double) -> String { facts(at: now).joined(separator: "  ") }

  private var share: Double { total > 0 ? min(1, Double(done) / Double(total)) : 0 }

  private func facts(at now: Double) -> [String] {
    var facts = [total > 0 ? "\(done)/\(total) \(unit)" : "\(done) \(unit)"]
    if total > 0 { facts.append("\(Int(share * 100)) %") }
    if let rate = rate(at: now) {
      facts.append(Self.rate(rate))
      if total > done { facts.append(Self.duration(Double(total - done) / rate) + " left") }
    }
    if let note { facts.append(note.visible) }
    return facts
  }

  private static func rate(_ rate: Double) -> String {
    switch rate {
    case 10_000_000...: "\(Int(rate / 1_000_000)) M/s"
    case 10_000...: "\(Int(rate / 1000)) k/s"
    case 10...: "\(Int(rate))/s"
    default: String(format: "%.1f/s", rate)
    }
  }

  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 360_000 else { return "days" }
    let whole = Int(seconds.rounded(.up))
    switch whole {
    case 3600...: return "\(whole / 3600) h \(whole % 3600 / 60) min"
    case 60...: return "\(whole / 60) min \(whole % 60) s"
    default: return "\(whole) s"
    }
  }
}
