import Foundation
import Synchronization

/// The terminal's modes while a prompt has it and edits no line: no echo, so that what is typed ahead does not disturb the progress line; not
/// line by line, so that a long paste is not cut at 4,095 bytes; signals on, so that Ctrl-C stops the command.
///
/// Reachable from signal handlers, hence the globals below: a program that dies or is stopped with the echo off leaves its
/// user with a terminal that seems dead.
struct TerminalModes: Sendable {
  let descriptor: Int32

  /// Remembers the modes as they are now; `nil` where the descriptor is no terminal.
  init?(descriptor: Int32) {
    self.descriptor = descriptor
    var modes = termios()
    guard tcgetattr(descriptor, &modes) == 0 else { return nil }
    savedModes.pointee = modes
    modes.quieten()
    quietModes.pointee = modes
    modesDescriptor.store(descriptor, ordering: .releasing)
  }

  /// Has the modes restored where a command ends the process itself.
  func restoreAtExit() {
    atexit { if isQuiet.load(ordering: .acquiring) { TerminalModes.leave() } }
  }

  func quiet() {
    isQuiet.store(true, ordering: .releasing)
    Self.set(quietModes)
  }

  func restore() {
    isQuiet.store(false, ordering: .releasing)
    Self.set(savedModes)
  }

  /// Runs another program with the modes that the prompt found.
  static func asBefore<T>(_ body: () -> T) -> T {
    isQuiet.store(false, ordering: .releasing)
    set(savedModes)
    defer {
      isQuiet.store(true, ordering: .releasing)
      set(quietModes)
    }
    return body()
  }

  /// Whether the terminal is in these modes now.
  static var areQuiet: Bool { isQuiet.load(ordering: .acquiring) }

  // MARK: - In signal handlers

  /// Puts the terminal in order before the process stops or dies. Safe in a signal's handler.
  static func leave() {
    set(savedModes)
    let descriptor = modesDescriptor.load(ordering: .acquiring)
    if pasteIsBracketed.load(ordering: .relaxed), descriptor >= 0 {
      var code: (UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8) =
        (0x1B, 0x5B, 0x3F, 0x32, 0x30, 0x30, 0x34, 0x6C)
      _ = write(STDOUT_FILENO, &code, 8)
    }
  }

  /// Goes on after a stop as before it. Safe in a signal's handler.
  static func enter() {
    if isQuiet.load(ordering: .acquiring) { set(quietModes) }
  }

  private static func set(_ modes: UnsafePointer<termios>) {
    let descriptor = modesDescriptor.load(ordering: .acquiring)
    if descriptor >= 0 { set(modes, of: descriptor) }
  }

  /// Never with TCSAFLUSH, which throws away what is typed ahead. Safe in a signal's handler.
  static func set(_ modes: UnsafePointer<termios>, of descriptor: Int32) {
    while tcsetattr(descriptor, TCSADRAIN, modes) != 0, errno == EINTR {}
  }

  /// Whether pastes come between escape codes now.
  static func notePaste(isBracketed: Bool) {
    pasteIsBracketed.store(isBracketed, ordering: .relaxed)
  }
}

extension termios {
  /// Keys come one at a time and unseen; signals stay.
  mutating func quieten() {
    c_lflag &= ~UInt32(ICANON | ECHO)
    withUnsafeMutableBytes(of: &c_cc) { characters in
      characters[Int(VMIN)] = 1
      characters[Int(VTIME)] = 0
    }
  }
}

nonisolated(unsafe) private let savedModes = UnsafeMutablePointer<termios>.allocate(capacity: 1)
nonisolated(unsafe) private let quietModes = UnsafeMutablePointer<termios>.allocate(capacity: 1)
private let modesDescriptor = Atomic<Int32>(-1)
private let isQuiet = Atomic<Bool>(false)
private let pasteIsBracketed = Atomic<Bool>(false)
