import Foundation
import Workbench

struct ListObject<Item: Encodable>: Encodable {
  let object = "list"
  let data: [Item]
  let hasMore: Bool?
  let firstID: Nullable<String>?
  let lastID: Nullable<String>?

  init(_ data: [Item], hasMore: Bool?, firstID: Nullable<String>? = nil, lastID: Nullable<String>? = nil) {
    (self.data, self.hasMore, self.firstID, self.lastID) = (data, hasMore, firstID, lastID)
  }

  enum CodingKeys: String, CodingKey {
    case object, data
    case hasMore = "has_more"
    case firstID = "first_id"
    case lastID = "last_id"
  }
}

/// A job as clients of today know it.
struct JobObject: Encodable {
  private let job: Job

  init(_ job: Job) { self.job = job }

  private enum CodingKeys: String, CodingKey {
    case id, object, model, hyperparameters, seed, status, error, metadata, method
    case created = "created_at"
    case finished = "finished_at"
    case estimatedFinish = "estimated_finish"
    case training = "training_file"
    case validation = "validation_file"
    case tunedModel = "fine_tuned_model"
    case trainedTokens = "trained_tokens"
    case results = "result_files"
    case organization = "organization_id"
    case integrations
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(job.id, forKey: .id)
    try container.encode("fine_tuning.job", forKey: .object)
    try container.encode(job.model, forKey: .model)
    try container.encode(job.created, forKey: .created)
    try container.encode(Nullable(job.finished), forKey: .finished)
    try container.encode(Nullable(job.estimatedFinish), forKey: .estimatedFinish)
    try container.encode(Nullable(job.tunedModel), forKey: .tunedModel)
    try container.encode("local", forKey: .organization)
    try container.encode(job.results.map(\.id), forKey: .results)
    try container.encode(job.status.rawValue, forKey: .status)
    try container.encode(job.training.id, forKey: .training)
    try container.encode(Nullable(job.validation?.id), forKey: .validation)
    try container.encode(Nullable(job.trainedTokens), forKey: .trainedTokens)
    try container.encode(Nullable(job.fault.map(FaultObject.init)), forKey: .error)
    try container.encode(job.seed, forKey: .seed)
    try container.encode(Nullable(job.metadata), forKey: .metadata)
    try container.encode([String](), forKey: .integrations)
    let parameters = HyperparametersObject(job)
    try container.encode(parameters, forKey: .hyperparameters)
    try container.encode(
      MethodObject(supervised: MethodObject.Supervised(hyperparameters: parameters)), forKey: .method)
  }
}

private struct FaultObject: Encodable {
  let code: String
  let message: String
  let param: Nullable<String>

  init(_ fault: Job.Fault) {
    (code, message, param) = (fault.code, fault.message, Nullable(fault.param))
  }
}

private struct MethodObject: Encodable {
  struct Supervised: Encodable { let hyperparameters: HyperparametersObject }
  let type = "supervised"
  let supervised: Supervised
}

/// What was chosen; before that what was asked for.
private struct HyperparametersObject: Encodable {
  private let job: Job

  init(_ job: Job) { self.job = job }

  enum CodingKeys: String, CodingKey {
    case epochs = "n_epochs"
    case batch = "batch_size"
    case multiplier = "learning_rate_multiplier"
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    func encode(_ number: (some Encodable)?, _ key: CodingKeys) throws {
      if let number {
        try container.encode(number, forKey: key)
      } else {
        try container.encode("auto", forKey: key)
      }
    }
    try encode(job.chosen?.epochs ?? job.asked.epochs, .epochs)
    try encode(job.chosen?.batch ?? job.asked.batch, .batch)
    try encode(job.chosen?.multiplier ?? job.asked.multiplier, .multiplier)
  }
}

struct EventObject: Encodable {
  let id: String
  let object = "fine_tuning.job.event"
  let createdAt: Int
  let level: String
  let message: String
  let type: String
  let data: Metrics?

  init(number: Int, _ event: Job.Event) {
    id = "ftevent-\(number)"
    (createdAt, level, message) = (event.created, event.level.rawValue, event.message)
    type = event.metrics == nil ? "message" : "metrics"
    data = event.metrics.map(Metrics.init)
  }

  enum CodingKeys: String, CodingKey {
    case id, object, level, message, type, data
    case createdAt = "created_at"
  }
}

/// How a model does: losses in nats a token, or an answer's of an encoder.
struct Metrics: Encodable {
  let step: Int
  let trainLoss: Double?
  let validLoss: Double?
  let fullValidLoss: Double?
  let fullValidAccuracy: Double?

  init(_ checkpoint: Job.Checkpoint) {
    // JSON knows no number that is not finite.
    func finite(_ number: Double?) -> Double? { number.flatMap { $0.isFinite ? $0 : nil } }
    step = checkpoint.step
    trainLoss = finite(checkpoint.trainLoss)
    validLoss = finite(checkpoint.validLoss)
    (fullValidLoss, fullValidAccuracy) = (validLoss, checkpoint.validAccuracy)
  }

  enum CodingKeys: String, CodingKey {
    case step
    case trainLoss = "train_loss"
    case validLoss = "valid_loss"
    case fullValidLoss = "full_valid_loss"
    case fullValidAccuracy = "full_valid_accuracy"
  }
}

struct CheckpointObject: Encodable {
  let id: String
  let object = "fine_tuning.job.checkpoint"
  let createdAt: Int
  let model: String
  let job: String
  let step: Int
  let metrics: Metrics

  /// Nil where the job has left none.
  init?(_ job: Job) {
    guard let checkpoint = job.checkpoint, let model = job.tunedModel else { return nil }
    id = "ftckpt-" + job.id.suffix(32)
    createdAt = job.finished ?? job.updated
    (self.model, self.job, step) = (model, job.id, checkpoint.step)
    metrics = Metrics(checkpoint)
  }

  enum CodingKeys: String, CodingKey {
    case id, object, metrics
    case createdAt = "created_at"
    case model = "fine_tuned_model_checkpoint"
    case job = "fine_tuning_job_id"
    case step = "step_number"
  }
}

/// A job as clients of 2023 know it.
struct OldJobObject: Encodable {
  let object = "fine-tune"
  let id: String
  let hyperparams: Hyperparameters
  let organizationID = "local"
  let model: String
  let trainingFiles: [FileObject]
  let validationFiles: [FileObject]
  let resultFiles: [FileObject]
  let createdAt: Int
  let updatedAt: Int
  let status: String
  let fineTunedModel: Nullable<String>
  /// Nil in a list of jobs.
  let events: [OldEventObject]?

  struct Hyperparameters: Encodable {
    let epochs: Nullable<Int>
    let batch: Nullable<Int>
    let multiplier: Nullable<Double>
    /// Nothing is learned of the prompts.
    let promptLossWeight = 0.0

    enum CodingKeys: String, CodingKey {
      case epochs = "n_epochs"
      case batch = "batch_size"
      case multiplier = "learning_rate_multiplier"
      case promptLossWeight = "prompt_loss_weight"
    }
  }

  init(_ job: Job, events: [Job.Event]?) {
    (id, model) = (job.id, job.model)
    hyperparams = Hyperparameters(
      epochs: .init(job.chosen?.epochs ?? job.asked.epochs),
      batch: .init(job.chosen?.batch ?? job.asked.batch),
      multiplier: .init(job.chosen?.multiplier ?? job.asked.multiplier))
    trainingFiles = [FileObject(job.training)]
    validationFiles = job.validation.map { [FileObject($0)] } ?? []
    resultFiles = job.results.map { FileObject($0) }
    (createdAt, updatedAt) = (job.created, job.updated)
    status = [.validating, .queued].contains(job.status) ? "pending" : job.status.rawValue
    fineTunedModel = Nullable(job.tunedModel)
    self.events = events?.map(OldEventObject.init)
  }

  enum CodingKeys: String, CodingKey {
    case object, id, hyperparams, model, status, events
    case organizationID = "organization_id"
    case trainingFiles = "training_files"
    case validationFiles = "validation_files"
    case resultFiles = "result_files"
    case createdAt = "created_at"
    case updatedAt = "updated_at"
    case fineTunedModel = "fine_tuned_model"
  }
}

struct OldEventObject: Encodable {
  let object = "fine-tune-event"
  let createdAt: Int
  let level: String
  let message: String

  init(_ event: Job.Event) {
    (createdAt, level, message) = (event.created, event.level.rawValue, event.message)
  }

  enum CodingKeys: String, CodingKey {
    case object, level, message
    case createdAt = "created_at"
  }
}
