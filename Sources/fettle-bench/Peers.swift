import ArgumentParser
import Foundation

/// What a user would take instead of fettle, where its packages are at hand: `Tests/Peers/peers.py`.
struct Peers {
  private let python: String
  private let script: String

  /// Nil, and a line that says how to get them, where there are none.
  init?(python: String, project: String) throws {
    self.python = python
    script = URL(fileURLWithPath: project).appendingPathComponent("Tests/Peers/peers.py").path
    guard FileManager.default.fileExists(atPath: script) else {
      throw ValidationError("There is no \(script). Run this in the project's folder, or give --project.")
    }
    let check = try? Child(python, [script, "check"])
    guard check?.status == 0 else {
      let missing = check?.errors.split(separator: "\n").last.map { "\($0)" } ?? "it cannot be run"
      say("\(python): \(missing). Without peers there are no ratios. To have them:")
      say(
        "  python3 -m venv .build-peers && .build-peers/bin/pip install torch transformers tokenizers safetensors numpy onnx onnxruntime scikit-learn gguf 'llama-cpp-python[server]' fastapi uvicorn"
      )
      say("  make bench PYTHON=.build-peers/bin/python")
      return nil
    }
  }

  /// A peer's server; nil, and a line that says why, where it cannot be had.
  func serve(_ peer: String, _ model: String, _ scratch: ScratchFolder) throws -> ServerProcess? {
    do {
      return try ServerProcess(peer, python, [script, "serve", model, "--peer", peer], scratch: scratch)
    } catch let error as ValidationError {
      say(error.message)
      return nil
    }
  }

  func run(_ arguments: [String]) throws -> Answer {
    try Answer(try Child(python, [script] + arguments).succeeded("peers.py \(arguments[0])"))
  }
}

/// What a benchmark or a peer has measured.
struct Answer {
  let values: [String: Double]
  let peakMegabytes: Double

  init(_ child: Child) throws {
    values = try child.answer().compactMapValues { ($0 as? NSNumber)?.doubleValue }
    peakMegabytes = Double(child.peakMegabytes)
  }

  func value(_ name: String) throws -> Double {
    guard let value = values[name] else { throw ValidationError("A benchmark did not say \(name).") }
    return value
  }
}

/// Progress, apart from the results.
func say(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }
