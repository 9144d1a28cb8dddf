import ArgumentParser
import Encoder

/// What `finetune --method` takes: one of the tutorial's four methods, or all of them side by side.
enum MethodChoice: String, CaseIterable, ExpressibleByArgument {
  case linear, full, gradual, adapter, all

  var methods: [Method] { Method(rawValue: rawValue).map { [$0] } ?? Method.allCases }
}
