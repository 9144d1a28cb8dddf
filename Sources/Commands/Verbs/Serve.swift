import ArgumentParser
import Basics
import Foundation
import Serving
import Shell
import Tasks
import Workbench

/// The models for programs: the OpenAI protocol on this machine, and Kili's platform.
struct Serve: Verb {
  static let recording = Recording.nothing
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Answer programs in OpenAI's protocol and Kili's, until Ctrl-C.",
    discussion: """
      Programs that talk to OpenAI talk to the models here instead: set OPENAI_BASE_URL (in programs of 2023 OPENAI_API_BASE) to the \
      address with /v1 behind it, and OPENAI_API_KEY to anything. GET /v1/models lists base, the installed language models and what was \
      tuned in this workspace. Language models answer at /v1/chat/completions and /v1/completions, encoders at /v1/embeddings; asked in a \
      chat, base and a tuned encoder answer with the category of the user's last message. Files are uploaded to /v1/files and fine-tuned on \
      at /v1/fine_tuning/jobs, as in 2023 at /v1/fine-tunes, one job after another; what a job makes is a tuned model of this workspace. curie and \
      text_curie_001 are names for the local language model.

      Programs that label on Kili's platform do it here: set KILI_API_ENDPOINT to the address with /api/label/v2/graphql behind it, and \
      KILI_API_KEY to anything. A project is a data set of this workspace, with an interface of its own; DEFAULT labels are their \
      author's, the key's owner being called me, and INFERENCE labels a model's predictions, so that kpi --dataset NAME says at the prompt \
      what inferenceMark says there. interface define --from NAME takes a project's interface.

      Only programs on this machine are answered. --host opens another of its addresses, and then every request has to bear the token that \
      the environment variable named by --token-env holds, as its API key. Requests of web pages are refused. The prompt can be used \
      beside it. What requests do is no part of the session's document: a step that names a model of theirs cannot be replayed where that \
      model is not.

      Examples:
        serve
        serve --port 0
        serve --host 0.0.0.0 --token-env FETTLE_TOKEN

      Next: curl http://127.0.0.1:8080/v1/models, or a program of yours; models, at the prompt, lists what jobs have made.
      """)

  @Option(help: ArgumentHelp("The port; 0 for one that is free.", valueName: "port")) var port = 8080
  @Option(
    help: ArgumentHelp(
      "Another of this machine's addresses; 0.0.0.0 for all. Needs --token-env.", valueName: "address"))
  var host: Text?
  @Option(
    name: .customLong("token-env"),
    help: ArgumentHelp(
      "The environment variable that holds the token which every request must bear.", valueName: "variable"))
  var tokenVariable: Text?

  func validate() throws {
    guard 0...65535 ~= port else { throw ValidationError("--port takes 0 to 65535") }
  }

  func perform(in context: Context) throws -> Effect {
    guard !context.files.isReplay else { throw CommandError.notInReplay(verb: "serve") }
    let host = host?.description ?? "127.0.0.1"
    let token = try token()
    guard token != nil || Server.isLoopback(host) else {
      throw CommandError.usage(
        "\(host.visible) is an address that other machines reach. Say which environment variable holds the token that they have to bear: "
          + "--token-env VARIABLE")
    }
    let log = ServerLog { [progress = context.progress] in progress.message($0.visible) }
    let serving = ServerContext(library: context.models, log: log)
    let server = Server(
      host: host, port: port, token: token, context: serving,
      parts: [
        ModelEndpoints(), ChatEndpoint(), CompletionEndpoint(), EmbeddingEndpoint(), TokenEndpoints(),
        FileEndpoints(), FineTuningEndpoints(serving),
        KiliEndpoints(),
      ])
    do {
      try server.run(
        ready: { address in
          log("Serving on \(address)")
          guard !Server.isLoopback(host), let tokenVariable else { return }
          log(
            "Every machine that reaches this one and bears the token in \(tokenVariable.description) may ask its models, train, read "
              + "what others uploaded, and delete files and tuned models. Nothing is encrypted on the way.")
        },
        isCancelled: context.isCancelled)
    } catch let error as ServerError {
      throw CommandError.other(code: error.code, error.description)
    }
    return Effect { _ in Report(verb: "serve") }
  }

  /// - Throws: `CommandError` where the variable holds none.
  private func token() throws -> String? {
    guard let name = tokenVariable?.description else { return nil }
    guard let token = ProcessInfo.processInfo.environment[name], token.utf8.count >= 8 else {
      throw CommandError.usage(
        "The environment variable \(name.visible) holds no token. Put at least eight characters into it, such as: export "
          + "\(name.visible)=$(openssl rand -hex 16)")
    }
    return token
  }
}
