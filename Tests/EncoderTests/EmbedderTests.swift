import Encoder
import Foundation
import Synchronization
import Testing

@Suite struct EmbedderTests {
  private struct Line: Decodable {
    var text: String
    var embedding: [Float]
  }

  @Test("The real model's embeddings are those of PyTorch, within 2e-4")
  func reference() throws {
    let model = try PretrainedModel.load(folder: TestFiles.model())
    let lines = try TestFiles.lines("minilm-embeddings.jsonl", as: Line.self)
    let encodings = lines.map { model.referenceEncoding($0.text, maximumLength: 256) }
    let pooled = try Embedder(model: model).pooled(encodings)
    #expect(pooled.count == 43)
    for (line, vector) in zip(lines, pooled) {
      let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let worst = zip(vector, line.embedding).map { abs($0 / length - $1) }.max() ?? .infinity
      #expect(worst < 2e-4, "\(line.text)")
    }
  }

  @Test("In bf16 the embeddings are PyTorch's, within 2e-2", .enabled(if: hasBFloat16))
  func rounded() throws {
    let model = try PretrainedModel.load(folder: TestFiles.model())
    let lines = try TestFiles.lines("minilm-embeddings.jsonl", as: Line.self)
    let encodings = lines.map { model.referenceEncoding($0.text, maximumLength: 256) }
    let pooled = try Embedder(model: model, precision: .bf16).pooled(encodings)
    for (line, vector) in zip(lines, pooled) {
      let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let differences = zip(vector, line.embedding).map { abs($0 / length - $1) }
      #expect(differences.max() ?? 1 < 2e-2 && differences.max() ?? 0 > 0, "\(line.text)")
    }
  }

  private func tinyTexts(_ model: PretrainedModel) -> [Encoding] {
    (0..<90).map { number in
      let words = (0..<number % 13).map { String(UnicodeScalar(UInt8(97 + (number * 3 + $0 * 5) % 26))) }
      return model.tokenizer.encode(words.joined(separator: " "), maximumLength: 16)
    }
  }

  @Test("A text's vector is the same alone, in company, and on any number of threads") func company() throws {
    try company(.f32)
    if hasBFloat16 { try company(.bf16) }
  }

  private func company(_ precision: Precision) throws {
    let model = try PretrainedModel.load(folder: TestFiles.model())
    let texts = try TestFiles.lines("minilm-embeddings.jsonl", as: Line.self).map {
      model.referenceEncoding($0.text, maximumLength: 256)
    }
    let embedder = try Embedder(model: model, threads: 2, precision: precision)
    let together = try embedder.pooled(texts)
    #expect(try embedder.pooled(texts.reversed()) == together.reversed())
    #expect(try Embedder(model: model, threads: 1, precision: precision).pooled(texts) == together)
    for (text, vector) in zip(texts, together) { #expect(try embedder.pooled([text]) == [vector]) }
  }

  @Test("Threads that embed at once, with one embedder and with two, get each its own numbers")
  func atOnce() throws {
    let model = try PretrainedModel.load(folder: TestFiles.reference("tiny-bert"))
    let texts = tinyTexts(model)
    let embedders = try [Embedder(model: model, threads: 2), Embedder(model: model, threads: 3)]
    let alone = try embedders[0].pooled(texts)
    // Each caller asks for another part, so that numbers that went astray would show.
    let wrong = Mutex<[Int]>([])
    DispatchQueue.concurrentPerform(iterations: 24) { caller in
      let part = caller..<(texts.count - caller * 2)
      let vectors = try? embedders[caller % 2].pooled(Array(texts[part]))
      if vectors != Array(alone[part]) { wrong.withLock { $0.append(caller) } }
    }
    #expect(wrong.withLock { $0 } == [])
  }

  @Test("Progress counts up to all texts; cancelling ends the run") func progress() throws {
    let model = try PretrainedModel.load(folder: TestFiles.reference("tiny-bert"))
    let texts = tinyTexts(model)
    let embedder = try Embedder(model: model, threads: 2)
    let counts = Mutex<[Int]>([])
    _ = try embedder.pooled(texts, progress: { count in counts.withLock { $0.append(count) } })
    let seen = counts.withLock { $0 }
    #expect(seen == seen.sorted() && seen.last == texts.count && seen.count > 1)
    #expect(throws: CancellationError.self) { try embedder.pooled(texts, isCancelled: { true }) }
    #expect(try embedder.pooled([]).isEmpty)
  }

  @Test("Token numbers that the model does not know, and texts that are too long, are refused")
  func refusals() throws {
    let model = try PretrainedModel.load(folder: TestFiles.reference("tiny-bert"))
    let embedder = try Embedder(model: model, threads: 1)
    func pooled(_ ids: [Int32]) throws -> [[Float]] {
      try embedder.pooled([model.tokenizer.encoding(of: ids)])
    }
    #expect(throws: ModelError.tokenOutOfRange(id: 61, vocabulary: 61)) { try pooled([2, 61, 3]) }
    #expect(throws: ModelError.tokenOutOfRange(id: -1, vocabulary: 61)) { try pooled([-1]) }
    #expect(throws: ModelError.textTooLong(tokens: 17, maximum: 16)) {
      try pooled(Array(repeating: 5, count: 17))
    }
    #expect(throws: ModelError.textTooLong(tokens: 0, maximum: 16)) { try pooled([]) }
  }

  @Test("Weights in half precision give nearly the same vectors") func halfPrecision() throws {
    let model = try PretrainedModel.load(folder: TestFiles.reference("tiny-bert"))
    let texts = tinyTexts(model)
    let whole = try Embedder(model: model).pooled(texts)
    for type in ["F16", "BF16"] {
      try TestFiles.withTemporaryFolder { folder in
        try model.save(to: folder)
        try WeightsFile.halve(folder.appendingPathComponent("model.safetensors"), as: type)
        let half = try Embedder(model: PretrainedModel.load(folder: folder)).pooled(texts)
        let worst = zip(whole.joined(), half.joined()).map { abs($0 - $1) }.max() ?? .infinity
        #expect(worst < (type == "F16" ? 0.01 : 0.08) && worst > 0)
      }
    }
  }
}
