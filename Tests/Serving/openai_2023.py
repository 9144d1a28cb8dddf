#!/usr/bin/env python3
"""The client of 2023 (openai 0.27) against `fettle serve`, as the tutorial's notebook uses it: a prompt to the untuned model, a file
uploaded, a fine-tune followed to its end, the tuned model found and asked, and a second fine-tune that goes on from it.

    Tests/Serving/openai_2023.py PROGRAM [--real]     (needs: pip install openai==0.27.10)

With --real the language model that is installed learns 160 of our own texts, which takes some minutes; else a tiny one learns the
same file for one epoch, which shows the protocol and nothing of learning.
"""

import io
import json
import re
import sys

import openai
from served import Problem, expect, news, served

STOP, END = "[PROMPT_STOP]", "[END]"


def instruction(text, names):
    listed = ", ".join(name.replace("_", " ") for name in names)
    return f"Classify the text of the following message as exactly one of the following: {listed}.\nmessage: {text}.\ntext: "


def ask(model, prompt, **options):
    answer = openai.Completion.create(
        model=model, engine="text_curie_001", prompt=prompt, max_tokens=10, temperature=0, **options)
    expect(answer["object"] == "text_completion" and answer["usage"]["completion_tokens"] <= 10, answer)
    return answer["choices"][0]["text"]


def upload(examples, name):
    lines = "".join(
        json.dumps({"prompt": text + STOP, "completion": f" {category}{END}"}) + "\n" for text, category in examples)
    file = openai.File.create(file=io.BytesIO(lines.encode()), purpose="fine-tune", user_provided_filename=name)
    expect(re.fullmatch(r"file-[0-9a-f]{32}", file["id"]) and file["filename"] == name, file)
    expect(file["bytes"] == len(lines.encode()), file)
    return file["id"]


def follow(job):
    """As the notebook does: at most a thousand events, of which the last tells the hours."""
    messages = [event["message"] for event in openai.FineTune.stream_events(job)]
    expect(len(messages) < 1000 and messages[-1].startswith("Training hours billed:"), messages)
    expect("Fine-tune succeeded" in messages, messages)
    return messages


def run(server, real):
    openai.api_key = "<YOUR OPENAI API KEY>"
    openai.organization = "any"
    openai.api_base = server.address + "/v1"
    training, fresh = news(1, 160 if real else 24), news(2, 40)
    names = sorted({category for _, category in training})

    before = ask("curie", instruction(fresh[0][0], names))
    print("untuned:", repr(before))
    try:
        openai.File.create(file=io.BytesIO(b'{"prompt": "a"}\n'), purpose="fine-tune", user_provided_filename="bad.jsonl")
        raise Problem("a bad file was taken")
    except openai.error.InvalidRequestError as error:
        expect("Line 1" in str(error), error)
    file = upload(training, "kili-fine-tune1.jsonl")

    job = openai.FineTune.create(training_file=file, model="curie", **({} if real else {"n_epochs": 1}))
    expect(re.fullmatch(r"ft-[0-9a-f]{32}", job["id"]) and job["object"] == "fine-tune", job)
    expect(job["fine_tuned_model"] is None and job["training_files"][0]["id"] == file, job)
    print("\n".join(follow(job["id"])))
    done = openai.FineTune.retrieve(job["id"])
    tuned = done["fine_tuned_model"]
    expect(done["status"] == "succeeded" and done["updated_at"] >= done["created_at"], done)
    expect(tuned == "curie." + job["id"], tuned)
    expect(len(openai.FineTune.list_events(job["id"])["data"]) == len(follow(job["id"])), "events")
    expect(openai.FineTune.list()["data"][-1]["id"] == job["id"], "list")
    result = openai.File.download(done["result_files"][0]["id"])
    expect(result.startswith(b"step,"), result)
    # The tutorial: "our model will be the last one in the models list".
    expect(openai.Model.list()["data"][-1]["id"] == tuned, "models")
    expect(openai.Model.retrieve(tuned)["id"] == tuned, "model")
    expect(tuned in server.fettle("models"), "fettle models")

    asked = ask(tuned, instruction(fresh[0][0], names))
    print("tuned, asked as the notebook asks:", repr(asked))
    if real:
        answers = [ask(tuned, text + STOP, stop=END).strip() for text, _ in fresh]
        right = sum(answer == category for answer, (_, category) in zip(answers, fresh))
        print(f"tuned, asked as it was taught: {right} of {len(fresh)}")
        expect(all(any(name.startswith(answer) for name in names) for answer in answers), answers)
        expect(right > len(fresh) / 2, right)

    again = openai.FineTune.create(training_file=upload(training[:16], "more.jsonl"), model=tuned)
    expect(again["model"] == tuned and again["fine_tuned_model"] is None, again)
    follow(again["id"])
    second = openai.FineTune.retrieve(again["id"])["fine_tuned_model"]
    expect(second == "curie." + again["id"] and openai.Model.list()["data"][-1]["id"] == second, second)
    ask(second, training[0][0] + STOP)

    for wrong, error in [
        (lambda: openai.FineTune.create(training_file="file-none", model="curie"), openai.error.InvalidRequestError),
        (lambda: openai.FineTune.create(training_file=file, model="nobody"), openai.error.InvalidRequestError),
        (lambda: openai.FineTune.retrieve("ft-none"), openai.error.InvalidRequestError),
        (lambda: openai.FineTune.cancel(again["id"]), openai.error.InvalidRequestError),
    ]:
        try:
            wrong()
            raise Problem(f"no {error.__name__}")
        except error:
            pass
    expect(openai.File.delete(file)["deleted"], "deleted")
    server.end()


if __name__ == "__main__":
    real = "--real" in sys.argv
    try:
        with served(sys.argv[1], real) as server:
            run(server, real)
        print("openai 0.27: the notebook's calls hold.")
    except Problem as problem:
        sys.exit(f"openai 0.27: {problem}")
