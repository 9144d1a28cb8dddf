import Encoder
import Foundation
import Testing

/// The two methods that change a part of the encoder.
@Suite struct PartialMethodTests {
  private let folder: URL
  private let model: PretrainedModel
  private let examples: [(encoding: Encoding, category: Int)]

  init() throws {
    let folder = try TestFiles.reference("tiny-bert")
    let model = try PretrainedModel.load(folder: folder)
    self.folder = folder
    self.model = model
    let letters = ["abcdefgh", "ijklmnop", "qrstuvwx"].map { Array($0) }
    examples = (0..<45).map { number in
      let words = (0..<1 + number % 9).map { String(letters[number % 3][(number * 7 + $0 * 5) % 8]) }
      return (model.tokenizer.encode(words.joined(separator: " "), maximumLength: 16), number % 3)
    }
  }

  private func options(_ method: Method, epochs: Int = 4) -> TrainingOptions {
    var options = TrainingOptions.defaults(for: method)
    options.epochs = epochs
    options.holdout = 0
    options.dropout = 0
    options.learningRate = 1e-2
    options.threads = 2
    return options
  }

  private func train(_ options: TrainingOptions, _ model: PretrainedModel? = nil) throws -> TrainingResult {
    try fineTune(model ?? self.model, head: nil, examples: examples, categories: 3, options: options)
  }

  private func vectors(_ model: PretrainedModel) throws -> [[Float]] {
    try Embedder(model: model, threads: 2).pooled(examples.map(\.encoding))
  }

  @Test("New adapters change nothing; trained ones do") func identity() throws {
    var options = options(.adapter)
    #expect(try vectors(train(options).model) != vectors(model))
    options.learningRate = 0
    let still = try train(options)
    #expect(try vectors(still.model) == vectors(model))
    #expect(still.model.adapterSize == 16 && model.adapterSize == 0)
  }

  @Test("The adapter file is small, and with the base it is the whole tuned model") func file() throws {
    let tuned = try train(options(.adapter))
    try TestFiles.withTemporaryFolder { place in
      try tuned.model.save(adapterTo: place)
      let file = place.appendingPathComponent(PretrainedModel.adapterName)
      #expect(try FileManager.default.contentsOfDirectory(atPath: place.path) == ["adapter.safetensors"])
      let size = try Data(contentsOf: file).count
      let claimed = model.bytesOnDisk(tunedBy: .adapter, categories: 0)
      #expect(size >= claimed && size < claimed + 8192)
      // What is not in the file must be as it was, or the vectors would differ.
      let again = try PretrainedModel.load(folder: folder).with(adapter: file)
      #expect(try vectors(again) == vectors(tuned.model))

      // Two layers, each with two bottlenecks of 16 and two norms; and the head.
      let hidden = model.shape.hiddenSize
      let adapters = 2 * 2 * (2 * hidden * 16 + 16 + hidden + 2 * hidden)
      #expect(tuned.trainableParameters == adapters + 3 * hidden + 3)
      #expect(claimed == 4 * adapters)
      #expect(tuned.model.bytesOnDisk(tunedBy: .adapter, categories: 0) == claimed)
    }
  }

  @Test("A model with adapters is tuned further: its own go on, and full saves them among its weights")
  func further() throws {
    let first = try train(options(.adapter))
    let second = try fineTune(
      first.model, head: first.head, examples: examples, categories: 3, options: options(.adapter))
    #expect(second.model.adapterSize == 16 && second.finalLoss < first.epochs[0].loss)
    let full = try train(options(.full), first.model)
    try TestFiles.withTemporaryFolder { place in
      try full.model.save(to: place)
      let again = try PretrainedModel.load(folder: place)
      #expect(again.adapterSize == 16)
      #expect(try vectors(again) == vectors(full.model))
    }
  }

  @Test("What is no adapter of this model is refused") func refusals() throws {
    #expect(throws: ModelError.self) {
      let base = try PretrainedModel.load(folder: folder)
      return try base.with(adapter: folder.appendingPathComponent("none.safetensors"))
    }
    #expect(
      throws: ModelError.missingTensor("encoder.layer.0.attention.output.adapter.down.weight")
    ) {
      let base = try PretrainedModel.load(folder: folder)
      return try base.with(adapter: folder.appendingPathComponent("model.safetensors"))
    }
    #expect(throws: ModelError.self) { try model.save(adapterTo: folder) }
    try TestFiles.withTemporaryFolder { place in
      try train(options(.adapter, epochs: 1)).model.save(adapterTo: place)
      let file = place.appendingPathComponent(PretrainedModel.adapterName)
      let whole = try Data(contentsOf: file)
      try whole.prefix(whole.count - 4).write(to: file)
      #expect(throws: ModelError.self) { try PretrainedModel.load(folder: folder).with(adapter: file) }
      try whole.write(to: file)
      try WeightsFile.change(file) { name, _, number in name.hasSuffix("down.bias") ? .nan : number }
      let broken = try PretrainedModel.load(folder: folder).with(adapter: file)
      #expect(throws: ModelError.self) { try vectors(broken) }
    }
  }

  @Test("The gradients of adapters, and those that come through them, are the slopes of the loss")
  func slopes() throws {
    let tuned = try train(options(.adapter, epochs: 1))
    var options = options(.full)
    options.batchSize = examples.count
    func record(_ model: PretrainedModel) throws -> StepRecord {
      try StepRecord.record(steps: 1, model, head: tuned.head, examples: examples, options: options)[0]
    }
    let gradients = try record(tuned.model).gradients
    for name in [
      "encoder.layer.0.attention.output.adapter.down.weight", "encoder.layer.1.output.adapter.up.weight",
      "encoder.layer.0.output.adapter.down.bias", "encoder.layer.1.attention.output.adapter.up.bias",
      "encoder.layer.0.attention.output.dense.bias", "encoder.layer.0.output.dense.weight",
    ] {
      let gradient = try #require(gradients[name])
      let place = gradient.indices.max { abs(gradient[$0]) < abs(gradient[$1]) } ?? 0
      let losses = try [Float(0.01), -0.01].map { step in
        try TestFiles.withTemporaryFolder { folder in
          try tuned.model.save(to: folder)
          try WeightsFile.change(folder.appendingPathComponent("model.safetensors")) {
            tensor, index, number in
            tensor == name && index == place ? number + step : number
          }
          return try record(try PretrainedModel.load(folder: folder)).loss
        }
      }
      let slope = Float((losses[0] - losses[1]) / 0.02)
      #expect(
        abs(gradient[place] - slope) < 0.02 * abs(slope) + 1e-4, "\(name): \(gradient[place]), \(slope)")
      #expect(abs(slope) > 1e-3, "\(name)")
    }
  }

  @Test("Gradual unfreezes from the top: one epoch of two leaves the lower layer as it was") func gradual()
    throws
  {
    let before = try weights(model)
    for (epochs, stops, changed) in [(1, 1, [0, 1]), (2, 1, [1]), (2, 2, [0, 1])] {
      // Stopping at an epoch's end by patience: with no better accuracy than the first, the first's weights are given back.
      var options = options(.gradual, epochs: epochs)
      if stops < epochs {
        options.holdout = 0.5
        options.patience = 1
        options.learningRate = 1e-7
        options.headLearningRate = 0
      }
      let after = try weights(try train(options).model)
      for layer in [0, 1] {
        let name = "encoder.layer.\(layer).intermediate.dense.weight"
        #expect((after[name] != before[name]) == changed.contains(layer), "\(epochs) epochs, layer \(layer)")
      }
      #expect(after["embeddings.LayerNorm.weight"] == before["embeddings.LayerNorm.weight"])
      #expect(
        after["embeddings.word_embeddings.weight"] == before["embeddings.word_embeddings.weight"])
    }
  }

  private func weights(_ model: PretrainedModel) throws -> [String: [Float]] {
    try TestFiles.withTemporaryFolder { folder in
      try model.save(to: folder)
      return try WeightsFile.tensors(folder.appendingPathComponent("model.safetensors"))
    }
  }
}
