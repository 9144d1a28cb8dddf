/// What can be wrong with a model, its files or its training, each with a sentence for the learner. Files are named without
/// their folder's path, so that a recorded session reads the same on every machine.
public enum ModelError: Error, Equatable, Sendable, CustomStringConvertible {
  case missingFile(String, folder: String)
  case unreadableFile(String, reason: String)
  case otherWeights(String, folder: String)
  case cannotWrite(String, reason: String)
  case malformedWeights(file: String, reason: String)
  case missingTensor(String)
  case wrongShape(tensor: String, expected: [Int], found: [Int])
  case unsupportedType(tensor: String, type: String)
  case notANumber(where: String)
  case malformedConfiguration(file: String = "config.json", reason: String)
  case malformedVocabulary(reason: String)
  case noAdapters
  case malformedAdapter(file: String, reason: String)
  case noTraining(family: String)
  case noGeneration
  case noGGUF
  case noEncoder
  case noExamples
  case oneCategory
  case categoryOutOfRange(category: Int, categories: Int)
  case headMismatch(expected: Int, found: Int)
  case invalidOption(name: String, value: String, allowed: String)
  case tokenOutOfRange(id: Int, vocabulary: Int)
  case textTooLong(tokens: Int, maximum: Int)
  case diverged(epoch: Int)
  case noBFloat16
  case productFailed(status: Int)

  /// A stable word for programs.
  public var code: String {
    switch self {
    case .missingFile: "model-file-missing"
    case .unreadableFile: "model-file-unreadable"
    case .otherWeights: "model-other-weights"
    case .cannotWrite: "model-cannot-write"
    case .malformedWeights: "model-weights-malformed"
    case .missingTensor: "model-tensor-missing"
    case .wrongShape: "model-tensor-shape"
    case .unsupportedType: "model-tensor-type"
    case .notANumber: "model-not-a-number"
    case .malformedConfiguration: "model-configuration"
    case .malformedVocabulary: "model-vocabulary"
    case .noAdapters: "model-adapters"
    case .malformedAdapter: "model-adapter-malformed"
    case .noTraining: "model-training"
    case .noGeneration: "model-generation"
    case .noGGUF: "model-gguf"
    case .noEncoder: "model-encoder"
    case .noExamples: "training-no-examples"
    case .oneCategory: "training-one-category"
    case .categoryOutOfRange: "training-category-out-of-range"
    case .headMismatch: "training-head-mismatch"
    case .invalidOption: "training-option"
    case .tokenOutOfRange: "token-out-of-range"
    case .textTooLong: "text-too-long"
    case .diverged: "training-diverged"
    case .noBFloat16: "model-bf16"
    case .productFailed: "matrix-product-failed"
    }
  }

  public var description: String {
    switch self {
    case .missingFile("config.json", let folder):
      "There is no model in \(folder). Fetch one (`model install`), or name a folder with config.json, model.safetensors and a "
        + "tokenizer's files, or one GGUF file."
    case .missingFile(let file, let folder):
      "There is no \(file) in the model's folder \(folder). Fetch the whole model again, or install another: `model install`."
    case .unreadableFile(let file, let reason):
      "\(file) cannot be read: \(reason). Check the file, or run `model install` again."
    case .otherWeights(let file, let folder):
      "The weights in \(folder) stand in \(file), and fettle reads one model.safetensors. Make it with Python: "
        + "transformers.AutoModel.from_pretrained(\"\(folder)\").save_pretrained(\"\(folder)\", max_shard_size=\"99GB\")"
    case .cannotWrite(let file, let reason):
      "\(file) cannot be written: \(reason). Make room or choose another place, then try again."
    case .malformedWeights(let file, let reason):
      "\(file) holds no weights that fettle can read: \(reason). Fetch it again with `model install`, or choose another."
    case .missingTensor(let name):
      "The weights lack the tensor \(name), which the model's settings ask for. Use files of one and the same model."
    case .wrongShape(let tensor, let expected, let found):
      "The tensor \(tensor) has the shape \(found), and the model's settings ask for \(expected). Use files of one and the same model."
    case .unsupportedType(let tensor, let type):
      "The tensor \(tensor) is of type \(type). fettle reads F32, F16 and BF16, and in a GGUF also Q4_0, Q4_1, Q5_0, Q5_1, "
        + "Q8_0, Q4_K, Q5_K and Q6_K; save the model as one of these."
    case .notANumber(let place):
      "There are values that are no numbers in \(place). The weights are damaged; fetch or train the model again."
    case .malformedConfiguration(let file, let reason):
      "\(file) does not describe a model that fettle can run: \(reason). Choose another model, or another form of this one."
    case .malformedVocabulary(let reason):
      "The model's vocabulary is none of WordPiece: \(reason). Take the files of one and the same model."
    case .noAdapters:
      "This model's family has no adapters. Choose another --method: linear, full or gradual."
    case .malformedAdapter(let file, let reason):
      "\(file) holds no LoRA for this model: \(reason). Take one that fettle has written, or peft's for all seven projections."
    case .noTraining(let family):
      "fettle does not train models of the family \(family) yet. Start from an encoder."
    case .noGeneration:
      "This model compares texts and writes none. Take a language model."
    case .noGGUF:
      "This model does not come from a GGUF file, and fettle writes only those as one. Write it as a folder (--merge), of which "
        + "llama.cpp's convert_hf_to_gguf.py makes one."
    case .noEncoder:
      "This is a language model, which goes on with a text. fettle compares texts with an encoder: take a BERT."
    case .noExamples:
      "There is nothing to train on. Label some assets first, with `label simulate` or `label`."
    case .oneCategory:
      "All examples have one and the same category, so there is nothing to tell apart. Label assets of at least two categories."
    case .categoryOutOfRange(let category, let categories):
      "An example has category number \(category), and there are \(categories). Number them from 0."
    case .headMismatch(let expected, let found):
      "The tuned model tells \(found) categories apart, and the interface has \(expected). "
        + "Start from the base model, or use the interface that it was tuned with."
    case .invalidOption(let name, let value, let allowed):
      "\(name) cannot be \(value). It may be \(allowed)."
    case .tokenOutOfRange(let id, let vocabulary):
      "A text has the token number \(id), and the model knows \(vocabulary). Use the tokenizer that belongs to the model."
    case .textTooLong(let tokens, let maximum):
      "A text has \(tokens) tokens, and the model reads at most \(maximum). Cut it first."
    case .diverged(let epoch):
      "The loss stopped being a number in epoch \(epoch). Train again with a smaller --learning-rate."
    case .noBFloat16:
      "This CPU does not multiply in bf16. Compute in f32, or say auto: bf16 where there is such a CPU."
    case .productFailed(let status):
      "oneDNN could not compute a matrix product (status \(status)). Free some memory and try again."
    }
  }
}
