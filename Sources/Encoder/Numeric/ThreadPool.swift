import COneDNN
import Foundation

/// How many of the process's threads a caller may use. They share out numbered tasks among themselves; several callers can have
/// work done at once, each with its own numbers for the threads.
///
/// Not Swift's own pool: two loops that compute there without a pause keep everything else in the program waiting. Which thread
/// does which task depends on the moment, so a task must not care: it writes only what is its own, and reads nothing that
/// another task of the same run writes.
package struct ThreadPool: Sendable {
  /// Threads, the caller's own included.
  let count: Int

  package init(threads: Int?) {
    count = max(1, threads ?? ProcessInfo.processInfo.activeProcessorCount)
  }

  /// Does the tasks `0 ..< tasks` and returns when all are done. `worker` is the number of the thread that does a task, from 0 to
  /// less than `count`, for scratch memory. The first error ends the run.
  func run(_ tasks: Int, _ body: (_ task: Int, _ worker: Int) throws -> Void) throws {
    onednn_use_one_thread()
    try withoutActuallyEscaping(body) { body in
      try Threads.shared.run(Run(tasks: tasks, helpers: min(count, tasks) - 1, body))
    }
  }

  /// Tasks of one caller. All of it is read and written under the threads' condition.
  private final class Run {
    var body: ((Int, Int) throws -> Void)?
    let tasks: Int
    /// Threads that may join the caller's, and those that have.
    let helpers: Int
    var joined = 0
    var next = 0
    var active = 0
    var failure: (any Error)?

    init(tasks: Int, helpers: Int, _ body: @escaping (Int, Int) throws -> Void) {
      self.tasks = tasks
      self.helpers = helpers
      self.body = body
    }

    var hasWork: Bool { next < tasks && failure == nil }
    var isOpen: Bool { hasWork && joined < helpers }
  }

  /// The threads of the process; they start when there is first work for them, and then wait for more.
  /// Sendable unchecked: all of it is read and written under `condition`.
  private final class Threads: @unchecked Sendable {
    static let shared = Threads()

    private let condition = NSCondition()
    private var runs: [Run] = []
    private var started = 0

    func run(_ run: Run) throws {
      condition.lock()
      while started < run.helpers { start() }
      runs.append(run)
      if run.helpers > 0 { condition.broadcast() }
      doTasks(of: run, as: 0)
      while run.active > 0 { condition.wait() }
      runs.removeAll { $0 === run }
      run.body = nil
      condition.unlock()
      if let failure = run.failure { throw failure }
    }

    private func start() {
      started += 1
      let thread = Thread { [self] in
        onednn_use_one_thread()
        help()
      }
      thread.name = "encoder-\(started)"
      thread.stackSize = 4 << 20
      thread.start()
    }

    private func help() {
      condition.lock()
      while true {
        if let run = runs.first(where: \.isOpen) {
          run.joined += 1
          doTasks(of: run, as: run.joined)
        } else {
          condition.wait()
        }
      }
    }

    /// Takes one task after another until none is left. Called and left with the lock held.
    private func doTasks(of run: Run, as worker: Int) {
      while run.hasWork, let body = run.body {
        let task = run.next
        run.next += 1
        run.active += 1
        condition.unlock()
        let result = Result { try body(task, worker) }
        condition.lock()
        run.active -= 1
        if case .failure(let error) = result, run.failure == nil { run.failure = error }
        if run.active == 0, !run.hasWork { condition.broadcast() }
      }
    }
  }
}
