#!/usr/bin/env python3
"""Files and fine-tuning with OpenAI's own client of today, unmodified and strict: what it uploads, orders, follows, cancels and lists,
and what is left after the server was killed in the middle of a training. By tiny models.

    openai_jobs.py FETTLE
"""

import json
import sys
import time
from pathlib import Path

from served import Checks, Server, with_packages

with_packages("openai-today", "openai==3.57.0")

import openai  # noqa: E402
from tiny_models import tiny_models  # noqa: E402

FINAL = {"succeeded", "failed", "cancelled"}
letters = "".join(f"{number},{'news of the day' if number % 2 else 'z y x'},{'WORLD' if number % 2 else 'SPORTS'}\n" for number in range(24))
server = Server(
    sys.argv[1], "load letters.csv", "interface define --from letters", "label simulate", "finetune --method linear --name quick",
    environment=tiny_models(), files={"letters.csv": "id,text,category\n" + letters})
document = Path(server.folder, ".fettle/session.md")
written = document.read_text()
check = Checks()


def lines(count, chat=True):
    rows = []
    for number in range(count):
        letter = chr(97 + number % 26)
        text, kind = (f"news of the {letter}", "WORLD") if number % 2 == 0 else (f"z y x {letter}", "SPORTS")
        messages = [{"role": "user", "content": f"Which kind?\nmessage: {text}\nkind:"}, {"role": "assistant", "content": kind}]
        rows.append({"messages": messages} if chat else {"prompt": text + "\n", "completion": " " + kind})
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def client():
    return openai.OpenAI(base_url=server.url + "/v1", api_key="any key", max_retries=0, _strict_response_validation=True)


def wait(id, until=FINAL):
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        job = jobs.retrieve(id)
        if job.status in until or job.status in FINAL:
            break
        time.sleep(0.1)
    check(f"a job is {' or '.join(sorted(until))}", job.status in until, job)
    return job


api = client()
jobs = api.fine_tuning.jobs

# Files.
file = api.files.create(file=('näws "1".jsonl', lines(40)), purpose="fine-tune")
expiry = {"anchor": "created_at", "seconds": 3600}
other = api.files.create(file=("check.jsonl", lines(8)), purpose="fine-tune", expires_after=expiry)
check("a file", file.bytes == len(lines(40)) and file.filename == 'näws "1".jsonl', file)
check("it is processed", api.files.wait_for_processing(file.id).status == "processed")
check("it expires", other.expires_at == other.created_at + 3600, other)
check("the files, page by page", [found.id for found in api.files.list(limit=1, order="asc")] == [file.id, other.id])
check("by purpose, the newest first", [found.id for found in api.files.list(purpose="fine-tune")] == [other.id, file.id])
check("content", api.files.content(file.id).read() == lines(40))
check.raises("no such file", openai.NotFoundError, lambda: api.files.retrieve("file-none"))
error = check.raises("a bad file", openai.BadRequestError, lambda: api.files.create(file=("t", b"x"), purpose="fine-tune"))
check("its line", error.param == "file" and "Line 1" in str(error) and error.request_id, error)
error = check.raises("another purpose", openai.BadRequestError, lambda: api.files.create(file=("t", lines(2)), purpose="batch"))
check("its name", error.param == "purpose", error)

# An encoder, by the place of today: its tuned model answers with the file's own words.
hyperparameters = {"n_epochs": 20, "batch_size": "auto", "learning_rate_multiplier": 5.0}
job = jobs.create(
    model="base", training_file=file.id, validation_file=other.id, seed=7, suffix="news", metadata={"class": "3b"},
    method={"type": "supervised", "supervised": {"hyperparameters": hyperparameters}})
check("a job", job.seed == 7 and job.metadata == {"class": "3b"} and job.status not in FINAL, job)
job = wait(job.id, {"succeeded"})
check("when it is done", job.trained_tokens and job.finished_at >= job.created_at and job.error is None, job)
check("its options", job.hyperparameters.n_epochs == 20 and job.method.supervised.hyperparameters.batch_size == 32, job)
asked = [{"role": "user", "content": "Which kind?\nmessage: news of the q\nkind:"}]
said = api.chat.completions.create(model=job.fine_tuned_model, messages=asked)
check("its model answers to the letter", said.choices[0].message.content == "WORLD", said)
events = list(jobs.list_events(job.id, limit=3))
check("its events", events[0].message.startswith("Training hours billed:") and len(events) > 6, events)
metrics = [event for event in events if event.type == "metrics"]
check("what was measured", metrics and metrics[0].data["full_valid_accuracy"] == 1.0, metrics)
checkpoint = list(jobs.checkpoints.list(job.id))[0]
check("its checkpoint", checkpoint.fine_tuned_model_checkpoint == job.fine_tuned_model and checkpoint.metrics.valid_loss is not None, checkpoint)

# A language model, by the older place, and on from there.
plain = api.files.create(file=("plain.jsonl", lines(12, chat=False)), purpose="fine-tune")
first = jobs.create(model="tiny-llama", training_file=file.id, hyperparameters={"n_epochs": 1})
second = jobs.create(model="tiny-llama", training_file=plain.id)
wait(first.id, {"succeeded"})
second = wait(second.id, {"succeeded"})
model = second.fine_tuned_model
check("what is chosen where nothing is asked", second.hyperparameters.n_epochs == 4, second)
check("the models", api.models.list().data[-1].id == model and model in server.run("models"), model)
check("it answers", api.completions.create(model=model, prompt="z y x q\n", max_tokens=3).choices[0].text is not None)
third = wait(jobs.create(model=model, training_file=plain.id, hyperparameters={"n_epochs": 1}).id, {"succeeded"})
check("it is trained on", third.model == model and third.fine_tuned_model != model, third)

# Refusals, in the client's own classes.
dpo = {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.1}}}
for what, kind, param, call in [
    ("no such training file", openai.BadRequestError, "training_file", lambda: jobs.create(model="base", training_file="file-none")),
    ("no such model", openai.NotFoundError, "model", lambda: jobs.create(model="nobody", training_file=file.id)),
    ("another method", openai.BadRequestError, "method.type", lambda: jobs.create(model="base", training_file=file.id, method=dpo)),
    ("no such job", openai.NotFoundError, "fine_tune_id", lambda: jobs.retrieve("ftjob-none")),
    ("a job that is done", openai.BadRequestError, None, lambda: jobs.cancel(job.id)),
    ("a pause", openai.BadRequestError, None, lambda: jobs.pause(job.id)),
]:
    error = check.raises(what, kind, call)
    check(f"{what}: the member", error.param == param, error)

# One is cancelled while it trains; in the middle of another the server is killed.
big = api.files.create(file=("big.jsonl", lines(400)), purpose="fine-tune")
endless = {"n_epochs": 50, "batch_size": 1}
long = jobs.create(model="tiny-llama", training_file=big.id, hyperparameters=endless)
wait(long.id, {"running"})
check("cancelled", jobs.cancel(long.id).status == "cancelled")
killed = jobs.create(model="tiny-llama", training_file=big.id, hyperparameters=endless)
waiting = jobs.create(model="tiny-llama", training_file=plain.id, metadata={"n": "v w"})
wait(killed.id, {"running"})
server.process.kill()
server.process.wait()
server.start()
api = client()
jobs = api.fine_tuning.jobs
kept = jobs.retrieve(job.id)
check("what was done is there", kept.status == "succeeded" and kept.fine_tuned_model == job.fine_tuned_model, kept)
wait(killed.id, {"running"})
check("it begins again", any("begins again" in event.message for event in jobs.list_events(killed.id)))
check("cancelled", jobs.cancel(killed.id).status == "cancelled")
wait(waiting.id, {"succeeded"})
listed = [found.id for found in jobs.list(limit=2)]
check("the jobs, page by page", listed == [waiting.id, killed.id, long.id, third.id, second.id, first.id, job.id], listed)
check("by metadata", [found.id for found in jobs.list(metadata={"n": "v w"})] == [waiting.id])
check("deleted", api.files.delete(file.id).deleted)

# A tuned model goes, and the prompt no longer lists it; one on which another stands stays, and so do the installed.
error = check.raises("one on which another stands", openai.BadRequestError, lambda: api.models.delete(model))
check("its code", error.code == "model_in_use", error)
check("a model is deleted", api.models.delete(third.fine_tuned_model).deleted)
check("the prompt no longer lists it", third.fine_tuned_model not in server.run("models") and model in server.run("models"))
check.raises("it is gone", openai.NotFoundError, lambda: api.models.retrieve(third.fine_tuned_model))
for name in ["base", "tiny-llama", "curie"]:
    error = check.raises(f"{name} stays", openai.PermissionDeniedError, lambda: api.models.delete(name))
    check("its code", error.code == "model_not_tuned" and error.param == "model", error)
raw = [api.models.with_raw_response.list().content for _ in range(8)]
check("the same request, the same bytes", len(set(raw)) == 1, raw)

# What requests change is not recorded, the server says so, and what the prompt did meanwhile replays.
check("it says that nothing is recorded", sum("not recorded" in line for line in server.log) == 1, server.log)
looked = document.read_text()[len(written):]
check("the document tells nothing of it", document.read_text().startswith(written) and "ft-" not in looked and "news-" not in looked, looked)
server.run("-c", "status", "-c", "models", "-c", "predict", "-c", "kpi")
recorded = document.read_text()[len(written):]
check("what the prompt does is recorded", recorded.count("fettle> ") == 7 and "ft-" not in recorded, recorded)
# It ends the script where it does not.
server.run("replay", str(document))
check.finish(server)
