import Encoder
import Foundation
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
    let encodings = lines.map { model.tokenizer.encode($0.text, maximumLength: 256) }
    let pooled = try Embedder(model: model).pooled(encodings)
    #expect(pooled.count == 43)
    for (line, vector) in zip(lines, pooled) {
      let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let worst = zip(vector, line.embedding).map { abs($0 / length - $1) }.max() ?? .infinity
      #expect(worst < 2e-4, "\(line.text)")
    }
  }
}
