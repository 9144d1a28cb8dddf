import Basics
import Foundation
import Transcripts

/// A document as a Jupyter notebook (nbformat 4.5, https://nbformat.readthedocs.io/en/latest/format_description.html): prose as Markdown
/// cells, commands as code cells with their answers below.
///
/// Jupyter has no kernel for fettle. Its own Python has the magic `%%script`, which gives a cell's lines to a program: so the notebook
/// opens without a question, and its cells run wherever `fettle` is installed. Their language is plain text, so that nobody colours
/// headlines as Python: the notebook's own, for those who only show it (GitHub, nbconvert), and each cell's, for Visual Studio Code.
/// JupyterLab asks its kernel, and colours them all the same once that runs.
public struct Notebook {
  private let document: Document

  public init(_ document: Document) { self.document = document }

  /// The notebook's file.
  public func json() throws -> Data {
    var cells: [[String: Any]] = []
    var count = (prose: 0, steps: 0)
    for part in document.parts {
      switch part {
      case .prose(let text):
        let text = text.replacing("\r\n", with: "\n").trimmingCharacters(in: .newlines).visibleLines
        guard !text.isEmpty else { continue }
        count.prose += 1
        cells.append([
          "cell_type": "markdown", "id": "prose-\(count.prose)", "metadata": [String: Any](),
          "source": Self.lines(text),
        ])
      case .step(let step):
        count.steps += 1
        cells.append(cell(step, count.steps))
      }
    }
    let front = document.frontMatter
    let notebook: [String: Any] = [
      "nbformat": 4, "nbformat_minor": 5, "cells": cells,
      "metadata": [
        "kernelspec": ["name": "python3", "display_name": "Python 3", "language": "python"],
        "language_info": [
          "name": "text", "file_extension": ".txt", "mimetype": "text/plain", "pygments_lexer": "text",
        ],
        "fettle": ["version": front.fettle, "seed": front.seed, "root": front.root] as [String: Any],
      ],
    ]
    return try JSONSerialization.data(
      withJSONObject: notebook, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
      + Data("\n".utf8)
  }

  private func cell(_ step: Step, _ number: Int) -> [String: Any] {
    // The workspace keeps the seed, so that the first cell can tell it for all.
    let seed = document.frontMatter.seed
    let options = number == 1 && seed != FrontMatter().seed ? " --seed \(seed)" : ""
    let command = (step.isInterrupted ? "# interrupted: \(step.command)" : step.command).visibleLines
    let text = step.answer.joined(separator: "\n").visibleLines
    let output: [String: Any] = [
      "output_type": "stream", "name": text.hasPrefix("error: ") ? "stderr" : "stdout",
      "text": Self.lines(text + "\n"),
    ]
    return [
      "cell_type": "code", "id": "step-\(number)", "execution_count": number,
      "metadata": ["vscode": ["languageId": "plaintext"]],
      "source": Self.lines("%%script fettle\(options)\n\(command)"),
      "outputs": text.isEmpty ? [] : [output],
    ]
  }

  /// A text as the format holds it: its lines, each with its end.
  private static func lines(_ text: String) -> [String] {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) + "\n" }
    if let last = lines.popLast(), last != "\n" { lines.append(String(last.dropLast())) }
    return lines
  }
}
