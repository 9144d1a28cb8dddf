import Basics
import Foundation
import Synchronization

/// The families of models that fettle runs, by the name that a model's files give.
package enum Families {
  private static let known = Mutex<[any Backbone.Type]>([BERT.self, Llama.self])

  /// Adds a family, in the place of those of the same names.
  package static func register(_ family: any Backbone.Type) {
    known.withLock { known in
      known.removeAll { !Set($0.families).isDisjoint(with: family.families) }
      known.append(family)
    }
  }

  /// - Throws: `ModelError.malformedConfiguration` where no family has that name.
  package static func family(of checkpoint: Checkpoint) throws -> any Backbone.Type {
    let known = known.withLock { $0 }
    guard let family = known.first(where: { $0.families.contains(checkpoint.family) }) else {
      let names = known.flatMap { $0.families }
      let key = checkpoint.gguf == nil ? "model_type" : "general.architecture"
      throw checkpoint.malformed(
        "its \(key) is \(checkpoint.family.excerpt()), not \(names.sorted().joined(separator: " or "))")
    }
    return family
  }

  /// Reads settings and tokenizer of a model's folder.
  /// - Throws: `ModelError`.
  package static func backbone(of checkpoint: Checkpoint) throws -> any Backbone {
    try family(of: checkpoint).init(checkpoint)
  }
}
