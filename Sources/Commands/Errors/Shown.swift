import Shell

/// A failure that has been shown where it happened.
struct Shown: Error {
  let failure: Failure?
}
