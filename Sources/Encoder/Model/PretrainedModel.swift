import Foundation

/// A model with its tokenizer: a pre-trained one that a user installs, or what training has made of it. Copies share the weights,
/// which never change.
public struct PretrainedModel: Sendable {
  package let backbone: any Backbone
  /// By the names of their own layout.
  let tensors: [String: Tensor]
  /// Width of its adapters' bottlenecks; 0: it has none.
  public let adapterSize: Int

  init(backbone: any Backbone, tensors: [String: Tensor]) {
    self.backbone = backbone
    self.tensors = tensors
    adapterSize = backbone.adapterSize(in: tensors)
  }

  public var shape: ModelShape { backbone.shape }
  public var tokenizer: any Tokenizer { backbone.tokenizer }
  /// Tokens of the longest text that is read whole, special ones included; what is beyond is left out.
  public var maximumLength: Int { backbone.maximumLength }

  /// - Throws: `ModelError.noEncoder` for a language model, whose states of a text are no vector of it.
  public func requireEncoder() throws {
    if type(of: backbone).isGenerative { throw ModelError.noEncoder }
  }

  /// The same with these tensors instead of its own.
  func with(_ tensors: [String: Tensor]) -> PretrainedModel {
    PretrainedModel(backbone: backbone, tensors: tensors)
  }

  // MARK: - Layout

  static func layout(_ backbone: any Backbone, adapterSize: Int) -> ParameterLayout {
    var layout = ParameterLayout()
    _ = backbone.place(in: &layout, words: 0, adapterSize: adapterSize)
    return layout
  }

  /// Its parameters' places, and the network that computes with them.
  /// - Parameters:
  ///   - words: rows of the word table; 0 where it stays in its file.
  ///   - categories: of the head; 0: there is none.
  func place(words: Int = 0, categories: Int = 0) -> (layout: ParameterLayout, network: any Network) {
    var layout = ParameterLayout()
    let network = backbone.place(in: &layout, words: words, adapterSize: adapterSize)
    layout.placeHead(categories: categories, hidden: shape.hiddenSize)
    return (layout, network)
  }

  static func check(_ tensors: [String: Tensor], _ needed: [(name: String, shape: [Int])]) throws {
    for (name, shape) in needed {
      guard let tensor = tensors[name] else { throw ModelError.missingTensor(name) }
      guard tensor.shape == shape else {
        throw ModelError.wrongShape(tensor: name, expected: shape, found: tensor.shape)
      }
    }
  }

  /// - Throws: `ModelError` where the model cannot read these tokens.
  func check(_ encoding: Encoding) throws {
    guard !encoding.ids.isEmpty, encoding.ids.count <= shape.maximumPositions else {
      throw ModelError.textTooLong(tokens: encoding.ids.count, maximum: shape.maximumPositions)
    }
    for id in encoding.ids where id < 0 || id >= shape.vocabularySize {
      throw ModelError.tokenOutOfRange(id: Int(id), vocabulary: shape.vocabularySize)
    }
  }

  /// Lets go of what memory holds of the model's file.
  func releasePages() {
    let files = tensors.values.compactMap { $0.owner as? MappedFile }
    for (_, file) in Dictionary(files.map { (ObjectIdentifier($0), $0) }, uniquingKeysWith: { $1 }) {
      file.releasePages()
    }
  }

  // MARK: - Saving

  /// Writes a folder that `load` and Hugging Face transformers read.
  /// - Parameter withAdapters: whether a model's adapters stand among its weights, which transformers does not know.
  /// - Throws: `ModelError.cannotWrite`.
  public func save(to folder: URL, withAdapters: Bool = true) throws {
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw ModelError.cannotWrite(folder.lastPathComponent, reason: "the folder cannot be made")
    }
    let written = withAdapters ? tensors : tensorsWithoutAdapters
    try SafeTensors.write(written, to: folder.appendingPathComponent("model.safetensors"))
    for (name, contents) in try backbone.settingsFiles() {
      try ModelFile.write(contents, to: folder.appendingPathComponent(name))
    }
  }

  /// Bytes that `save` writes.
  public var bytesOnDisk: Int {
    let settings = (try? backbone.settingsFiles()) ?? []
    return tensors.values.reduce(settings.reduce(0) { $0 + $1.contents.count }) { $0 + $1.count * 4 }
  }
}
