#!/usr/bin/env python3
"""Asks `fettle serve` with the client of 2023, as the tutorial's notebook does: a prompt to the untuned model, a file uploaded, a
fine-tune followed to its end, the tuned model found and asked, and a second fine-tune that goes on from it.

    openai_2023.py FETTLE [--real]

With --real the installed language model learns 160 of our own texts, which takes some minutes; else a tiny one goes through the same
steps, which shows the protocol and nothing of learning.
"""

import csv
import io
import json
import re
import sys

from served import ROOT, Checks, Server, with_packages

with_packages("openai-2023", "openai==0.27.10")

import openai  # noqa: E402
from tiny_models import tiny_models  # noqa: E402

REAL = "--real" in sys.argv
STOP, END = "[PROMPT_STOP]", "[END]"
server = Server(sys.argv[1], environment=None if REAL else tiny_models())
check = Checks()
openai.api_key = "<YOUR OPENAI API KEY>"
openai.organization = "any"
openai.api_base = server.url + "/v1"


def news(number, count):
    with open(ROOT / f"Samples/news-{number}.csv", newline="") as file:
        rows = list(csv.DictReader(file))[:count]
    return [(row["text"] if REAL else row["text"][:60], row["category"].upper().replace("&", "AND").replace(" ", "_")) for row in rows]


def ask(model, prompt, **options):
    answer = openai.Completion.create(model=model, engine="text_curie_001", prompt=prompt, max_tokens=10, temperature=0, **options)
    check("a completion", answer["object"] == "text_completion" and answer["usage"]["completion_tokens"] <= 10, answer)
    return answer["choices"][0]["text"]


def upload(examples, name):
    lines = "".join(json.dumps({"prompt": text + STOP, "completion": f" {category}{END}"}) + "\n" for text, category in examples).encode()
    file = openai.File.create(file=io.BytesIO(lines), purpose="fine-tune", user_provided_filename=name)
    check("a file", re.fullmatch(r"file-[0-9a-f]{32}", file["id"]) and file["filename"] == name and file["bytes"] == len(lines), file)
    return file["id"]


def follow(job):
    """As the notebook does: at most a thousand events, of which the last tells the hours."""
    messages = [event["message"] for event in openai.FineTune.stream_events(job)]
    check("events", len(messages) < 1000 and messages[-1].startswith("Training hours billed:"), messages)
    check("success", "Fine-tune succeeded" in messages, messages)
    return messages


training, fresh = news(1, 160 if REAL else 24), news(2, 40 if REAL else 1)
names = sorted({category for _, category in training})
listed = ", ".join(name.replace("_", " ") for name in names)
question = f"Classify the text of the following message as exactly one of the following: {listed}.\nmessage: {fresh[0][0]}.\ntext: "
if not REAL:
    question = question[-80:]

print("untuned:", repr(ask("curie", question)))
bad = io.BytesIO(b'{"prompt": "a"}\n')
error = check.raises(
    "a bad file", openai.error.InvalidRequestError, lambda: openai.File.create(file=bad, purpose="fine-tune", user_provided_filename="bad.jsonl"))
check("its line", "Line 1" in str(error), error)

file = upload(training, "kili-fine-tune1.jsonl")
job = openai.FineTune.create(training_file=file, model="curie")
check("a job", re.fullmatch(r"ft-[0-9a-f]{32}", job["id"]) and job["object"] == "fine-tune" and job["status"] == "pending", job)
check("its file", job["fine_tuned_model"] is None and job["training_files"][0]["id"] == file, job)
messages = follow(job["id"])
print("\n".join(messages))
done = openai.FineTune.retrieve(job["id"])
tuned = done["fine_tuned_model"]
check("the job when it is done", done["status"] == "succeeded" and done["updated_at"] >= done["created_at"], done)
check("its model", tuned == "curie." + job["id"], tuned)
check("its options", done["hyperparams"]["n_epochs"] > 0 and done["hyperparams"]["batch_size"] > 0, done)
check("its events", len(openai.FineTune.list_events(job["id"])["data"]) == len(messages))
check("the jobs", openai.FineTune.list()["data"][-1]["id"] == job["id"])
check("its results", openai.File.download(done["result_files"][0]["id"]).startswith(b"step,train_loss"))
# The tutorial: "our model will be the last one in the models list".
check("the models", openai.Model.list()["data"][-1]["id"] == tuned)
check("the model", openai.Model.retrieve(tuned)["id"] == tuned)
check("the prompt knows it", tuned in server.run("models"))

print("tuned, asked as the notebook asks:", repr(ask(tuned, question)))
if REAL:
    # Ten tokens hold the longest name, and of the mark behind it only the beginning.
    answers = [ask(tuned, text + STOP, stop=END).split("[")[0].strip() for text, _ in fresh]
    right = sum(answer == category for answer, (_, category) in zip(answers, fresh))
    print(f"tuned, asked as it was taught: {right} of {len(fresh)} right")
    check("it has learned", right > len(fresh) / 2, answers)

again = openai.FineTune.create(training_file=upload(training[:16], "more.jsonl"), model=tuned, n_epochs=1, batch_size=4, learning_rate_multiplier=0.2)
check("a job from the tuned model", again["model"] == tuned and again["fine_tuned_model"] is None, again)
follow(again["id"])
second = openai.FineTune.retrieve(again["id"])["fine_tuned_model"]
check("its model is the last", second == "curie." + again["id"] and openai.Model.list()["data"][-1]["id"] == second, second)
ask(second, training[0][0] + STOP)

for what, call in [
    ("no such file", lambda: openai.FineTune.create(training_file="file-none", model="curie")),
    ("no such model", lambda: openai.FineTune.create(training_file=file, model="nobody")),
    ("no such job", lambda: openai.FineTune.retrieve("ft-none")),
    ("a job that is done", lambda: openai.FineTune.cancel(again["id"])),
]:
    check.raises(what, openai.error.InvalidRequestError, call)
check("deleted", openai.File.delete(file)["deleted"])
check.finish(server)
