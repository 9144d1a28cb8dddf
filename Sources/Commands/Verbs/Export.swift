import ArgumentParser

/// Cell 8 of the tutorial: the labels as training examples in a file, for services that fine-tune elsewhere; and what came of
/// training, for programs and people that use it elsewhere.
struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write predictions, a tuned model, or the training examples.",
    discussion: """
      export predictions writes the texts with what a model says of each, for a spreadsheet or a program.

      export model makes a folder that Python's sentence-transformers loads, with the head beside it and a README that tells how. Of a \
      language model it writes the LoRA, as Python's peft loads it beside the model's own weights; with --merge all weights, for \
      transformers; with --gguf FILE, in place of a folder, one file for llama.cpp and Ollama. The last two write one that was only \
      installed, too.

      export finetune writes the labels as examples. fettle trains on its own labels and needs no such file; services that fine-tune \
      remotely do. Each line is one example in the chat format, with the same instruction that a model would be asked with later; \
      --legacy writes prompt and completion as Kili's tutorial does. With --model it writes what fettle teaches a language model, \
      prompts and completions with their ends, the chat template's marks spelled out: of a tuned one what it learned from (and the \
      tenth that was held out), of an installed one what finetune --base would take.

      Examples:
        export predictions predicted.csv
        export model news-model
        export finetune training.jsonl
        export finetune old.jsonl --legacy --dataset news-1
        export finetune prompts.jsonl --model smollm2
        export model --gguf smollm2.gguf --model smollm2

      Next: finetune, here or elsewhere.
      """,
    subcommands: [Predictions.self, ModelFolder.self, FineTuneFile.self])
}
