import Foundation

/// LoRA in the two files that Python's peft writes and loads.
extension PretrainedModel {
  public static let loraWeightsName = "adapter_model.safetensors"
  public static let loraConfigurationName = "adapter_config.json"
  private static let prefix = "base_model.model."

  private struct Configuration: Decodable {
    var kind: String?
    var rank: Int
    var alpha: Float
    var bias: String?
    var isRankStabilised: Bool?
    var isDecomposed: Bool?
    var ranks: [String: Int]?
    var alphas: [String: Float]?
    var saved: [String]?

    enum CodingKeys: String, CodingKey {
      case bias
      case kind = "peft_type"
      case rank = "r"
      case alpha = "lora_alpha"
      case isRankStabilised = "use_rslora"
      case isDecomposed = "use_dora"
      case ranks = "rank_pattern"
      case alphas = "alpha_pattern"
      case saved = "modules_to_save"
    }

    /// What fettle does not do; nil where it does all.
    var unknown: String? {
      if kind ?? "LORA" != "LORA" { return "peft_type is \(kind ?? "")" }
      if bias ?? "none" != "none" { return "bias is \(bias ?? "")" }
      if isRankStabilised == true { return "use_rslora is true" }
      if isDecomposed == true { return "use_dora is true" }
      if ranks?.isEmpty == false { return "rank_pattern is set" }
      if alphas?.isEmpty == false { return "alpha_pattern is set" }
      if saved?.isEmpty == false { return "modules_to_save is set" }
      if !(1...4096).contains(rank) { return "r is \(rank)" }
      if !(alpha.isFinite && alpha > 0) { return "lora_alpha is \(alpha)" }
      return nil
    }
  }

  /// This model with the LoRA of a folder that `save(loraTo:)` or peft has written for it: on all seven projections.
  /// - Throws: `ModelError`.
  public func with(lora folder: URL) throws -> PretrainedModel {
    let name = Self.loraConfigurationName
    func malformed(_ reason: String) -> ModelError { .malformedAdapter(file: name, reason: reason) }
    let configuration: Configuration
    let data = try ModelFile.read(folder.appendingPathComponent(name))
    do {
      configuration = try JSONDecoder().decode(Configuration.self, from: data)
    } catch {
      throw malformed("it is not the JSON of a LoRA")
    }
    if let unknown = configuration.unknown { throw malformed("\(unknown), which fettle does not do") }
    guard let backbone = backbone.with(adapterAlpha: configuration.alpha) else { throw ModelError.noAdapters }
    let needed = adapterTensors(size: configuration.rank)
    let names = Set(needed.map { Self.prefix + $0.name })
    let (stored, _) = try SafeTensors.open(
      folder.appendingPathComponent(Self.loraWeightsName), required: names.contains)
    if let other = stored.keys.filter({ !names.contains($0) }).min() {
      throw ModelError.malformedAdapter(
        file: Self.loraWeightsName, reason: "it holds \(other), which this model has no place for")
    }
    try Self.check(stored, needed.map { (Self.prefix + $0.name, $0.shape) })
    var tensors = tensorsWithoutAdapters
    for entry in needed { tensors[entry.name] = stored[Self.prefix + entry.name] }
    return PretrainedModel(backbone: backbone, tensors: tensors)
  }

  /// Writes the two files into `folder`; they go with the model that the LoRA was learned for.
  /// - Throws: `ModelError.cannotWrite`; `ModelError.noAdapters` where this model has no LoRA.
  public func save(loraTo folder: URL) throws {
    guard adapterSize > 0, let alpha = backbone.adapterAlpha else { throw ModelError.noAdapters }
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw ModelError.cannotWrite(folder.lastPathComponent, reason: "the folder cannot be made")
    }
    let names = adapterTensors(size: adapterSize).map(\.name)
    let modules = Set(names.compactMap { $0.split(separator: ".").dropLast(2).last.map(String.init) })
    let configuration: [String: Any] = [
      "peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": NSNull(), "r": adapterSize,
      "lora_alpha": alpha.rounded() == alpha ? Int(alpha) as Any : Double(alpha) as Any, "lora_dropout": 0.0,
      "target_modules": modules.sorted(), "bias": "none", "fan_in_fan_out": false, "inference_mode": true,
      "init_lora_weights": true, "modules_to_save": NSNull(), "rank_pattern": [String: Int](),
      "alpha_pattern": [String: Int](), "use_rslora": false, "use_dora": false,
    ]
    try ModelFile.write(
      JSONSerialization.data(withJSONObject: configuration, options: [.prettyPrinted, .sortedKeys]),
      to: folder.appendingPathComponent(Self.loraConfigurationName))
    try SafeTensors.write(
      Dictionary(
        uniqueKeysWithValues: names.compactMap { name in tensors[name].map { (Self.prefix + name, $0) } }),
      to: folder.appendingPathComponent(Self.loraWeightsName))
  }
}
