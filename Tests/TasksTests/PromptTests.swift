import Classifiers
import Testing

/// What a language model is asked with, and how its answer is read.
@Suite struct PromptTests {
  private static let names = ["POLITICS", "SCIENCE AND TECHNOLOGY", "WORLD NEWS", "ART", "ART HISTORY"]
  private static let categories = names.map { (key: $0.replacing(" ", with: "_"), name: $0) }

  private func find(_ answer: String, _ kind: AnswerFilter.Kind = .first) -> String {
    let found = AnswerFilter(Self.categories, kind: kind).find(in: answer)
    return "\(found.category ?? "-") \(found.count)"
  }

  @Test(
    "The category named first wins, however it is spelled",
    arguments: [
      ("WORLD NEWS, then POLITICS", "WORLD_NEWS several"), ("politics", "POLITICS one"),
      ("It is world_news.", "WORLD_NEWS one"), ("WorldNews", "WORLD_NEWS one"),
      ("World\n news", "WORLD_NEWS one"), ("Science & Technology", "SCIENCE_AND_TECHNOLOGY one"),
      ("science&technology", "SCIENCE_AND_TECHNOLOGY one"), ("ART HISTORY", "ART_HISTORY one"),
      ("art, history", "ART one"), ("an article, party, smart", "- none"), ("geopolitics", "- none"),
      ("art history, art", "ART_HISTORY several"), ("", "- none"), ("POLITICS POLITICS", "POLITICS one"),
      ("世界 politics!", "POLITICS one"),
    ])
  func first(answer: String, expected: String) { #expect(find(answer) == expected) }

  @Test("The notebook's filter takes the list's last, and knows no underscores")
  func tutorial() {
    #expect(find("POLITICS, not WORLD NEWS", .tutorial) == "WORLD_NEWS several")
    #expect(find("WORLD NEWS or POLITICS", .tutorial) == "WORLD_NEWS several")
    #expect(find("WORLD_NEWS", .tutorial) == "- none")
    #expect(find("world news", .tutorial) == "WORLD_NEWS one")
  }

  @Test("Names that are codes are found by name and by key")
  func codes() {
    let filter = AnswerFilter([(key: "c1", name: "Crème & Café"), (key: "c2", name: "🎭 Theatre")])
    #expect(filter.find(in: "crème and café").category == "c1")
    #expect(filter.find(in: "C2").category == "c2")
    #expect(filter.find(in: "🎭 theatre").category == "c2")
    #expect(filter.find(in: "c10").category == nil)
  }

  @Test("A prompt's presets are found by a beginning that only one has")
  func presets() throws {
    #expect(Prompt.preset("chat")?.preset == "chat-tutorial")
    #expect(Prompt.preset("s")?.isChat == false)
    #expect(Prompt.preset("") == nil && Prompt.preset("x") == nil)
    #expect(Prompt.standard.preset == "plain-category")
    #expect(throws: PromptError.noText("no place")) { try Prompt(template: "no place", isChat: false) }
    #expect(Prompt.standard.completion(of: "SPORTS") == " SPORTS")
    #expect(try Prompt(template: "{text}: ", isChat: false).completion(of: "SPORTS") == "SPORTS")
    #expect(try Prompt(template: "{text}:", isChat: true).completion(of: "SPORTS") == "SPORTS")
  }
}
