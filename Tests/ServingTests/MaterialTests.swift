import Foundation
import Testing
import Workbench

/// What a file of JSON lines teaches, and what is said of one that nobody can train on.
@Suite struct MaterialTests {
  private func read(_ text: String) throws -> [TrainingMaterial.Example] {
    try TrainingMaterial(Data(text.utf8)).examples
  }

  @Test func `prompts and completions stay as they are, to the letter`() throws {
    let examples = try read(
      #"{"prompt": " Caf\u00e9 \"Å\"\n[PROMPT_STOP]", "completion": " ARTS[END]"}"#)
    #expect(examples.count == 1)
    #expect(examples[0].prompt == .text(" Café \"Å\"\n[PROMPT_STOP]") && examples[0].answer == " ARTS[END]")
  }

  @Test
  func `a byte order mark, carriage returns and empty lines do no harm, and lines are counted with them`()
    throws
  {
    let examples = try read(
      "\u{FEFF}{\"prompt\":\"a\",\"completion\":\"x\"}\r\n\r\n  \n{\"completion\":\"y\",\"prompt\":\"b\"}")
    #expect(examples.map(\.line) == [1, 4] && examples.map(\.answer) == ["x", "y"])
  }

  @Test func `each answer of a conversation is an example, unless its weight is 0`() throws {
    let examples = try read(
      """
      {"messages": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": [{"type": "text", "text": "one "},\
       {"type": "text", "text": "two"}]}, {"role": "assistant", "content": "A"}, {"role": "user", "content": "three"},\
       {"role": "assistant", "content": "B", "weight": 0}, {"role": "user", "content": "four"},\
       {"role": "assistant", "content": "C", "weight": 1}]}
      """)
    #expect(examples.map(\.answer) == ["A", "C"] && examples.map(\.prompt.asked) == ["one two", "four"])
    guard case .messages(let said) = examples[1].prompt else {
      Issue.record("no messages")
      return
    }
    #expect(said.map(\.role) == [.system, .user, .assistant, .user, .assistant, .user])
    #expect(said[0].text == "Be brief.")
  }

  private static let good = #"{"prompt": "a", "completion": "b"}"# + "\n"

  @Test(arguments: [
    ("", nil, "no examples"), ("\n \r\n", nil, "no examples"),
    (good + "{\"prompt\": \"a\", ", 2, "no JSON"), (good + "[1]", 2, "JSON object"),
    (good + #"{"prompt": "a"}"#, 2, "no completion"), (#"{"completion": "a"}"#, 1, "no prompt"),
    (#"{"text": "a"}"#, 1, "has to be"), (#"{"prompt": 1, "completion": "a"}"#, 1, "prompt has to be a text"),
    (#"{"prompt": "", "completion": "a"}"#, 1, "prompt is empty"),
    (#"{"prompt": "a", "completion": " \n"}"#, 1, "blank"),
    (#"{"prompt": "a", "completion": "b", "prompt": "c"}"#, 1, "prompt comes twice"),
    (good + #"{"messages": [{"role": "user", "content": "a"}]}"#, 2, "one form"),
    (#"{"messages": []}"#, 1, "list of messages"),
    (#"{"messages": [{"role": "user", "content": "a"}]}"#, 1, "last message"),
    (#"{"messages": [{"role": "assistant", "content": "a"}]}"#, 1, "no user has asked"),
    (#"{"messages": [{"role": "judge", "content": "a"}]}"#, 1, "role of messages[0]"),
    (#"{"messages": [{"role": "user", "content": null}]}"#, 1, "content of messages[0]"),
    (#"{"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}"#, 1, "no text"),
    (
      #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 2}]}"#,
      1,
      "0 or 1"
    ),
    (
      #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "tools": [{}]}"#,
      1,
      "tools"
    ),
  ]) func `what is wrong is said with its line`(text: String, line: Int?, reason: String) {
    let fault = #expect(throws: TrainingMaterial.Fault.self) { try read(text) }
    #expect(fault?.line == line && fault?.reason.contains(reason) == true, "\(String(describing: fault))")
  }

  @Test func `bytes that are no UTF-8 are named by their place`() {
    let bytes =
      Data(Self.good.utf8) + Data(#"{"prompt": "caf"#.utf8) + [0xE9] + Data(#"", "completion": "b"}"#.utf8)
    let fault = #expect(throws: TrainingMaterial.Fault.self) { try TrainingMaterial(bytes) }
    #expect(fault?.line == 2 && fault?.reason.contains("UTF-8, at byte 16") == true)
    #expect(throws: TrainingMaterial.Fault.self) { try TrainingMaterial(Data([0xFF, 0xFE, 0x7B, 0x00])) }
  }
}
