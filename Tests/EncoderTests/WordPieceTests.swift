import Encoder
import Foundation
import Testing

@Suite struct WordPieceTests {
  private struct Line: Decodable {
    var text: String
    var ids: [Int32]
  }

  @Test("Every line of the reference gives the ids of Hugging Face's tokenizer")
  func reference() throws {
    let tokenizer = try WordPiece(folder: TestFiles.model())
    let lines = try TestFiles.lines("wordpiece.jsonl", as: Line.self)
    #expect(lines.count == 1200)
    for line in lines {
      let encoding = tokenizer.encode(line.text, maximumLength: 256)
      #expect(encoding.ids == line.ids, "\(line.text.debugDescription)")
    }
  }
}
