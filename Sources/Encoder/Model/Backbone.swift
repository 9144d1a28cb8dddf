import Foundation

/// A family of pre-trained models: what its settings, its tensors' names and their shapes mean, and how it computes.
///
/// One folder or file beside `Families/BERT` is a family; it is found by the name that a model's own files give
/// (`Families`). Nothing above this protocol knows one family from another:
///
///     let model = try PretrainedModel.load(folder: folder)        // some family
///     let states = try Embedder(model: model).pooled(encodings)   // one vector a text
package protocol Backbone: Sendable {
  /// The values of `model_type` in `config.json`, or of `general.architecture` in a GGUF file, that mean this family.
  static var families: [String] { get }

  /// The files of a model's folder that it reads, those too that may be missing.
  static func fileNames(of checkpoint: Checkpoint) -> [String]

  /// All besides the weights that decides what a model makes of a text: for telling models apart. The same for folders that
  /// say the same in other words.
  /// - Throws: `ModelError`.
  static func identity(of checkpoint: Checkpoint) throws -> Data

  /// As an instance's `maximumLength`, without reading the tokenizer where that can be.
  /// - Throws: `ModelError`.
  static func maximumLength(of checkpoint: Checkpoint) throws -> Int

  /// Reads settings and tokenizer, and checks them; no weights.
  /// - Throws: `ModelError`.
  init(_ checkpoint: Checkpoint) throws

  /// Whether it goes on with a text and does not read it as a whole: a language model, no encoder.
  static var isGenerative: Bool { get }

  var shape: ModelShape { get }
  var tokenizer: any Tokenizer { get }
  /// Tokens of the longest text that is read whole, special ones included; what is beyond is left out.
  var maximumLength: Int { get }

  /// The name that a layout knows a tensor by, from that in the file.
  func ownName(_ name: String) -> String

  /// A tensor as the layout knows it, by its own name, from that in the file.
  func own(_ tensor: Tensor, name: String) -> Tensor

  /// Width of new adapters' bottlenecks; 0: the family has no adapters.
  static var newAdapterSize: Int { get }
  /// Whether the layers' norms learn with the adapters and are kept with them.
  static var adaptersTuneNorms: Bool { get }
  /// Width of the adapters among these tensors, by their own names; 0: there are none.
  func adapterSize(in tensors: [String: Tensor]) -> Int

  /// LoRA's alpha, where a family's adapters are of that kind: their products are multiplied by alpha / rank.
  var adapterAlpha: Float? { get }
  /// The same family with another alpha; nil where it has none.
  func with(adapterAlpha: Float) -> (any Backbone)?

  /// Gives each parameter its place and its tensor, and names the network that computes with them.
  /// - Parameters:
  ///   - words: rows of the word table; 0 where it stays in its file.
  ///   - adapterSize: as ``adapterSize(in:)``.
  func place(in layout: inout ParameterLayout, words: Int, adapterSize: Int) -> any Network

  /// The small files of a saved model, beside its weights.
  func settingsFiles() throws -> [(name: String, contents: Data)]

  /// The metadata of the GGUF file that it came from, for another; nil where it came from a folder.
  /// - Throws: `ModelError`.
  func ggufEntries() throws -> [(key: String, value: Data)]?
  /// A tensor by its own name, as a GGUF file names and holds it.
  func ggufTensor(_ tensor: Tensor, name: String) -> (name: String, tensor: Tensor)
}

extension Backbone {
  package static func maximumLength(of checkpoint: Checkpoint) throws -> Int {
    try Self(checkpoint).maximumLength
  }
  package static var isGenerative: Bool { false }
  package static var newAdapterSize: Int { 0 }
  package static var adaptersTuneNorms: Bool { true }
  package func ggufEntries() throws -> [(key: String, value: Data)]? { nil }
  package func ggufTensor(_ tensor: Tensor, name: String) -> (name: String, tensor: Tensor) { (name, tensor) }
  package var adapterAlpha: Float? { nil }
  package func with(adapterAlpha: Float) -> (any Backbone)? { nil }
  package func adapterSize(in tensors: [String: Tensor]) -> Int { 0 }
  package func ownName(_ name: String) -> String { name }
  package func own(_ tensor: Tensor, name: String) -> Tensor { tensor }
}

/// The sizes of a model that others than its family ask for.
public struct ModelShape: Sendable, Equatable {
  public var layers: Int
  /// Numbers that stand for one token between layers.
  public var hiddenSize: Int
  /// Of the keys of one token, as of its values.
  public var keyWidth: Int
  /// Heads that the keys are divided among.
  public var keyHeads: Int
  public var vocabularySize: Int
  /// Longest sequence, in tokens.
  public var maximumPositions: Int

  /// - Parameter keyWidth: nil for as many as the hidden size.
  package init(
    layers: Int, hiddenSize: Int, keyWidth: Int? = nil, keyHeads: Int = 1, vocabularySize: Int,
    maximumPositions: Int
  ) {
    (self.layers, self.hiddenSize) = (layers, hiddenSize)
    (self.keyWidth, self.keyHeads) = (keyWidth ?? hiddenSize, keyHeads)
    (self.vocabularySize, self.maximumPositions) = (vocabularySize, maximumPositions)
  }
}

/// A model whose parameters have their places.
package protocol Network: Sendable {
  /// Numbers a row in texts of up to `longest` tokens, for estimating memory: what one layer saves for the backward pass, and
  /// what is computed in.
  func numbersInRow(longest: Int) -> (savedInLayer: Int, scratch: Int)

  /// Memory for one thread to compute in: up to `rows` rows in texts of up to `longest` tokens.
  /// - Parameter isTraining: whether a backward pass will follow forward passes.
  /// - Throws: `ModelError`.
  func pass(_ parameters: ParameterStore, rows: Int, longest: Int, isTraining: Bool) throws -> any Pass

  /// Takes whole batches of prompts and completions there and back, by all threads of `pool`.
  /// - Parameter scope: the most that any step will change.
  /// - Throws: `ModelError.noGeneration` where its family does not write.
  func completionPass(_ parameters: ParameterStore, scope: TrainableScope, pool: ThreadPool) throws
    -> any CompletionPass

  /// What makes logits of states, `[hidden, vocabulary]`, in a model that writes; nil where the word table does.
  var outputMatrix: ParameterLayout.Matrix? { get }
}

extension Network {
  package var outputMatrix: ParameterLayout.Matrix? { nil }

  package func completionPass(_ parameters: ParameterStore, scope: TrainableScope, pool: ThreadPool) throws
    -> any CompletionPass
  { throw ModelError.noGeneration }
}

/// One thread's way through a network, forward and backward. Used by one thread at a time.
package protocol Pass: AnyObject, Sendable {
  /// The last layer's states, `[rows, hidden]`, in this pass's own memory until the next call.
  ///
  /// - Parameters:
  ///   - words: the word table, `[words, hidden]`, whose rows `texts.words` numbers.
  ///   - blocks: rows that are multiplied at once. A product's last bits may depend on how many rows it has, never on others'
  ///     values.
  ///   - products: where what products read is kept for the matrices' gradients; nil: nothing goes back.
  func forward(
    _ texts: PackedTexts, words: UnsafePointer<Float>, blocks: [Range<Int>], products: SavedProducts?
  ) throws -> FloatPointer

  /// The way back of the last `forward`.
  /// - Parameters:
  ///   - gradient: `[rows, hidden]`: of the last states on the way in; on the way out of the sums of the tables' rows where
  ///     `lowest` is nil, else of the input of layer `lowest`, the lowest one that learns.
  ///   - products: takes the gradients of what the products gave.
  ///   - vectors: the gradients of biases and norms, laid out as the parameters are; added to.
  func backward(
    _ texts: PackedTexts, gradient: FloatPointer, products: SavedProducts, vectors: FloatPointer, lowest: Int?
  ) throws
}
