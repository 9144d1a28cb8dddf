import Shell

/// A failure that has been shown where it happened.
struct AlreadyReported: Error {
  let diagnostic: Diagnostic?
}
