import Glibc

/// Waits until one of the descriptors can be read, or is at its end.
///
/// - Parameter milliseconds: for how long at the most; -1 for as long as it takes.
/// - Returns: which of them can be; none where the time is over or a signal came.
func waitForInput(of descriptors: [Int32], within milliseconds: Int32 = -1) -> [Bool] {
  var states = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
  _ = poll(&states, nfds_t(states.count), milliseconds)
  return states.map { $0.revents != 0 }
}

/// Whether a descriptor can be read at once, or within some milliseconds. Ctrl-C's signal may reach any thread, so whoever waits
/// for it does so a little at a time and asks in between.
func hasInput(_ descriptor: Int32, within milliseconds: Int32 = 0) -> Bool {
  waitForInput(of: [descriptor], within: milliseconds)[0]
}
