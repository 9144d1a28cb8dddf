import Basics
import Foundation
import Workbench

/// Trainings that clients order, by the protocol of today and by that of 2023.
public struct FineTuningEndpoints: ServerPart {
  private let runner: JobRunner

  public init(_ context: ServerContext) { runner = JobRunner(context) }

  public var routes: [Route] { current + old }

  public func run(_ context: ServerContext) async {
    var isSaid = false
    while !Task.isCancelled {
      do {
        if try await context.offThread({ [runner] in try runner.start() }) { break }
        if !isSaid {
          context.log("Another fettle serve trains in this workspace: no jobs are taken here meanwhile.")
        }
        isSaid = true
      } catch {
        context.log("Jobs cannot be taken up: \(error)")
      }
      try? await Task.sleep(for: .seconds(2))
    }
    while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
    // Not away from the threads that serve: nothing is served any more, and what waits here would be refused.
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async { [runner] in
        runner.stop()
        continuation.resume()
      }
    }
  }

  // MARK: - Orders

  /// Jobs that wait at most.
  private static let mostWaiting = 100

  private func order(
    _ prefix: String, model: String, training: String, validation: String?, context: ServerContext,
    fill: (inout Job) throws -> Void
  ) throws -> Job {
    _ = try context.models.find(model)
    var job = Job(
      id: ObjectID.make(prefix), model: model,
      training: try file(training, "training_file", context), created: Job.now, updated: Job.now)
    job.validation = try validation.map { try file($0, "validation_file", context) }
    try fill(&job)
    let waiting = try context.workspace.read {
      try $0.jobs(status: Job.Status.queued.rawValue).count
        + $0.jobs(status: Job.Status.validating.rawValue).count
    }
    guard waiting < Self.mostWaiting else {
      throw APIError.busy(
        "\(waiting) jobs wait for their turn already. Try again when some are done.", seconds: 120)
    }
    try runner.order(job)
    return job
  }

  private func file(_ id: String, _ param: String, _ context: ServerContext) throws -> StoredFile {
    guard let file = try context.workspace.read({ try $0.file(id) }), !file.isExpired else {
      throw APIError.invalid(
        "There is no file \(id.excerpt(100)) here.", param: param, code: "file_not_found")
    }
    guard file.purpose == "fine-tune" else {
      throw APIError.invalid(
        "The file \(id) is not for fine-tune.", param: param, code: "invalid_file_purpose")
    }
    return file
  }

  /// What a model's name may have of a suffix.
  private static func suffix(_ given: String?) throws -> String? {
    guard let given, !given.isEmpty else { return nil }
    guard given.count <= 64 else {
      throw APIError.invalid("suffix has at most 64 characters.", param: "suffix")
    }
    let kept = given.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? $0 : "-" }
    return String(String(kept).prefix(40))
  }

  // MARK: - Today's

  private var current: [Route] {
    let path = "/v1/fine_tuning/jobs"
    return [
      Route(.post, path) { request, context in
        try await context.offThread { try .json(JobObject(order(request, context))) }
      },
      Route(.get, path) { request, context in
        try await context.offThread { try .json(list(request, context)) }
      },
      Route(.get, path + "/:id") { request, context in
        try await context.offThread { try .json(JobObject(find(request, context))) }
      },
      Route(.post, path + "/:id/cancel") { request, context in
        try await context.offThread { try .json(JobObject(runner.cancel(request[parameter: "id"]))) }
      },
      Route(.post, path + "/:id/pause") { request, context in
        try await context.offThread { throw try cannotPause(request, context) }
      },
      Route(.post, path + "/:id/resume") { request, context in
        try await context.offThread { throw try cannotPause(request, context) }
      },
      Route(.get, path + "/:id/events") { request, context in
        try await context.offThread { try .json(events(request, context)) }
      },
      Route(.get, path + "/:id/checkpoints") { request, context in
        try await context.offThread { try .json(checkpoints(request, context)) }
      },
    ]
  }

  private struct Order: Decodable {
    var model: String
    var trainingFile: String
    var validationFile: String?
    var hyperparameters: Hyperparameters?
    var method: Method?
    var suffix: String?
    var seed: Int?
    var metadata: [String: String]?
    var integrations: [Nothing]?

    struct Nothing: Decodable {}

    struct Method: Decodable {
      var type: String
      var supervised: Supervised?
      struct Supervised: Decodable { var hyperparameters: Hyperparameters? }
    }

    struct Hyperparameters: Decodable {
      var epochs: OrAuto<Int>?
      var batch: OrAuto<Int>?
      var multiplier: OrAuto<Double>?

      enum CodingKeys: String, CodingKey {
        case epochs = "nEpochs"
        case batch = "batchSize"
        case multiplier = "learningRateMultiplier"
      }
    }
  }

  private func order(_ request: ServerRequest, _ context: ServerContext) throws -> Job {
    let order = try request.json(Order.self)
    if let type = order.method?.type, type != "supervised" {
      throw APIError.invalid(
        "The method is supervised here; \(type.excerpt()) is not known.", param: "method.type",
        code: "unsupported_method")
    }
    guard order.integrations?.isEmpty ?? true else {
      throw APIError.invalid("There are no integrations here.", param: "integrations")
    }
    let metadata = order.metadata ?? [:]
    guard metadata.count <= 16, metadata.allSatisfy({ $0.key.count <= 64 && $0.value.count <= 512 }) else {
      throw APIError.invalid(
        "metadata has at most 16 pairs, keys of 64 and values of 512 characters.", param: "metadata")
    }
    if let seed = order.seed, !(0...Int(Int32.max)).contains(seed) {
      throw APIError.invalid("seed is from 0 to \(Int32.max).", param: "seed")
    }
    return try self.order(
      "ftjob-", model: order.model, training: order.trainingFile, validation: order.validationFile,
      context: context
    ) { job in
      let newer = order.method?.supervised?.hyperparameters
      let asked = newer ?? order.hyperparameters
      job.asked = Job.Hyperparameters(
        epochs: asked?.epochs?.value, batch: asked?.batch?.value, multiplier: asked?.multiplier?.value)
      try job.asked.check(newer == nil ? "hyperparameters." : "method.supervised.hyperparameters.")
      job.suffix = try Self.suffix(order.suffix)
      job.seed = order.seed ?? job.seed
      job.metadata = order.metadata
    }
  }

  private func find(_ request: ServerRequest, _ context: ServerContext) throws -> Job {
    try context.workspace.read { try $0.fineTuningJob(request[parameter: "id"]) }
  }

  private func cannotPause(_ request: ServerRequest, _ context: ServerContext) throws -> APIError {
    let job = try find(request, context)
    return .invalid(
      "A job is not paused here, and so not resumed. \(job.id) is \(job.status.rawValue).",
      code: "invalid_status")
  }

  private func list(_ request: ServerRequest, _ context: ServerContext) throws -> ListObject<JobObject> {
    var jobs = try context.workspace.read { try $0.fineTuningJobs() }
    for (name, value) in request.query where name.hasPrefix("metadata[") && name.hasSuffix("]") {
      let key = String(name.dropFirst("metadata[".count).dropLast())
      jobs = jobs.filter { $0.metadata?[key] == value }
    }
    if request[query: "metadata"] == "null" { jobs = jobs.filter { $0.metadata?.isEmpty ?? true } }
    jobs.reverse()
    let page = try Page(jobs, request, limit: 20, most: 100) { $0.id }
    return ListObject(page.items.map(JobObject.init), hasMore: page.hasMore)
  }

  private func events(_ request: ServerRequest, _ context: ServerContext) throws -> ListObject<EventObject> {
    let events = try context.workspace.read {
      try $0.fineTuningEvents(of: $0.fineTuningJob(request[parameter: "id"]))
    }.map { EventObject(number: $0.number, $0.event) }
    let page = try Page(Array(events.reversed()), request, limit: 20, most: 100) { $0.id }
    return ListObject(page.items, hasMore: page.hasMore)
  }

  private func checkpoints(_ request: ServerRequest, _ context: ServerContext) throws
    -> ListObject<CheckpointObject>
  {
    let all = CheckpointObject(try find(request, context)).map { [$0] } ?? []
    let page = try Page(all, request, limit: 10, most: 100) { $0.id }
    return ListObject(
      page.items, hasMore: page.hasMore, firstID: .init(page.items.first?.id),
      lastID: .init(page.items.last?.id))
  }

  // MARK: - 2023's

  private var old: [Route] {
    let path = "/v1/fine-tunes"
    return [
      Route(.post, path) { request, context in
        try await context.offThread { try .json(oldObject(oldOrder(request, context), context)) }
      },
      Route(.get, path) { request, context in
        try await context.offThread {
          let jobs = try context.workspace.read { try $0.fineTuningJobs() }
          return try .json(ListObject(jobs.map { OldJobObject($0, events: nil) }, hasMore: nil))
        }
      },
      Route(.get, path + "/:id") { request, context in
        try await context.offThread { try .json(oldObject(find(request, context), context)) }
      },
      Route(.post, path + "/:id/cancel") { request, context in
        try await context.offThread {
          try .json(oldObject(runner.cancel(request[parameter: "id"]), context))
        }
      },
      Route(.get, path + "/:id/events") { request, context in
        let job = try await context.offThread { try find(request, context) }
        guard request[query: "stream"]?.lowercased() == "true" else {
          let events = try await context.offThread {
            try context.workspace.read { try $0.fineTuningEvents(of: job) }
          }
          return try .json(ListObject(events.map { OldEventObject($0.event) }, hasMore: nil))
        }
        return .events { try await follow(job, context, $0) }
      },
    ]
  }

  private struct OldOrder: Decodable {
    var trainingFile: String
    var validationFile: String?
    var model: String?
    var epochs: Int?
    var batch: Int?
    var multiplier: Double?
    var suffix: String?

    enum CodingKeys: String, CodingKey {
      case model, suffix, trainingFile, validationFile
      case epochs = "nEpochs"
      case batch = "batchSize"
      case multiplier = "learningRateMultiplier"
    }
  }

  private func oldOrder(_ request: ServerRequest, _ context: ServerContext) throws -> Job {
    let order = try request.json(OldOrder.self)
    return try self.order(
      "ft-", model: order.model ?? "curie", training: order.trainingFile, validation: order.validationFile,
      context: context
    ) { job in
      job.asked = Job.Hyperparameters(
        epochs: order.epochs, batch: order.batch, multiplier: order.multiplier)
      try job.asked.check()
      job.suffix = try Self.suffix(order.suffix)
    }
  }

  private func oldObject(_ job: Job, _ context: ServerContext) throws -> OldJobObject {
    let events = try context.workspace.read { try $0.fineTuningEvents(of: job) }
    return OldJobObject(job, events: events.map(\.event))
  }

  /// Tells a job's events as they come, until it has ended.
  private func follow(_ job: Job, _ context: ServerContext, _ sink: EventSink) async throws {
    var last = 0
    var quiet = ContinuousClock.now
    while true {
      let (isFinal, events) = try await context.offThread { [last] in
        try context.workspace.read { workbench in
          let now = try workbench.fineTuningJob(job.id)
          return (now.status.isFinal, try workbench.fineTuningEvents(of: now, after: last))
        }
      }
      for (number, event) in events {
        try await sink.send(OldEventObject(event))
        last = number
        quiet = .now
      }
      // A job's end and its last event are written together.
      if isFinal { break }
      if ContinuousClock.now - quiet > .seconds(15) {
        try await sink.comment("still at work")
        quiet = .now
      }
      try await Task.sleep(for: .milliseconds(200))
    }
    try await sink.done()
  }
}

/// A number, or `auto`: left to the server, as null is.
private struct OrAuto<Value: Decodable & Sendable>: Decodable {
  var value: Value?

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() { return }
    if let word = try? container.decode(String.self) {
      guard word == "auto" else {
        throw DecodingError.dataCorruptedError(in: container, debugDescription: "it is a number, or auto.")
      }
      return
    }
    value = try container.decode(Value.self)
  }
}
