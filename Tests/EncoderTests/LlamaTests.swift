import Encoder
import Foundation
import Testing

/// A small Llama against the numbers that Hugging Face transformers gives for it.
@Suite struct LlamaTests {
  private struct Reference: Decodable {
    /// Prompts and completions.
    var rows: [[[Int32]]]
    var loss: Double
    /// Of each row's tokens, after each layer: the last with the final norm.
    var hidden: [[[Double]]]
    /// After each prompt.
    var logits: [[Double]]
    /// Tokens after each prompt.
    var greedy: [[Int32]]

    enum CodingKeys: String, CodingKey {
      case rows, loss, greedy
      case hidden = "hidden_states"
      case logits = "logits_last"
    }
  }

  private let folder: URL
  private let reference: Reference
  private let model: PretrainedModel
  private let language: LanguageModel

  init() throws {
    folder = try TestFiles.reference("tiny-llama")
    reference = try JSONDecoder().decode(
      Reference.self, from: Data(contentsOf: folder.appendingPathComponent("reference.json")))
    model = try PretrainedModel.load(folder: folder)
    language = try LanguageModel(model: model, threads: 2)
  }

  private func isNear(_ found: Float, _ expected: Double) -> Bool {
    abs(Double(found) - expected) <= max(1e-5, 1e-4 * abs(expected))
  }

  @Test("states and logits are those of transformers") func states() throws {
    for (number, row) in reference.rows.enumerated() {
      let (states, logits) = try language.states(of: row[0] + row[1])
      let expected = try #require(reference.hidden[number].last)
      let found = states.flatMap { $0 }
      #expect(found.count == expected.count)
      #expect(zip(found, expected).allSatisfy(isNear))
      let last = logits[row[0].count - 1]
      #expect(last.count == 384 && zip(last, reference.logits[number]).allSatisfy(isNear))
    }
  }

  @Test("the loss of the completions is PyTorch's") func loss() throws {
    let rows = reference.rows.map { PromptedExample(prompt: $0[0], completion: $0[1]) }
    #expect(try abs(language.loss(of: rows) - reference.loss) < 1e-4 * reference.loss)
  }

  @Test("with a shared beginning, without it, alone and together: the answers of transformers")
  func greedy() throws {
    let prompts = reference.rows.map { $0[0] }
    let together = try language.complete(prompts, maximum: 12, ends: [2])
    #expect(together == reference.greedy)
    for (prompt, answer) in zip(prompts, reference.greedy) {
      #expect(try language.complete([prompt], maximum: 12, ends: [2]) == [answer])
    }
    // Both prompts begin with token 1.
    let shared = try language.complete(
      prompts.map { Array($0.dropFirst()) }, after: [1], maximum: 12, ends: [2])
    #expect(shared == reference.greedy)
  }

  /// Completions with shared beginnings, one that another begins with, and an empty one.
  private let completions: [[Int32]] = [
    [70, 71, 9], [70, 71, 14, 200], [70, 12], [33], [33, 90, 2, 5, 6], [200, 201], [], [70, 71],
  ]
  private let prompts: [[Int32]] = [
    [1, 70, 71, 9, 14], [1, 70, 33, 90, 12, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17], [1, 70],
  ]

  @Test("a completion's log-probability is the sum of its tokens'") func logProbabilities() throws {
    let found = try language.logProbabilities(of: completions, after: prompts)
    for (prompt, sums) in zip(prompts, found) {
      for (completion, sum) in zip(completions, sums) {
        let (_, logits) = try language.states(of: prompt + completion)
        var expected = 0.0
        for (place, token) in completion.enumerated() {
          let row = logits[prompt.count - 1 + place].map(Double.init)
          expected += row[Int(token)] - log(row.reduce(0) { $0 + exp($1) })
        }
        #expect(abs(sum - expected) < 1e-5 * max(1, abs(expected)), "\(prompt) \(completion)")
      }
    }
  }

  @Test("alone, together, in any order and with a shared beginning: the same log-probabilities")
  func sameLogProbabilities() throws {
    let together = try language.logProbabilities(of: completions, after: prompts)
    var found = try language.logProbabilities(
      of: completions, after: prompts.map { Array($0.dropFirst(2)) }, prefix: [1, 70])
    expectSame(found, together)
    found = try prompts.map { try language.logProbabilities(of: completions, after: [$0])[0] }
    expectSame(found, together)
    let reversed = try language.logProbabilities(of: completions.reversed(), after: prompts)
    expectSame(reversed.map { $0.reversed() }, together)
    for (number, completion) in completions.enumerated() {
      let alone = try language.logProbabilities(of: [completion], after: prompts)
      expectSame(alone.map { $0[0] }.map { [$0] }, together.map { [$0[number]] })
    }
  }

  /// To the last bit where a row's product does not depend on how many there are.
  private func expectSame(
    _ found: [[Double]], _ expected: [[Double]], location: SourceLocation = #_sourceLocation
  ) {
    let tolerance = LanguageModel.isExact ? 0 : 1e-5
    #expect(found.map(\.count) == expected.map(\.count), sourceLocation: location)
    for (a, b) in zip(found.joined(), expected.joined()) {
      #expect(abs(a - b) <= tolerance, sourceLocation: location)
    }
  }

  @Test("more completions than a pass holds are read in parts") func manyCompletions() throws {
    let many = (0..<Int32(300)).map { number -> [Int32] in [5 + number, 300 - number, 40 + number] }
    let prompts = [[1, 70, 71], Array(repeating: 9, count: 200)] as [[Int32]]
    let together = try language.logProbabilities(of: many, after: prompts)
    for number in [0, 100, 299] {
      let alone = try language.logProbabilities(of: [many[number]], after: prompts)
      expectSame(alone, together.map { [$0[number]] })
    }
  }

  @Test("one text, token by token, is written as among others, with its tokens' log-probabilities")
  func generate() throws {
    for (row, answer) in zip(reference.rows, reference.greedy) {
      var tokens: [Int32] = []
      var sum = 0.0
      try language.generate(row[0], maximum: 12, ends: [2]) { token, logProbability in
        tokens.append(token)
        sum += logProbability
        return true
      }
      #expect(tokens == answer)
      let whole = try language.logProbabilities(of: [tokens], after: [row[0]])[0][0]
      #expect(abs(sum - whole) < (LanguageModel.isExact ? 1e-9 : 1e-5))
      tokens = []
      try language.generate(row[0], maximum: 12, ends: [2]) { token, _ in
        tokens.append(token)
        return tokens.count < 3
      }
      #expect(tokens == Array(answer.prefix(3)))
    }
  }

  @Test("drawn tokens are the same for the same seed, others for others, and follow the probabilities")
  func drawing() throws {
    func draw(_ seed: UInt64, _ temperature: Double = 1, count: Int = 20) throws -> [Int32] {
      var tokens: [Int32] = []
      try language.generate(
        prompts[0], maximum: count, ends: [], temperature: temperature, seed: seed
      ) { token, _ in
        tokens.append(token)
        return true
      }
      return tokens
    }
    #expect(try draw(1) == draw(1))
    #expect(try draw(1) != draw(2))
    // Cold enough, it is the most probable token.
    var greedy: [Int32] = []
    try language.generate(prompts[0], maximum: 20, ends: []) { token, _ in
      greedy.append(token)
      return true
    }
    #expect(try draw(3, 1e-4) == greedy)
    // How often the first token is in the likelier half of the vocabulary's probability.
    let logits = try #require(try language.states(of: prompts[0]).logits.last).map(Double.init)
    let sum = logits.reduce(0) { $0 + exp($1) }
    let likely = Set(logits.indices.filter { exp(logits[$0]) / sum > 1.0 / 384 })
    let share = likely.reduce(0) { $0 + exp(logits[$1]) / sum }
    let drawn = try (0..<400).count { likely.contains(Int(try draw(UInt64($0), count: 1)[0])) }
    // Four standard deviations.
    #expect(abs(Double(drawn) / 400 - share) < 4 * (share * (1 - share) / 400).squareRoot())
  }

  @Test("texts of unlike wishes together are written as each would be alone")
  func textsTogether() throws {
    let wishes = [
      TextBatch.Wishes(maximum: 12, ends: [2]),
      TextBatch.Wishes(maximum: 7, ends: [], temperature: 1, seed: 1),
      TextBatch.Wishes(maximum: 9, ends: [], temperature: 0.7, topP: 0.5, seed: 2, alternatives: 3),
      TextBatch.Wishes(maximum: 3, ends: [], alternatives: 1, tellsPrompt: true),
    ]
    let asked = [reference.rows[0][0]] + prompts
    let texts = wishes.indices.map { (prompt: asked[$0], wishes: wishes[$0]) }
    func write(_ texts: [(prompt: [Int32], wishes: TextBatch.Wishes)], later: Int = 0) throws -> [[TextBatch
      .Token]]
    {
      let batch = TextBatch(language)
      var written = texts.map { _ in [TextBatch.Token]() }
      var numbers: [Int: Int] = [:]
      func add(_ part: Range<Int>) throws {
        for text in part { numbers[try batch.add(texts[text].prompt, texts[text].wishes)] = text }
      }
      try add(0..<texts.count - later)
      var isFirst = true
      while !batch.isEmpty {
        for case (let number, .written(let token)) in try batch.step() {
          written[try #require(numbers[number])].append(token)
        }
        // Some join when the others are under way.
        if isFirst { try add(texts.count - later..<texts.count) }
        isFirst = false
      }
      return written
    }
    let alone = try texts.map { try write([$0])[0] }
    for later in [0, 2] {
      let together = try write(texts, later: later)
      for (found, expected) in zip(together, alone) {
        #expect(found.map(\.id) == expected.map(\.id))
        expectSame([found.map(\.logProbability)], [expected.map(\.logProbability)])
      }
    }
    #expect(alone.map(\.count) == [reference.greedy[0].count, 7, 9, 3])
    for token in alone[2] {
      #expect(token.alternatives.count == 3)
      #expect(
        token.alternatives.map(\.logProbability) == token.alternatives.map(\.logProbability).sorted(by: >))
    }
    // The most probable token is told with the very number that it has as the one that is written.
    for token in alone[3] {
      #expect(
        token.alternatives.first?.id == token.id
          && token.alternatives.first?.logProbability == token.logProbability)
    }
  }

  @Test("what was read of a prompt before, with whatever followed, changes nothing of what comes of it")
  func knownBeginnings() throws {
    let instruction = (0..<40).map { Int32(3 + $0 * 11 % 380) }
    let asked = [
      instruction + [70, 71, 72], instruction + [9, 70], instruction, instruction + [70, 71, 72, 8, 9],
      Array(instruction.prefix(25)) + [200, 201], Array(instruction.prefix(7)) + [90, 91],
      instruction + [70, 71, 72],
    ]
    func write(_ prompt: [Int32], by language: LanguageModel) throws -> [TextBatch.Token] {
      let batch = TextBatch(language)
      _ = try batch.add(prompt, TextBatch.Wishes(maximum: 12, ends: [], alternatives: 2))
      var written: [TextBatch.Token] = []
      while !batch.isEmpty {
        for case (_, .written(let token)) in try batch.step() { written.append(token) }
      }
      return written
    }
    let expected = try asked.map { try write($0, by: LanguageModel(model: model, threads: 1)) }
    for order in [Array(asked.indices), asked.indices.reversed()] {
      let one = try LanguageModel(model: model, threads: 2)
      for number in order {
        let found = try write(asked[number], by: one)
        #expect(found.map(\.id) == expected[number].map(\.id))
        expectSame([found.map(\.logProbability)], [expected[number].map(\.logProbability)])
      }
    }
    // All at once, and so many that those who wait find what the first have read.
    let one = try LanguageModel(model: model, threads: 2)
    let batch = TextBatch(one)
    var written: [Int: [TextBatch.Token]] = [:]
    var prompts: [Int: Int] = [:]
    for number in 0..<42 {
      let prompt = number % asked.count
      prompts[try batch.add(asked[prompt], TextBatch.Wishes(maximum: 12, ends: [], alternatives: 2))] = prompt
    }
    while !batch.isEmpty {
      for case (let number, .written(let token)) in try batch.step() {
        written[number, default: []].append(token)
      }
    }
    #expect(written.count == 42)
    for (number, tokens) in written {
      let expected = expected[try #require(prompts[number])]
      #expect(tokens.map(\.id) == expected.map(\.id))
      expectSame([tokens.map(\.logProbability)], [expected.map(\.logProbability)])
    }
  }

  @Test("a prompt's own tokens have the probabilities that they have as completions, however long it is")
  func promptTokens() throws {
    for prompt in prompts + [(0..<240).map { Int32(3 + $0 * 7 % 380) }] where prompt.count > 1 {
      let batch = TextBatch(language)
      _ = try batch.add(prompt, TextBatch.Wishes(maximum: 0, ends: [], alternatives: 2, tellsPrompt: true))
      var read: [TextBatch.Token] = []
      while !batch.isEmpty {
        for case (_, .read(let tokens)) in try batch.step() { read += tokens }
      }
      #expect(read.map(\.id) == Array(prompt.dropFirst()))
      let (_, logits) = try language.states(of: prompt)
      for (token, logits) in zip(read, logits) {
        let logits = logits.map(Double.init)
        let sum = log(logits.reduce(0) { $0 + exp($1) })
        #expect(abs(token.logProbability - (logits[Int(token.id)] - sum)) < 1e-5)
        let best = logits.indices.max { logits[$0] < logits[$1] }
        #expect(token.alternatives.first.map { Int($0.id) } == best)
      }
    }
  }

  @Test("a text that nobody waits for any more makes room, and the others go on")
  func abandonedText() throws {
    let batch = TextBatch(language)
    let wishes = TextBatch.Wishes(maximum: 12, ends: [2])
    let abandoned = try batch.add(prompts[1], TextBatch.Wishes(maximum: 100, ends: []))
    let kept = try batch.add(reference.rows[0][0], wishes)
    var written: [Int32] = []
    var isFirst = true
    while !batch.isEmpty {
      for case (let number, .written(let token)) in try batch.step() {
        if number == kept { written.append(token.id) } else { #expect(isFirst) }
      }
      if isFirst { batch.remove(abandoned) }
      isFirst = false
    }
    #expect(written == reference.greedy[0])
  }

  @Test("the fewest tokens that have a share together are drawn from")
  func nucleus() throws {
    let logits = try #require(try language.states(of: prompts[0]).logits.last).map(Double.init)
    let sum = logits.reduce(0) { $0 + exp($1) }
    var share = 0.0
    var nucleus: Set<Int32> = []
    for word in logits.indices.sorted(by: { logits[$0] > logits[$1] }) where share < 0.3 {
      share += exp(logits[word]) / sum
      nucleus.insert(Int32(word))
    }
    var drawn: Set<Int32> = []
    for seed in 0..<300 {
      let batch = TextBatch(language)
      _ = try batch.add(
        prompts[0], TextBatch.Wishes(maximum: 1, ends: [], temperature: 1, topP: 0.3, seed: UInt64(seed)))
      while !batch.isEmpty {
        for case (_, .written(let token)) in try batch.step() { drawn.insert(token.id) }
      }
    }
    #expect(drawn.isSubset(of: nucleus) && drawn.count > 1)
  }

  @Test("a work that is cancelled ends") func cancelling() throws {
    #expect(throws: CancellationError.self) {
      try language.complete(prompts, maximum: 5, ends: [], isCancelled: { true })
    }
    #expect(throws: CancellationError.self) {
      try language.logProbabilities(of: completions, after: prompts, isCancelled: { true })
    }
    #expect(throws: CancellationError.self) {
      try language.generate(
        prompts[0], maximum: 5, ends: [], isCancelled: { true }, body: { _, _ in true })
    }
  }

  @Test("what it cannot read is refused") func refusals() throws {
    #expect(throws: ModelError.self) { try language.states(of: [384]) }
    #expect(throws: ModelError.self) { try language.states(of: [-1]) }
    #expect(throws: ModelError.self) { try language.states(of: []) }
    #expect(throws: ModelError.self) {
      try language.complete([Array(repeating: 5, count: 250)], maximum: 12, ends: [])
    }
    #expect(throws: ModelError.self) { try language.logProbabilities(of: [[5, 384]], after: [[1]]) }
    #expect(throws: ModelError.self) { try language.logProbabilities(of: [[5]], after: [[]]) }
    #expect(throws: ModelError.self) {
      try language.logProbabilities(
        of: [Array(repeating: 5, count: 60)], after: [Array(repeating: 5, count: 200)])
    }
  }

  @Test(
    "a network that fettle does not run is refused by name",
    arguments: [
      (#""rope_parameters": {"rope_type": "llama3", "rope_theta": 500000.0}"#, "scaled by llama3"),
      (#""rope_scaling": {"type": "linear", "factor": 2.0}"#, "scaled by linear"),
      (#""hidden_act": "gelu""#, "hidden_act is gelu"), (#""num_key_value_heads": 3"#, "does not divide"),
      (#""head_dim": 15"#, "head_dim is 15"), (#""mlp_bias": true"#, "mlp_bias"),
    ])
  func unknownNetworks(change: String, reason: String) throws {
    try TestFiles.withTemporaryFolder { place in
      for name in ["model.safetensors", "tokenizer.json"] {
        try FileManager.default.copyItem(
          at: folder.appendingPathComponent(name), to: place.appendingPathComponent(name))
      }
      var object = try #require(
        try JSONSerialization.jsonObject(
          with: Data(contentsOf: folder.appendingPathComponent("config.json"))) as? [String: Any])
      let changed = try #require(
        try JSONSerialization.jsonObject(with: Data("{\(change)}".utf8)) as? [String: Any])
      object.merge(changed) { $1 }
      try JSONSerialization.data(withJSONObject: object)
        .write(to: place.appendingPathComponent("config.json"))
      let error = #expect(throws: ModelError.self) { try PretrainedModel.load(folder: place) }
      #expect("\(try #require(error))".contains(reason))
    }
  }
}

/// The same model from GGUF files.
@Suite struct LlamaFileTests {
  private func language(_ kind: String) throws -> LanguageModel {
    let file = try TestFiles.reference("tiny-llama").appendingPathComponent("model-\(kind).gguf")
    return try LanguageModel(model: PretrainedModel.load(folder: file), threads: 1)
  }

  private let ids: [Int32] = [1, 70, 71, 9, 14, 200, 33, 90, 12, 2]

  @Test("in f32 it is the model of the safetensors file, to the last bit") func exact() throws {
    let folder = try TestFiles.reference("tiny-llama")
    let one = try LanguageModel(model: PretrainedModel.load(folder: folder), threads: 1).states(of: ids)
    let other = try language("f32").states(of: ids)
    #expect(one.states == other.states && one.logits == other.logits)
  }

  /// Bounds are about twice what rounding the weights does: 2⁻¹¹, 2⁻⁸, and a step of the blocks' scale.
  @Test(
    "rounded and quantised weights give nearly the same states",
    arguments: [
      ("f16", 0.002), ("bf16", 0.02), ("q8_0", 0.03), ("q5_1", 0.15), ("q5_0", 0.2), ("q4_1", 0.3),
      ("q4_0", 0.4),
    ])
  func near(kind: String, bound: Float) throws {
    let one = try language("f32").states(of: ids).states.flatMap { $0 }
    let other = try language(kind).states(of: ids).states.flatMap { $0 }
    let distance = zip(one, other).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
    let length = one.reduce(Float(0)) { $0 + $1 * $1 }.squareRoot()
    #expect(distance > 0 && distance < bound * length, "\(kind): \(distance / length)")
  }
}

extension LanguageModel {
  /// The mean loss of the completions' tokens, in nats, from whole rows of logits.
  func loss(of rows: [PromptedExample]) throws -> Double {
    var sum = 0.0
    var count = 0
    for row in rows {
      let (_, logits) = try states(of: row.prompt + row.completion)
      for (place, token) in row.completion.enumerated() {
        let row = logits[row.prompt.count - 1 + place].map(Double.init)
        let most = row.max() ?? 0
        sum += log(row.reduce(0) { $0 + exp($1 - most) }) + most - row[Int(token)]
        count += 1
      }
    }
    return sum / Double(count)
  }
}
