import Basics
import Encoder
import Foundation
import Synchronization
import Tasks
import Workbench

/// Trains what clients order: files are read at once, and one job trains while the others wait.
///
/// All that is known of a job lies in the workspace, so that another server goes on where this one ended.
final class JobRunner: Sendable {
  private let context: ServerContext
  private let validating = DispatchQueue(label: "validating")
  private let training = DispatchQueue(label: "training")
  private let stopping = Mutex(false)
  /// The lock of the one server that trains in a workspace.
  private let lock = Mutex<FileLock?>(nil)

  /// How often a training is begun that the server does not live through.
  private static let mostStarts = 2

  init(_ context: ServerContext) { self.context = context }

  private var workspace: Workspace { context.workspace }

  // MARK: - Beginning and end

  /// Takes up what another server has left, the first time.
  /// - Returns: whether there is no other at work.
  @discardableResult
  func start() throws -> Bool {
    try lock.withLock { lock in
      guard !isStopping else { return false }
      guard lock == nil else { return true }
      guard let taken = FileLock(workspace.folder.appending(path: "serve.lock")) else { return false }
      try takeUp()
      lock = taken
      return true
    }
  }

  private func takeUp() throws {
    let jobs = try workspace.read { try $0.fineTuningJobs() }
    for job in jobs where job.status == .running {
      try workspace.write { workbench in
        var job = try workbench.fineTuningJob(job.id)
        guard job.starts < Self.mostStarts else {
          job.fault = Job.Fault(
            code: "server_ended", message: "The server ended \(job.starts) times while it trained this.")
          return try workbench.end(
            &job, as: .failed, "Fine-tune failed: \(job.fault?.message ?? "")", .error)
        }
        job.status = .queued
        try workbench.add("The server ended while it trained this. It begins again.", .warn, to: job)
        try workbench.keep(job)
      }
    }
    for job in jobs {
      switch job.status {
      case .validating: validate(job.id)
      case .queued, .running: wake()
      case .succeeded, .failed, .cancelled: break
      }
    }
  }

  /// Breaks off the training under way, which the next server begins anew, and waits for that.
  func stop() {
    stopping.withLock { $0 = true }
    validating.sync {}
    training.sync {}
    lock.withLock { $0 = nil }
  }

  private var isStopping: Bool { stopping.withLock { $0 } }

  // MARK: - Orders

  /// - Throws: `WorkspaceError`, `APIError` where another server trains.
  func order(_ job: Job) throws {
    guard try start() else {
      throw APIError.invalid(
        "Another fettle serve trains in this workspace. Order it there, or end that server.",
        code: "other_server")
    }
    try workspace.write { workbench in
      try workbench.insert(job)
      try workbench.add("Created fine-tune: \(job.id)", to: job)
    }
    context.sayNotRecorded()
    context.log("\(job.id) fine-tunes \(job.model) on \(job.training.name).")
    validate(job.id)
  }

  /// - Throws: `APIError` where it has ended.
  func cancel(_ id: String) throws -> Job {
    try workspace.write { workbench in
      var job = try workbench.fineTuningJob(id)
      guard !job.status.isFinal else {
        throw APIError.invalid("Job has already completed: \(id)", code: "invalid_status")
      }
      try workbench.end(&job, as: .cancelled, "Fine-tune cancelled", .warn)
      return try workbench.fineTuningJob(id)
    }
  }

  private func validate(_ id: String) {
    validating.async { [self] in
      guard !isStopping else { return }
      advance(id, from: .validating) { job, task, workbench in
        let options = task.options(job.asked)
        job.chosen = Job.Chosen(
          epochs: options.epochs, batch: options.batchSize, multiplier: job.asked.multiplier ?? 1)
        job.status = .queued
        let validation =
          task.validationExamples > 0 ? ", validation file \(task.validationExamples)" : ""
        try workbench.add(
          "Files are valid: training file \(task.examples) examples\(validation)", to: job)
        let waiting = try workbench.jobs(status: Job.Status.queued.rawValue).count
        try workbench.add("Fine-tune enqueued. Queue number: \(waiting)", to: job)
        try workbench.keep(job)
      }
      wake()
    }
  }

  private func wake() { training.async { self.trainNext() } }

  // MARK: - Work

  /// Reads a job's files and does something with it, if it is still where it was. What is wrong with them ends it.
  private func advance(
    _ id: String, from status: Job.Status,
    _ body: (inout Job, FileTraining, Workbench) throws -> Void
  ) {
    do {
      let session = try workspace.keepingSession()
      do {
        guard let job = try? session.read({ try $0.fineTuningJob(id) }), job.status == status else { return }
        let task = try task(for: job, in: session)
        try session.write { workbench in
          var job = try workbench.fineTuningJob(id)
          if job.status == status { try body(&job, task, workbench) }
        }
      } catch {
        fail(id, error, in: session)
      }
    } catch {
      context.log("\(id): \(error)")
    }
  }

  private func task(for job: Job, in session: Workspace) throws -> FileTraining {
    func material(_ file: StoredFile, isValidation: Bool) throws -> TrainingMaterial {
      guard let content = try session.read({ try $0.content(ofFile: file.id) }) else {
        throw APIError.invalid(
          "The file \(file.id) was deleted.", param: isValidation ? "validation_file" : "training_file",
          code: "file_not_found")
      }
      do throws(TrainingMaterial.Fault) {
        return try TrainingMaterial(content)
      } catch {
        throw FileTraining.Fault(isValidation: isValidation, fault: error)
      }
    }
    let library = ModelLibrary(session, context.library.cache)
    return try FileTraining(
      material(job.training, isValidation: false),
      validation: job.validation.map { try material($0, isValidation: true) }, named: job.training.name,
      base: context.models.find(job.model), in: library)
  }

  private func trainNext() {
    guard !isStopping else { return }
    do {
      let session = try workspace.keepingSession()
      let job: Job? = try session.write { workbench in
        guard let stored = try workbench.jobs(status: Job.Status.queued.rawValue).first else { return nil }
        var job = try Job(stored)
        (job.status, job.started) = (.running, Job.now)
        job.starts += 1
        try workbench.add("Fine-tune started", to: job)
        try workbench.keep(job)
        return job
      }
      guard let job else { return }
      do {
        try train(job, in: session)
      } catch is CancellationError {
        // Whoever cancelled it has said so; else the server ends, and the next one begins it anew.
        try session.write { workbench in
          var job = try workbench.fineTuningJob(job.id)
          guard job.status == .running else { return }
          job.status = .queued
          job.starts -= 1
          try workbench.add("The server ends. The next one begins this again.", .warn, to: job)
          try workbench.keep(job)
        }
      } catch {
        fail(job.id, error, in: session)
      }
    } catch {
      context.log("The next job could not be taken up: \(error)")
      // A full disk, say: it waits for its turn.
      retry { [self] in wake() }
    }
  }

  private func retry(_ body: @escaping @Sendable () -> Void) {
    guard !isStopping else { return }
    DispatchQueue.global().asyncAfter(deadline: .now() + 5, execute: body)
  }

  private func train(_ job: Job, in session: Workspace) throws {
    let task = try task(for: job, in: session)
    let options = task.options(job.asked, seed: job.seed)
    // The memory of models that were asked goes to the training.
    context.models.forget()
    let report = Reports(job, session)
    let trained = try task.run(
      options, events: { report.take($0) },
      isCancelled: { [self] in isStopping || report.isOver })
    do {
      try keeping {
        try session.write { workbench in
          var job = try workbench.fineTuningJob(job.id)
          guard job.status == .running else { throw CancellationError() }
          let model = try task.publish(trained, as: job.newModelName, workbench)
          let result = report.result(trained.measure)
          let file = StoredFile(
            id: ObjectID.make("file-"), name: "step_metrics.csv", purpose: "fine-tune-results",
            bytes: result.count, created: Job.now)
          try workbench.insert(file: file, content: result)
          job.tunedModel = model.name
          job.trainedTokens = trained.model.result.tokens
          job.results = [file]
          job.checkpoint = report.last(trained.measure)
          if let measure = trained.measure {
            try workbench.add(
              "Validation: loss \(shown(measure.loss)), accuracy \(shown(measure.accuracy))",
              metrics: job.checkpoint, to: job)
          }
          try workbench.add("Uploaded model: \(model.name)", to: job)
          try workbench.add("Uploaded result file: \(file.id)", to: job)
          try workbench.end(&job, as: .succeeded, "Fine-tune succeeded")
        }
      }
      context.log("\(job.id) has made \(job.newModelName).")
    } catch {
      trained.model.files.discard()
      throw error
    }
  }

  /// Writes what a long work came to, and waits for room on the disk for as long as the server runs.
  private func keeping(_ body: () throws -> Void) throws {
    while true {
      do {
        return try body()
      } catch let error as WorkspaceError where error.mayPass && !isStopping {
        context.log.once("\(error)")
        Thread.sleep(forTimeInterval: 1)
      }
    }
  }

  private func fail(_ id: String, _ error: any Error, in session: Workspace) {
    let fault = Job.Fault(error)
    context.log("\(id) failed: \(error)")
    do {
      try keeping {
        try session.write { workbench in
          var job = try workbench.fineTuningJob(id)
          guard !job.status.isFinal else { return }
          job.fault = fault
          try workbench.end(&job, as: .failed, "Fine-tune failed: \(fault.message)", .error)
        }
      }
    } catch {
      context.log("\(id): \(error)")
    }
  }
}

extension FileTraining {
  func options(_ asked: Job.Hyperparameters, seed: Int = 42) -> TrainingOptions {
    options(
      epochs: asked.epochs, batch: asked.batch, multiplier: asked.multiplier, seed: UInt64(max(seed, 0)))
  }
}

extension WorkspaceError {
  /// Whether the same may succeed in a while.
  fileprivate var mayPass: Bool {
    switch self {
    case .diskFull, .busy: true
    default: false
    }
  }
}

extension Job.Fault {
  init(_ error: any Error) {
    switch error {
    case let fault as FileTraining.Fault:
      self.init(
        code: "invalid_training_file", message: "\(fault)",
        param: fault.isValidation ? "validation_file" : "training_file")
    default:
      let error = APIError(error)
      self.init(code: error.code ?? error.type, message: error.message, param: error.param)
    }
  }
}

private func shown(_ number: Double) -> String { String(format: "%.4f", number) }

/// What a training tells while it goes on.
private final class Reports: Sendable {
  private let job: Job
  private let session: Workspace
  private let state = Mutex(State())

  private struct State {
    var rows: [Job.Checkpoint] = []
    var step = 0
    var shownStep = 0
    var isOver = false
    var lastLook = ContinuousClock.now
  }

  /// Steps are told of in so many parts.
  private static let parts = 20

  init(_ job: Job, _ session: Workspace) { (self.job, self.session) = (job, session) }

  /// Whether the job was cancelled meanwhile, by whomever; asked often, looked up seldom.
  var isOver: Bool {
    state.withLock { state in
      let now = ContinuousClock.now
      guard !state.isOver, now - state.lastLook > .milliseconds(100) else { return state.isOver }
      state.lastLook = now
      do {
        state.isOver = try session.read { try $0.fineTuningJob(job.id).status != .running }
      } catch WorkspaceError.sessionGone {
        state.isOver = true
      } catch {
        // It may be found out a moment later.
      }
      return state.isOver
    }
  }

  func take(_ event: FileTraining.Event) {
    switch event {
    case .step(let done, let total):
      let isWorthTelling = state.withLock { state in
        state.step = done
        guard done == total || done - state.shownStep >= max(1, total / Self.parts) else { return false }
        state.shownStep = done
        return true
      }
      if isWorthTelling { tell("Step \(done)/\(total)", share: Double(done) / Double(max(total, 1))) }
    case .epoch(let report, let measure):
      let row = state.withLock { state in
        let row = Job.Checkpoint(
          step: state.step, trainLoss: report.loss, validLoss: measure?.loss,
          validAccuracy: measure?.accuracy)
        state.rows.append(row)
        return row
      }
      tell("Completed epoch \(report.epoch)/\(report.epochs)", metrics: row)
    }
  }

  /// What cannot be written now is no reason to break off.
  private func tell(_ message: String, share: Double = 0, metrics: Job.Checkpoint? = nil) {
    try? session.writeWithoutWaiting { workbench in
      var job = try workbench.fineTuningJob(job.id)
      guard job.status == .running else { return }
      try workbench.add(message, metrics: metrics, to: job)
      guard share > 0, let started = job.started else { return }
      job.estimatedFinish = started + Int((Double(Job.now - started) / share).rounded(.up))
      try workbench.keep(job)
    }
  }

  /// The last epoch, with what was measured behind it.
  func last(_ measure: FileTraining.Measure?) -> Job.Checkpoint? {
    state.withLock { state in
      guard var row = state.rows.last else { return nil }
      row.validLoss = measure?.loss ?? row.validLoss
      row.validAccuracy = measure?.accuracy ?? row.validAccuracy
      return row
    }
  }

  /// A line an epoch, as CSV.
  func result(_ measure: FileTraining.Measure?) -> Data {
    var rows = state.withLock { $0.rows }
    if !rows.isEmpty, let last = last(measure) { rows[rows.count - 1] = last }
    let lines = rows.map { row in
      [
        String(row.step), shown(row.trainLoss), row.validLoss.map(shown) ?? "",
        row.validAccuracy.map(shown) ?? "",
      ].joined(separator: ",")
    }
    return Data((["step,train_loss,valid_loss,valid_accuracy"] + lines).joined(separator: "\n").utf8) + [0x0A]
  }
}

/// A file that one process has to itself until this goes; the system lets go of it when the process ends.
private final class FileLock: Sendable {
  private let descriptor: Int32

  /// Nil where another has it, or it cannot be made.
  init?(_ file: URL) {
    descriptor = open(file.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { return nil }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      return nil
    }
  }

  deinit { close(descriptor) }
}
