import ArgumentParser
import Basics
import Classifiers
import Encoder
import Foundation
import Shell
import Tasks
import Workbench

extension Export {
  /// A tuned model for other programs: what is learned here can be used where the learner's others are.
  struct ModelFolder: Verb {
    static let configuration = CommandConfiguration(
      commandName: "model",
      abstract: "Write a tuned model as a folder for Python, or as a GGUF file for llama.cpp.")
    @Argument(help: "The folder to make.", completion: .directory) var folder: Text?
    @OptionGroup var chosen: ModelOption
    @Flag(help: "Put it in the place of a model that was exported before.") var replace = false
    @Flag(help: "A language model's whole weights, with its LoRA in them, for Python's transformers.")
    var merge = false
    @Option(
      help: ArgumentHelp(
        "In place of a folder: a language model in one GGUF file, for llama.cpp and Ollama.",
        valueName: "file"),
      completion: .file(extensions: ["gguf"]))
    var gguf: Text?
    @Flag(help: "All numbers of the GGUF file in f32; else a tuned one is rounded to f16.") var f32 =
      false

    func validate() throws {
      switch (folder, gguf) {
      case (nil, nil): throw ValidationError("Name the folder to make, or a file: --gguf FILE")
      case (.some, .some): throw ValidationError("Name the folder or --gguf FILE, one at a time")
      default: break
      }
      if f32, gguf == nil { throw ValidationError("--f32 is for --gguf; folders have all numbers in f32") }
    }

    private var path: String { (gguf ?? folder)?.description ?? "" }

    func perform(in context: Context) throws -> Effect {
      let model = try context.workspace.read { try self.model($0, in: context.models) }
      let target = try self.target(context)
      let exported = try self.exported(model, context)
      // Beside its place, so that the last step is a change of name and what has this name is always whole.
      let partial = target.deletingLastPathComponent().appending(
        path: ".\(target.lastPathComponent).fettle-part")
      let manager = FileManager.default
      defer { try? manager.removeItem(at: partial) }
      do {
        try? manager.removeItem(at: partial)
        if gguf == nil { try manager.createDirectory(at: partial, withIntermediateDirectories: false) }
        try exported.write(to: partial)
        try context.checkCancellation()
        try gguf == nil ? move(partial, to: target) : DurableFile.move(partial, to: target)
      } catch let ModelError.cannotWrite(file, reason) {
        let shown = context.files.shown(path)
        throw ModelError.cannotWrite(gguf == nil ? "\(shown)/\(file)" : shown, reason: reason)
      } catch let error
        where error is CancellationError || error is ModelError || error is AddressSpace.Shortage
      {
        throw error
      } catch {
        throw CommandError.cannotWrite(path: context.files.shown(path))
      }
      let recordedOptions: (Workbench) throws -> [String] = { try chosen.recordedOptions(model, $0) }
      return Effect(recordedOptions: recordedOptions) { _ in exported.report(context.files.shown(path)) }
    }

    // MARK: - Which model

    /// A tuned one, or an installed language model.
    private func model(_ workbench: Workbench, in models: ModelLibrary) throws -> ModelSelection {
      let found = try chosen.resolve(workbench, in: models)
      if case .language(let name, _, _) = found {
        guard merge || gguf != nil else {
          throw CommandError.other(
            code: "not-tuned",
            "\(name.visible) is a language model that nobody has tuned, so there is no LoRA to write. "
              + "Write all of it: --merge, or --gguf FILE")
        }
        return .language(name, .free)
      }
      let tuned = try chosen.tuned(workbench, in: models, insteadOfBase: .baseHasNoHead)
      if tuned.taught == nil, merge || gguf != nil {
        throw CommandError.usage(
          "\(merge ? "--merge" : "--gguf") is for language models, and \(tuned.name) compares texts. Leave it out: "
            + "export model FOLDER writes it for sentence-transformers.")
      }
      if tuned.taught != nil, !tuned.isPrompted {
        throw CommandError.other(
          code: "export-head",
          "\(tuned.name) is a head on \(tuned.base)'s last state, which peft, transformers and llama.cpp have no place for. "
            + "Teach it to write, and export that: finetune --base \(Language.quoted(tuned.base)) --dataset "
            + "\(Language.quoted(tuned.dataset)) --method adapter")
      }
      return .tuned(tuned)
    }

    private func exported(_ model: ModelSelection, _ context: Context) throws -> any Exported {
      if case .tuned(let tuned, _) = model, tuned.taught == nil {
        let encoder = try context.models.encoder(of: model).model
        return ExportedModel(
          name: tuned.name, method: tuned.method, categories: tuned.categories, encoder: encoder,
          head: try context.models.head(of: tuned, for: encoder))
      }
      let weights = try context.models.pretrained(model)
      if gguf != nil, !weights.isFromGGUF { throw ModelError.noGGUF }
      var form = gguf == nil ? ExportedLanguageModel.Form.merged : .gguf(halves: !f32)
      var lesson: PromptedLesson?
      var method: String?
      if case .tuned(let tuned, _) = model {
        lesson = try tuned.lesson.map { try PromptedLesson($0, model: weights) }
        method = tuned.method
        if gguf == nil, !merge, weights.adapterSize > 0 {
          form = .lora(base: try context.models.model(underLoRA: tuned))
        }
      }
      return ExportedLanguageModel(
        name: model.name, method: method, model: weights, lesson: lesson, form: form)
    }

    // MARK: - Where to

    private func target(_ context: Context) throws -> URL {
      guard gguf == nil else {
        return try context.files.writing(path, replacing: replace).resolvingSymlinksInPath()
      }
      let target = try context.files.writing(path, isFolder: true).resolvingSymlinksInPath()
      try checkPlace(target, context)
      return target
    }

    /// An empty folder may be taken; a full one only by leave, and only where all in it came from an export.
    private func checkPlace(_ target: URL, _ context: Context) throws {
      let shown = context.files.shown(path)
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: target.path, isDirectory: &isFolder) else { return }
      guard isFolder.boolValue else { throw CommandError.notFolder(path: shown) }
      let files = try FileManager.default.contentsOfDirectory(atPath: target.path).sorted()
      let known = ExportedModel.files.union(ExportedLanguageModel.files)
      if let other = files.first(where: { !known.contains($0) }) {
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
  }
}

/// A model in another program's form.
protocol Exported {
  /// - Parameter place: an empty folder, or where the one file is to be.
  /// - Throws: `ModelError`, or the system's own error.
  func write(to place: URL) throws
  /// - Parameter path: as the answer calls the place.
  func report(_ path: String) -> Report
}
