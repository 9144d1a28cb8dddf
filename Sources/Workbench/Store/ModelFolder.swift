import Basics
import Foundation

/// A tuned model's files on their way into the workspace: written under a temporary name, made durable,
/// renamed, and only then, in the transaction that logs the step, given their row. A kill in between leaves a
/// folder that nothing names.
public struct ModelFolder: Sendable {
  /// Write the model's files here.
  public let folder: URL
  private let layout: Layout
  private let hold: FileHold?

  private static let prefix = ".new-"

  init(_ layout: Layout) throws {
    self.layout = layout
    folder = layout.models.appendingPathComponent(Self.prefix + UUID().uuidString)
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw layout.isFull
        ? WorkspaceError.diskFull(folder: layout.name) : WorkspaceError.readOnly(folder: layout.name)
    }
    hold = FileHold(folder)
  }

  /// Bytes that its files take.
  public var bytes: Int {
    Self.files(in: folder).reduce(0) { sum, file in
      let attributes = try? FileManager.default.attributesOfItem(atPath: file.path)
      return sum + ((attributes?[.size] as? NSNumber)?.intValue ?? 0)
    }
  }

  /// Removes the files: training failed or was interrupted.
  public func discard() { try? FileManager.default.removeItem(at: folder) }

  /// Makes the files durable; slow on a slow disk, so call it before the transaction.
  public func synchronise() throws {
    do {
      try DurableFile.synchronise(folder)
    } catch let error as FileError {
      throw WorkspaceError(error, layout)
    }
  }

  /// Gives the folder its name. A folder of that name that no row knows, left by a kill, makes way.
  fileprivate func rename(to name: String) throws {
    let target = layout.models.appendingPathComponent(name)
    try? FileManager.default.removeItem(at: target)
    do {
      try DurableFile.move(folder, to: target)
    } catch let error as FileError {
      // It went with the session that it was made in.
      throw error.number == ENOENT
        ? WorkspaceError.sessionGone(folder: layout.name) : WorkspaceError(error, layout)
    }
  }

  /// What killed trainings and removals left: folders that no model's row names.
  static func leftovers(_ layout: Layout, named: Set<String>) -> [URL] {
    files(in: layout.models).filter { !named.contains($0.lastPathComponent) }
  }

  /// Takes a folder's name away, so that a new model may have it while the files go; nil where there is none.
  fileprivate static func setAside(_ folder: URL, _ layout: Layout) -> URL? {
    let aside = layout.models.appendingPathComponent(prefix + UUID().uuidString)
    return Foundation.rename(folder.path, aside.path) == 0 ? aside : nil
  }

  private static func files(in folder: URL) -> [URL] {
    (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
  }
}

extension Workspace {
  /// A folder for a new model's files.
  public func newModelFolder() throws -> ModelFolder { try makeModelFolder() }

  /// The folder of a model's files.
  public func folder(of model: TunedModel) -> URL { modelsFolder.appendingPathComponent(model.folder) }

  /// Removes a removed model's files, once its row is gone; what stays is swept when the workspace is next opened.
  public func removeFiles(of model: TunedModel) {
    let aside = try? write { workbench -> URL? in
      // Another shell may have trained a model of the same name meanwhile.
      guard try !workbench.models().contains(where: { $0.folder == model.folder }) else { return nil }
      return ModelFolder.setAside(folder(of: model), workbench.layout)
    }
    if let aside = aside ?? nil { try? FileManager.default.removeItem(at: aside) }
  }
}

extension TunedModel {
  /// The file in its folder that every tuned encoder has, and a language model with a head.
  public static let headName = "head.safetensors"
  /// What a language model has learned: as Python's peft has a LoRA, or all of its weights.
  public static let loraName = "adapter_model.safetensors"
  public static let weightsName = "weights.safetensors"

  /// The file without which nobody can ask it.
  public var mainFile: String {
    guard taught != nil else { return Self.headName }
    return switch method {
    case "linear": Self.headName
    case "adapter": Self.loraName
    default: Self.weightsName
    }
  }
}

extension Workbench {
  /// Whether a model's main file is there; without it nobody can ask the model.
  public func isAskable(_ model: TunedModel) -> Bool {
    let folder = layout.models.appendingPathComponent(model.folder)
    return FileManager.default.fileExists(atPath: folder.appendingPathComponent(model.mainFile).path)
  }

  /// Puts a model's folder in its place and keeps its row, in one go.
  ///
  /// ``TunedModel/folder`` and ``TunedModel/bytes`` are set from the folder. Throws ``WorkspaceError``.
  @discardableResult
  public func publish(
    _ model: TunedModel, trainedOn texts: some Sequence<TextDigest>, from folder: ModelFolder
  ) throws -> TunedModel {
    try checkModelName(model.name)
    var model = model
    model.folder = model.name
    model.bytes = folder.bytes
    try folder.rename(to: model.name)
    try insert(model: model, trainedOn: texts)
    return model
  }
}
