import ArgumentParser
import Shell
import Workbench

/// What a verb works on by default, and may be told by name.
protocol NamedOption: ParsableArguments {
  associatedtype Value
  /// As it is typed: `--dataset`.
  static var option: String { get }
  var given: Text? { get }
  func resolve(_ workbench: Workbench) throws -> Value
  static func name(of value: Value) -> String
}

extension NamedOption {
  /// What the recorded command has to name, now that the verb has worked on `used`: the default may be another by now.
  func recordedOptions(_ used: Value, _ workbench: Workbench) throws -> [String] {
    let name = Self.name(of: used)
    guard given == nil, (try? resolve(workbench)).map(Self.name(of:)) != name else { return [] }
    return [Self.option, Language.quoted(name)]
  }
}
