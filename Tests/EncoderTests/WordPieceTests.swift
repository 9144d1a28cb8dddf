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
      let encoding = tokenizer.encode(line.text, maximumLength: 256, readsSpecials: true)
      #expect(encoding.ids == line.ids, "\(line.text.debugDescription)")
    }
  }

  @Test("A learner's text never becomes a special token", arguments: ["SEP", "CLS", "MASK", "PAD", "UNK"])
  func specials(name: String) throws {
    let tokenizer = try WordPiece(folder: TestFiles.model())
    let encoding = tokenizer.encode("a [\(name)] b[\(name)]", maximumLength: 256)
    let word = name.lowercased()
    #expect(encoding.ids == tokenizer.encode("a [ \(word) ] b [ \(word) ]", maximumLength: 256).ids)
    #expect(encoding.tokens.first == "[CLS]" && encoding.tokens.last == "[SEP]")
    #expect(encoding.tokens.dropFirst().dropLast().allSatisfy { !$0.hasPrefix("[") || $0 == "[" })
  }
}
