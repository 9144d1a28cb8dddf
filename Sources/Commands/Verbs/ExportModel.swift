import ArgumentParser
import Encoder
import Foundation
import Shell
import Tasks
import Workbench

extension Export {
  /// A tuned model for Python: what is learned here can be used where the learner's other programs are.
  struct ModelFolder: Verb {
    static let configuration = CommandConfiguration(
      commandName: "model", abstract: "Write a tuned model as a folder that sentence-transformers loads.")
    @Argument(help: "The folder to make.", completion: .directory) var folder: Text
    @OptionGroup var chosen: ModelOption
    @Flag(help: "Put it in the place of a model that was exported before.") var replace = false

    func perform(in context: Context) throws -> Effect {
      let path = folder.description
      let model = try context.workspace.read {
        try chosen.tuned($0, in: context.models, insteadOfBase: .baseHasNoHead)
      }
      guard model.taught == nil else {
        let lora = model.isPrompted && model.method == Method.adapter.rawValue
        throw CommandError.other(
          code: "export-language-model",
          "\(model.name) is a tuned language model, and export model writes encoders only, as yet."
            + (lora
              ? " Its LoRA lies in the workspace's models/\(model.folder): two files that Python's peft loads."
              : ""))
      }
      let target = try context.files.writing(path, isFolder: true).resolvingSymlinksInPath()
      let encoder = try context.models.encoder(of: .tuned(model)).model
      let exported = ExportedModel(
        name: model.name, method: model.method, categories: model.categories, encoder: encoder,
        head: try context.models.head(of: model, for: encoder))
      try checkPlace(target, context)
      // Beside its place, so that the last step is a change of name and a folder of this name is always whole.
      let partial = target.deletingLastPathComponent().appending(
        path: ".\(target.lastPathComponent).fettle-part")
      let manager = FileManager.default
      defer { try? manager.removeItem(at: partial) }
      do {
        try? manager.removeItem(at: partial)
        try manager.createDirectory(at: partial, withIntermediateDirectories: false)
        try exported.write(to: partial)
        try context.checkCancellation()
        try move(partial, to: target)
      } catch let error as CancellationError {
        throw error
      } catch let ModelError.cannotWrite(file, reason) {
        throw ModelError.cannotWrite("\(context.files.shown(path))/\(file)", reason: reason)
      } catch {
        throw CommandError.cannotWrite(path: context.files.shown(path))
      }
      let recordedOptions: (Workbench) throws -> [String] = { try chosen.recordedOptions(.tuned(model), $0) }
      return Effect(recordedOptions: recordedOptions) { _ in report(model, context.files.shown(path)) }
    }

    /// An empty folder may be taken; a full one only by leave, and only where all in it came from an export.
    private func checkPlace(_ target: URL, _ context: Context) throws {
      let shown = context.files.shown(folder.description)
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: target.path, isDirectory: &isFolder) else { return }
      guard isFolder.boolValue else { throw CommandError.notFolder(path: shown) }
      let files = try FileManager.default.contentsOfDirectory(atPath: target.path).sorted()
      if let other = files.first(where: { !ExportedModel.files.contains($0) }) {
        throw CommandError.folderInUse(path: shown, file: other, replaceable: false)
      }
      if let file = files.first, !replace {
        throw CommandError.folderInUse(path: shown, file: file, replaceable: true)
      }
    }

    private func move(_ partial: URL, to target: URL) throws {
      let manager = FileManager.default
      let old = target.deletingLastPathComponent().appending(path: ".\(target.lastPathComponent).fettle-old")
      try? manager.removeItem(at: old)
      let stood = manager.fileExists(atPath: target.path)
      if stood { try manager.moveItem(at: target, to: old) }
      do {
        try manager.moveItem(at: partial, to: target)
      } catch {
        if stood { try? manager.moveItem(at: old, to: target) }
        throw error
      }
      try? manager.removeItem(at: old)
    }

    private func report(_ model: TunedModel, _ path: String) -> Report {
      var report = Report(verb: "export model")
      report.blocks.append(
        .line("Wrote \(model.name), \(model.categories.count) categories, to \(path.visible)."))
      report.json = [
        "model": .string(model.name), "method": .string(model.method), "folder": .string(path),
        "categories": .array(model.categories.map { .string($0) }),
      ]
      report.hint = "its README.md tells how Python loads it"
      return report
    }
  }
}
