import Foundation
import PseudoTerminal
import Testing

/// Pre-trained models side by side: installing, listing, choosing, and what was tuned on them.
@Suite struct InstalledModelsTests {
  private static let reference = Front.repository.appending(path: "Tests/EncoderTests/Reference")
  private static let odd = reference.appending(path: "odd-bert").path

  private func code(_ outcome: Front.Outcome) throws -> String? {
    (try object(outcome.lines.last ?? "")["error"] as? [String: Any])?["code"] as? String
  }

  private func work(_ front: Front) throws {
    try front.writeLetters()
    let outcome = try front.lines(
      "load letters.csv", "interface define --from letters", "label simulate", "predict --model base",
      "finetune --method adapter --epochs 1 --name first")
    #expect(outcome.status == 0, "\(outcome.error)")
  }

  private func confidences(_ front: Front, of model: String) throws -> [Double] {
    let outcome = try front.run(
      "--json", "--no-record", "show", "assets", "--limit", "40", "--dataset", "letters", "--model", model)
    let assets = try object(outcome.lines.last ?? "")["assets"] as? [[String: Any]]
    return try #require(assets, "\(outcome.output)").compactMap { $0["confidence"] as? Double }
  }

  @Test("models lists what is installed, with what is known of it and what is not, in 80 columns")
  func listed() throws {
    let front = try Front()
    let german = front.folder.appending(path: "german")
    try FileManager.default.copyItem(at: Self.reference.appending(path: "tiny-bert"), to: german)
    try front.write("---\nlicense: mit\nlanguage:\n  - de\n  - en\n---\n# x\n", to: "german/README.md")
    try front.run("model", "install", "--from", "german", "--name", "de-1")
    try front.run("model", "install", "--from", Self.odd)
    let list = try object(front.run("--json", "models").lines[0])
    let installed = try #require(list["installed"] as? [[String: Any]])
    #expect(installed.map { $0["name"] as? String } == ["de-1", "odd-bert", "tiny-bert"])
    #expect(list["embedded"] as? String == "tiny-bert")
    #expect(installed[0]["licence"] as? String == "mit" && installed[0]["language"] as? String == "de, en")
    #expect(installed[0]["family"] as? String == "bert" && installed[0]["source"] as? String == "german")
    #expect(installed[1]["licence"] is NSNull && installed[1]["longest"] as? Int != nil)
    let terminal = try front.prompt(columns: 80)
    terminal.type("models\n")
    try terminal.waitForScreen("the list") {
      $0.text.contains("installed: tiny-bert: bert") && $0.cursorLine == "fettle>"
    }
    #expect(terminal.screen.text.contains("licence unknown, language"))
    #expect(terminal.screen.lines.allSatisfy { $0.count <= 80 })
  }

  @Test("another model of a name that is taken gets a name of its own, or the place when told so")
  func taken() throws {
    let front = try Front()
    let other = front.folder.appending(path: "other/tiny-bert")
    try FileManager.default.createDirectory(
      at: other.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: Self.odd, toPath: other.path)
    let again = try front.run("model", "install", "--from", Self.reference.path + "/tiny-bert")
    #expect(again.output == "tiny-bert is installed already.\n")
    let refused = try front.run("--json", "model", "install", "--from", "other/tiny-bert")
    #expect(try code(refused) == "model-name-taken", "\(refused.output)")
    #expect(try front.run("model", "install", "--from", "other/tiny-bert", "--name", "odd").status == 0)
    #expect(try front.run("model", "install", "--from", "other/tiny-bert", "--replace").status == 0)
    for name in ["base", "embedded", "a b", ".x"] {
      let outcome = try front.run("--json", "model", "install", "--from", Self.odd, "--name", name)
      #expect(try code(outcome) == "bad-name", "\(outcome.output)")
    }
  }

  @Test(
    "model use is a step: base is another, what was tuned goes on with its own, and a replay comes to the same"
  )
  func use() throws {
    let front = try Front()
    try work(front)
    let before = try confidences(front, of: "base")
    try front.run("model", "install", "--from", Self.odd)
    #expect(try confidences(front, of: "base") == before)
    let used = try front.run("model", "use", "odd-bert")
    #expect(used.output.hasPrefix("base is odd-bert ("), "\(used.output)\(used.error)")
    #expect(used.output.contains("first goes on with what it was trained on."))
    // What the one before has predicted is not the new one's.
    #expect(try code(front.run("--json", "kpi", "--model", "base")) == "no-predictions")
    #expect(try confidences(front, of: "tiny-bert") == before)
    let outcome = try front.lines(
      "predict --model base", "predict --model first", "finetune --base first --method linear --name third",
      "finetune --method linear --name second", "load letters.csv --name again",
      "classify --model first news",
      "export model out --model first")
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(try confidences(front, of: "base") != before)
    let models = try front.run("--no-record", "models").output
    #expect(models.contains(#/first +tiny-bert +adapter/#) && models.contains(#/second +base +linear/#))
    try front.writeLetters(to: "new.csv", offset: 200)
    try front.run("load", "new.csv")
    let validated = try object(front.run("--json", "validate", "--model", "first").lines[0])
    #expect(validated["base"] as? String == "tiny-bert", "\(validated)")
    let own = try object(front.run("--json", "validate", "--model", "second").lines[0])
    #expect(own["base"] as? String == "base")
    let replayed = try front.run("replay", ".fettle/session.md")
    #expect(replayed.status == 0, "\(replayed.output)")
    // And back.
    try front.run("model", "use", "tiny-bert")
    #expect(try confidences(front, of: "base").count == 40)
  }

  @Test("a replay where the model is not installed says what to install, and Tab knows the names")
  func elsewhere() throws {
    let front = try Front()
    try front.run("model", "install", "--from", Self.odd, "--name", "strange")
    try front.run("model", "use", "strange")
    let terminal = try front.prompt(columns: 80)
    terminal.type("model use ti\t")
    try terminal.waitForScreen("the name") { $0.cursorLine == "fettle> model use tiny-bert" }
    try FileManager.default.removeItem(at: front.folder.appending(path: ".cache/fettle/models/strange"))
    let replayed = try front.run("replay", ".fettle/session.md")
    #expect(replayed.status == 1)
    let text = replayed.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(
      text.contains("strange is not installed. Install it: model install --from DIR --name"),
      "\(text)")
    let here = try front.run("--json", "tokens", "abc")
    #expect(try code(here) == "model-not-installed", "\(here.output)")
  }

  @Test("FETTLE_MODEL is base in every workspace, whatever model use has said, and whoever looks is told")
  func fromTheEnvironment() throws {
    let front = try Front()
    func dimensions(_ front: Front) throws -> Int {
      let answer = try object(front.run("--json", "--no-record", "embed", "abc").lines[0])
      return try #require(answer["embedding"] as? [Double], "\(answer)").count
    }
    let tiny = try dimensions(front)
    try front.run("model", "install", "--from", Self.odd)
    try front.run("model", "use", "odd-bert")
    let odd = try dimensions(front)
    #expect(odd != tiny)
    #expect(try !front.run("models").output.contains("FETTLE_MODEL"))
    var other = front
    other.environment["FETTLE_MODEL"] = Self.reference.path + "/tiny-bert"
    #expect(try dimensions(other) == tiny)
    let models = try other.run("models")
    #expect(
      models.text.contains("FETTLE_MODEL names \(Self.reference.path)/tiny-bert: that is base"),
      "\(models.output)")
    #expect(models.output.contains(#/base +tiny-bert/#))
    let list = try object(other.run("--json", "--no-record", "models").lines[0])
    #expect(list["embedded"] as? String == "tiny-bert")
    #expect(list["fettle_model"] as? String == Self.reference.path + "/tiny-bert")
    #expect((list["installed"] as? [[String: Any]])?.count == 2)
    let used = try other.run("model", "use", "odd-bert")
    #expect(used.status == 0 && used.text.contains("FETTLE_MODEL names"), "\(used.output)")
    #expect(try !front.read(".fettle/session.md").contains("FETTLE_MODEL"))
    for page in ["models", "model"] {
      #expect(try front.run("help", page).output.contains("FETTLE_MODEL"), "\(page)")
    }
    other.environment["FETTLE_MODEL"] = front.folder.path
    let missing = try other.run("--json", "tokens", "abc")
    #expect(try code(missing) == "model-missing" && missing.output.contains("FETTLE_MODEL names"))
    #expect(try other.run("models").output.contains("none in FETTLE_MODEL"))
    #expect(try dimensions(front) == odd)
  }

  @Test(
    "without its model predict says so as classify does, whatever was predicted; what counts predictions goes on"
  )
  func missing() throws {
    let front = try Front()
    try work(front)
    try front.lines("finetune --method full --epochs 1 --name whole", "predict --model first")
    try FileManager.default.removeItem(at: front.folder.appending(path: ".cache/fettle"))
    for line in ["predict --model base", "classify --model base abc"] {
      let outcome = try front.run(["--json", "-c", line])
      #expect(try code(outcome) == "model-missing", "\(line): \(outcome.output)")
    }
    for line in ["predict --model first", "classify --model first abc"] {
      let outcome = try front.run(["--json", "-c", line])
      #expect(try code(outcome) == "model-other-base", "\(line): \(outcome.output)")
      #expect(outcome.output.contains("first was trained on tiny-bert ("), "\(outcome.output)")
    }
    #expect(
      try front.lines("kpi --model base", "kpi --model first", "classify --model whole abc").status == 0)
  }

  @Test("an installed model that is not base is told how to become it, by whatever verb it is named")
  func named() throws {
    let front = try Front()
    try front.writeLetters()
    try front.run("model", "install", "--from", Self.odd)
    try front.lines("load letters.csv", "interface define --from letters", "label simulate")
    for line in ["predict --model odd-bert", "finetune --base odd-bert", "kpi --model odd-bert"] {
      let outcome = try front.run(["--json", "-c", line])
      #expect(try code(outcome) == "model-not-base")
      #expect(outcome.output.contains("Make it base: model use odd-bert"), "\(outcome.output)")
    }
    let base = try front.lines("predict --model tiny-bert")
    #expect(base.error.contains("tiny-bert is what base is here"), "\(base.error)")
    #expect(try front.lines("predict --model oddbert").error.contains("There is no model named oddbert"))
  }

  // MARK: - Language models

  private static let llama = reference.appending(path: "tiny-llama").path

  @Test(
    "a language model is installed from a folder, from a GGUF file or a folder with one, and is never base")
  func languageModels() throws {
    let front = try Front(tiny: false)
    try front.write("", to: "one/empty")
    let file = front.folder.appending(path: "one/small.gguf").path
    try FileManager.default.copyItem(atPath: Self.llama + "/model-q8_0.gguf", toPath: file)
    #expect(
      try front.run("model", "install", "--from", Self.llama).output.hasPrefix("Installed tiny-llama: "))
    #expect(
      try front.run("model", "install", "--from", "one/small.gguf").output.hasPrefix("Installed small: "))
    #expect(try front.run("model", "install", "--from", "one").output.hasPrefix("Installed one: "))
    #expect(try front.run("model", "install", "--from", "one").output == "one is installed already.\n")
    let embedded = front.folder.appending(path: ".cache/fettle/models/embedded").path
    #expect(!FileManager.default.fileExists(atPath: embedded))
    #expect(try code(front.run("--json", "tokens", "abc")) == "model-missing")
    // The first encoder is base, though language models came before it.
    let encoder = try object(front.run("--json", "model", "install", "--from", Self.odd).lines[0])
    #expect(encoder["base"] as? Bool == true && encoder["model"] as? String == "odd-bert")
    #expect(try front.run("tokens", "abc").status == 0)

    let installed =
      try object(front.run("--json", "models").lines[0])["installed"] as? [[String: Any]] ?? []
    #expect(installed.map { $0["name"] as? String } == ["odd-bert", "one", "small", "tiny-llama"])
    #expect(
      installed.map { $0["kind"] as? String }
        == ["encoder", "language-model", "language-model", "language-model"])
    #expect(installed[1...].allSatisfy { $0["family"] as? String == "llama" && $0["longest"] as? Int == 256 })
    #expect(try front.run("models").text.contains("asked by predict --model small"))

    let used = try front.run("--json", "model", "use", "small")
    #expect(
      try code(used) == "model-encoder" && used.output.contains("small is a language model, which writes"))
    for place in [Self.llama, "one"] {
      var other = front
      other.environment["FETTLE_MODEL"] = place.hasPrefix("/") ? place : front.folder.path + "/" + place
      let outcome = try other.run("--json", "tokens", "abc")
      #expect(try code(outcome) == "model-encoder" && outcome.output.contains("FETTLE_MODEL names"))
      let models = try other.run("models").text
      #expect(models.contains("where a language model lies") && !models.contains("that is base"), "\(models)")
    }
  }

  @Test("a language model of the standard encoder's name does not become base")
  func namedAsTheEncoder() throws {
    let front = try Front(tiny: false)
    try front.run("model", "install", "--from", Self.llama, "--name", "all-MiniLM-L6-v2")
    #expect(try code(front.run("--json", "tokens", "abc")) == "model-missing")
    try front.run("model", "install", "--from", Self.odd)
    #expect(try front.run("tokens", "abc").status == 0)
  }

  @Test("what cannot be fetched is named, and how else it can be had")
  func notFetched() throws {
    var front = try Front(tiny: false)
    let unknown = try front.run("--json", "model", "install", "gpt-4")
    #expect(try code(unknown) == "model-unknown")
    for part in ["all-MiniLM-L6-v2 and smollm2", "gpt-4", "--from"] {
      #expect(unknown.output.contains(part), "\(unknown.output)")
    }
    // Nothing answers there.
    front.environment["https_proxy"] = "http://127.0.0.1:9"
    for (name, target) in [("smollm2", "make language-model"), ("all-MiniLM-L6-v2", "make model")] {
      let outcome = try front.run("--json", "model", "install", name)
      #expect(try code(outcome) == "cannot-connect")
      #expect(outcome.output.contains(target) && outcome.output.contains("--from"), "\(outcome.output)")
    }
  }

  @Test("what is no model is refused at once, in words that fit it")
  func noModel() throws {
    let front = try Front(tiny: false)
    for name in ["two", "pipe", "device", "large"] {
      try FileManager.default.createDirectory(
        at: front.folder.appending(path: name), withIntermediateDirectories: true)
    }
    for name in ["model-q4_0.gguf", "model-q8_0.gguf"] {
      try FileManager.default.copyItem(
        atPath: Self.llama + "/" + name, toPath: front.folder.path + "/two/" + name)
    }
    #expect(mkfifo(front.folder.path + "/pipe/config.json", 0o600) == 0)
    #expect(mkfifo(front.folder.path + "/pipe.gguf", 0o600) == 0)
    #expect(symlink("/dev/zero", front.folder.path + "/device/config.json") == 0)
    for name in ["config.json", "model.safetensors"] {
      try FileManager.default.copyItem(
        atPath: Self.llama + "/" + name, toPath: front.folder.path + "/large/" + name)
    }
    try front.write("", to: "large/tokenizer.json")
    #expect(truncate(front.folder.path + "/large/tokenizer.json", 4 << 30) == 0)
    try front.write("news", to: "plain")
    for (place, reason) in [
      ("two", "holds 2 GGUF files, so name one of them"), ("pipe", "it is no file of bytes"),
      ("pipe.gguf", "it is no file of bytes"), ("device", "it is no file of bytes"),
      ("large", "fettle reads 67108864 at most"), ("plain", "There is no model in plain"),
      ("nothing", "There is no model in nothing"), ("nothing.gguf", "There is no nothing.gguf"),
    ] {
      let outcome = try front.run("--json", "model", "install", "--from", place, "--name", "x")
      #expect(outcome.status == 1 && outcome.output.contains(reason), "\(place): \(outcome.output)")
    }
    let list = try object(front.run("--json", "models").lines[0])
    #expect((list["installed"] as? [[String: Any]])?.isEmpty == true)
  }

  @Test("a language model that came with the program is installed already")
  func bundledLanguageModel() throws {
    var front = try Front(tiny: false)
    front.program = try front.install(at: "unpacked/fettle", share: "unpacked")
    let models = front.folder.appending(path: "unpacked/Models")
    try FileManager.default.createDirectory(at: models, withIntermediateDirectories: true)
    for (from, to) in [("tiny-llama", "smollm2"), ("tiny-bert", "all-MiniLM-L6-v2")] {
      try FileManager.default.copyItem(
        at: Self.reference.appending(path: from), to: models.appending(path: to))
    }
    let list = try object(front.run("--json", "models").lines[0])
    let installed = list["installed"] as? [[String: Any]] ?? []
    #expect(installed.map { $0["kind"] as? String } == ["encoder", "language-model"])
    #expect(list["embedded"] as? String == "all-MiniLM-L6-v2")
  }
}
