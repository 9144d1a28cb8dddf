import Workbench

/// What the models' answers depend on besides the models: another shell may change it while they work.
struct Basis {
  private let interface: Interface?
  private let base: EncoderReference?

  init(_ workbench: Workbench) throws {
    (interface, base) = (try workbench.interface(), try workbench.chosenBase())
  }

  func isCurrent(_ workbench: Workbench) throws -> Bool {
    try workbench.interface() == interface && workbench.chosenBase() == base
  }
}
