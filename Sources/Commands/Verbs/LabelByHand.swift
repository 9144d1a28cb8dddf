import ArgumentParser
import Classifiers
import Foundation
import Shell
import Tasks
import Workbench

extension LabelVerb {
  /// Labels at the keyboard, one key a category. Each is a `label set` of its own, and the document has these.
  struct ByHand: Verb {
    static let recording = Recording.prose
    static let configuration = CommandConfiguration(
      commandName: "hand", abstract: "Label at the keyboard, one key a category; label alone does the same.",
      discussion: """
        Shows one text after the other; the key beside a category gives it that label, which is kept at once. s skips a text, b goes \
        back to the one before, u undoes, m asks a model for its suggestion, ? shows all keys, q leaves. The next time it goes on where \
        you left, with the texts that have no label by this author.

        The suggestion waits until you ask for it: whoever sees it first tends to agree with it.

        Examples:
          label
          label --author ana --dataset news-2

        Next: kpi, finetune.
        """)
    @OptionGroup var by: AuthorOption
    @OptionGroup var data: DatasetOption
    @OptionGroup var choice: ModelOption

    func perform(in context: Context) throws -> Effect {
      let author = try by.resolve()
      guard context.nested.depth == 0, !context.files.isReplay else { throw Self.needsKeys }
      let sitting = try context.workspace.read { workbench in
        try LabellingSitting(
          author: author, dataset: data.resolve(workbench), namesDataset: data.dataset != nil,
          model: choice.model.map { try context.models.model(named: $0.description, workbench) },
          workbench: workbench)
      }
      guard let keyboard = try? Keyboard(window: context.nested.terminal, isCancelled: context.isCancelled)
      else { throw Self.needsKeys }
      defer { keyboard.release() }
      try sitting.run(keyboard, context)
      return Effect { _ in sitting.report }
    }

    private static let needsKeys = CommandError.usage(
      "label asks a person to press keys, so it works only when it is typed at a terminal. "
        + "Elsewhere use label set ASSET CATEGORY, label import FILE or label simulate.")
  }
}

/// One person at the keyboard, from the first text shown to the last.
private final class LabellingSitting {
  private let author: String
  private let dataset: Dataset
  private let namesDataset: Bool
  private var model: ModelSelection?
  private let assets: [Asset]
  private let interface: Interface
  /// Category key by asset id, as this author has given them.
  private var labels: [Int: String]
  private let keys: [(key: Character, category: Interface.Category)]
  /// Indices into `assets` of what was shown, in that order, and where in it one stands: `b` goes back along it.
  private var trail: [Int] = []
  private var position = -1
  /// What was there before each change, the last one last.
  private var undo: [(asset: Int, before: String?)] = []
  private var classifier: (any Classifier)?
  private var remarks: [String] = []
  /// The last text is behind; it can be undone yet.
  private var isAtEnd = false
  /// Which lines of a long text are seen.
  private var extent = LabellingCard.Extent()

  /// Digits first; then letters that mean nothing else here.
  private static let categoryKeys = Array("123456789acdefghijklnoprtvwxyzACDEFGHIJKLNOPRTVWXYZ")
  private static let otherKeys = "s skip, b back, u undo, m model's suggestion, ? all keys, q leave"
  private static let endKeys = "u undo the last label, b back, q or Enter leave"
  private static let allKeys = [
    "a digit or letter: the category beside it, kept at once",
    "s, Right: skip this text; b, Left: back to the one before",
    "u, Backspace: take the last label back, and show its text again",
    "m: what the model suggests", "Up, Down, Page Up, Page Down, the space bar: scroll a long text",
    "q, Ctrl-D, Ctrl-C: leave",
  ]

  init(
    author: String, dataset: Dataset, namesDataset: Bool, model: ModelSelection?, workbench: Workbench
  ) throws {
    self.author = author
    self.dataset = dataset
    self.namesDataset = namesDataset
    self.model = model
    assets = try workbench.assets(of: dataset)
    guard let interface = try workbench.interface() else { throw TaskError.noInterface }
    guard interface.categories.count <= Self.categoryKeys.count else {
      throw CommandError.other(
        code: "too-many-categories",
        "There are keys for \(Self.categoryKeys.count) categories and the interface has \(interface.categories.count). "
          + "Use label set ASSET CATEGORY, or label import FILE.")
    }
    self.interface = interface
    keys = zip(Self.categoryKeys, interface.categories).map { ($0, $1) }
    labels = try workbench.labels(of: dataset, by: author)
  }

  /// Until nothing is left, or the person leaves.
  func run(_ keyboard: Keyboard, _ context: Context) throws {
    var lines = LiveLines(context.nested.terminal)
    guard goOn() else { return }
    while true {
      let asset = isAtEnd ? nil : assets[trail[position]]
      extent = lines.show(asset.map { card(for: $0) } ?? endCard)
      switch keyboard.next() {
      case .resized: continue
      case .end, .character("q"):
        lines.erase()
        return
      case .enter:
        guard isAtEnd else { continue }
        lines.erase()
        return
      case .up: extent.first -= 1
      case .down: extent.first += 1
      case .pageUp: extent.first -= extent.count
      case .pageDown, .character(" "): extent.first += extent.count
      case .left, .character("b"): remarks = goBack() ? [] : ["This is the first one."]
      case .backspace, .character("u"):
        guard let last = undo.popLast() else {
          remarks = ["There is nothing to undo in this sitting."]
          continue
        }
        try set(last.before, for: last.asset, context)
        show(last.asset)
        lines.leave("  \(assets[last.asset].externalID)  undone")
      case .character("?"): remarks = remarks == Self.allKeys ? [] : Self.allKeys
      case .right, .character("s"):
        guard let asset else { continue }
        lines.leave("  \(asset.externalID)  skipped")
        isAtEnd = !goOn()
      case .character("m"):
        guard let asset else { continue }
        remarks = [suggestion(for: asset, context)]
      case .character(let key):
        guard let asset, let category = keys.first(where: { $0.key == key })?.category else {
          remarks = ["\(key) means nothing here."]
          continue
        }
        undo.append((trail[position], labels[asset.id]))
        try set(category.key, for: trail[position], context)
        lines.leave("  \(asset.externalID)  \(category.name)  \(Self.firstLine(of: asset.text))")
        isAtEnd = !goOn()
      }
    }
  }

  private static func firstLine(of text: String) -> String {
    text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
  }

  // MARK: - Where one stands

  /// Goes to the next text on the trail, or else to the next one without a label; whether there is one.
  private func goOn() -> Bool {
    (remarks, extent) = ([], .init())
    if position + 1 < trail.count {
      position += 1
      return true
    }
    let start = trail.max().map { $0 + 1 } ?? 0
    guard let next = assets.indices[start...].first(where: { labels[assets[$0].id] == nil }) else {
      return false
    }
    trail.append(next)
    position = trail.count - 1
    return true
  }

  /// Goes to the text before, beyond this sitting's first too.
  private func goBack() -> Bool {
    extent = .init()
    if isAtEnd {
      isAtEnd = false
      return true
    }
    if position > 0 {
      position -= 1
      return true
    }
    guard let first = trail.first, first > 0 else { return false }
    trail.insert(first - 1, at: 0)
    return true
  }

  private func show(_ index: Int) {
    (remarks, extent, isAtEnd) = ([], .init(), false)
    if let place = trail.firstIndex(of: index) { position = place }
  }

  // MARK: - Labels

  /// Gives or takes back a label, in a step of its own.
  private func set(_ category: String?, for index: Int, _ context: Context) throws {
    let asset = assets[index]
    var words = ["label", category == nil ? "remove" : "set", Language.quoted(asset.externalID)]
    if let category { words.append(Language.quoted(category)) }
    if author != AuthorOption.nobodyNamed { words += ["--author", Language.quoted(author)] }
    let isCurrent = try context.workspace.read { try $0.currentDataset()?.id == dataset.id }
    if namesDataset || !isCurrent { words += ["--dataset", Language.quoted(dataset.name)] }
    let statement = try Language.statements(words.joined(separator: " "), extractingPrompts: false)[0]
    if case .failure(let failure) = context.nested.runQuietly(statement).result { throw failure }
    labels[asset.id] = category
  }

  private func suggestion(for asset: Asset, _ context: Context) -> String {
    do {
      if classifier == nil {
        let model = try self.model ?? context.workspace.read { try StandardModel($0).chosen }
        self.model = model
        classifier = try context.models.classifier(for: model)
      }
      guard let result = try classifier?.classify([asset.text], isCancelled: context.isCancelled).first else {
        return "The model has no suggestion."
      }
      let key = keys.first { $0.category.key == result.category }.map { ": \($0.key)" } ?? ""
      return "\(model?.name ?? "model") suggests \(interface.name(ofKey: result.category)) "
        + "(\(result.classification?.confidence.map { fixed($0, 2) } ?? result.reason ?? ""))\(key)"
    } catch {
      let failure = Diagnostic(
        explaining: error, verb: "label",
        statement: Statement(words: [], source: "", physicalLines: [], line: 1), file: nil)
      return failure.message
    }
  }

  // MARK: - What is shown

  private var left: Int { assets.count - labels.count }

  private func card(for asset: Asset) -> LabellingCard {
    var remarks = remarks
    if let label = labels[asset.id] { remarks.insert("now: \(interface.name(ofKey: label))", at: 0) }
    var card = LabellingCard(
      heading: "\(asset.externalID)   \(labels.count) labelled by \(author), \(left) left", text: asset.text,
      choices: keys.map { ($0.key, $0.category.name) }, keys: Self.otherKeys, remarks: remarks)
    card.scroll = extent.first
    return card
  }

  private var endCard: LabellingCard {
    let rest = left == 0 ? "none left" : "\(left) left"
    return LabellingCard(
      heading: "\(labels.count) labelled by \(author), \(rest)", text: "That was the last text.", choices: [],
      keys: Self.endKeys, remarks: remarks)
  }

  var report: Report {
    var report = Report(verb: "label")
    let done =
      "\(labels.count) of \(counted(assets.count, "asset")) of \(dataset.name) labelled by \(author.visible)"
    report.blocks.append(.line(left == 0 ? "\(done), none left." : "\(done), \(left) left."))
    report.json = [
      "dataset": .string(dataset.name), "author": .string(author), "labels": .int(labels.count),
      "left": .int(left),
    ]
    report.hint =
      left == 0 ? "kpi, then finetune" : "label goes on from here; kpi and finetune use what is there"
    return report
  }
}
