#!/usr/bin/env python3
"""Files and fine-tuning with the client of today, which checks every answer against its own types: what it uploads, orders, follows,
cancels and lists, and what is left after the server was killed in the middle of a training.

    Tests/Serving/openai_jobs.py PROGRAM      (needs: pip install openai)
"""

import json
import sys
import time

import openai
from served import Problem, expect, served

FINAL = {"succeeded", "failed", "cancelled"}


def lines(count, chat=True):
    rows = []
    for number in range(count):
        letter = chr(97 + number % 26)
        text, kind = (f"news of the {letter}", "WORLD") if number % 2 == 0 else (f"z y x {letter}", "SPORTS")
        rows.append(
            {"messages": [{"role": "user", "content": f"Which kind?\nmessage: {text}\nkind:"}, {"role": "assistant", "content": kind}]}
            if chat else {"prompt": text + "\n", "completion": " " + kind})
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def client(server):
    return openai.OpenAI(
        api_key="any", base_url=server.address + "/v1", max_retries=0, _strict_response_validation=True)


def wait(jobs, id, until=FINAL):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        job = jobs.retrieve(id)
        if job.status in until:
            return job
        expect(job.status not in FINAL, f"{job.status}, {job.error}")
        time.sleep(0.1)
    raise Problem(f"{id} takes too long")


def refused(error, call, param=None):
    try:
        call()
    except error as found:
        expect(found.request_id and found.body["message"], found)
        expect(param is None or found.param == param, f"{found.param}, not {param}")
        return
    raise Problem(f"no {error.__name__}")


def run(server):
    api = client(server)
    jobs = api.fine_tuning.jobs

    file = api.files.create(file=("näws \"1\".jsonl", lines(40)), purpose="fine-tune")
    check = api.files.create(
        file=("check.jsonl", lines(8)), purpose="fine-tune", expires_after={"anchor": "created_at", "seconds": 3600})
    expect(api.files.wait_for_processing(file.id).status == "processed" and file.bytes == len(lines(40)), file)
    expect(file.filename == 'näws "1".jsonl' and check.expires_at == check.created_at + 3600, check)
    expect([found.id for found in api.files.list(limit=1, order="asc")] == [file.id, check.id], "files")
    expect(api.files.content(file.id).read() == lines(40), "content")
    refused(openai.NotFoundError, lambda: api.files.retrieve("file-none"))
    refused(openai.BadRequestError, lambda: api.files.create(file=("t", b"x"), purpose="fine-tune"), "file")
    refused(openai.BadRequestError, lambda: api.files.create(file=("t", lines(2)), purpose="batch"), "purpose")

    # An encoder, by the place of today; its tuned model answers with the file's own words.
    job = jobs.create(
        model="base", training_file=file.id, validation_file=check.id, seed=7, suffix="news", metadata={"class": "3b"},
        method={"type": "supervised", "supervised": {"hyperparameters": {
            "n_epochs": 20, "batch_size": "auto", "learning_rate_multiplier": 5.0}}})
    expect(job.seed == 7 and job.metadata == {"class": "3b"} and job.status not in FINAL, job)
    job = wait(jobs, job.id)
    expect(job.status == "succeeded" and job.trained_tokens > 0 and job.finished_at >= job.created_at, job)
    said = api.chat.completions.create(
        model=job.fine_tuned_model, messages=[{"role": "user", "content": "Which kind?\nmessage: news of the q\nkind:"}])
    expect(said.choices[0].message.content == "WORLD", said)
    events = list(jobs.list_events(job.id, limit=3))
    expect(events[0].message.startswith("Training hours billed:") and len(events) > 6, events)
    metrics = [event for event in events if event.type == "metrics"]
    expect(metrics and metrics[0].data["full_valid_accuracy"] == 1.0, metrics)
    checkpoint = list(jobs.checkpoints.list(job.id))[0]
    expect(checkpoint.fine_tuned_model_checkpoint == job.fine_tuned_model and checkpoint.metrics.valid_loss, checkpoint)

    # A language model, by the older place.
    written = jobs.create(model="tiny-llama", training_file=file.id, hyperparameters={"n_epochs": 1})
    plain = api.files.create(file=("plain.jsonl", lines(12, chat=False)), purpose="fine-tune")
    second = jobs.create(model="tiny-llama", training_file=plain.id)
    expect(wait(jobs, written.id).status == "succeeded", "chat")
    second = wait(jobs, second.id)
    expect(second.status == "succeeded" and second.hyperparameters.n_epochs == 4, second)
    model = second.fine_tuned_model
    expect(api.models.list().data[-1].id == model and model in server.fettle("models"), model)
    expect(api.completions.create(model=model, prompt="z y x q\n", max_tokens=3).choices[0].text is not None, model)
    third = wait(jobs, jobs.create(model=model, training_file=plain.id, hyperparameters={"n_epochs": 1}).id)
    expect(third.status == "succeeded" and third.model == model, third)

    # Refusals, in the client's own classes.
    refused(openai.BadRequestError, lambda: jobs.create(model="base", training_file="file-none"), "training_file")
    refused(openai.NotFoundError, lambda: jobs.create(model="nobody", training_file=file.id), "model")
    refused(openai.BadRequestError, lambda: jobs.create(
        model="base", training_file=file.id, method={"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.1}}}), "method.type")
    refused(openai.NotFoundError, lambda: jobs.retrieve("ftjob-none"))
    refused(openai.BadRequestError, lambda: jobs.cancel(job.id))
    refused(openai.BadRequestError, lambda: jobs.pause(job.id))

    # A long one, cancelled; another, in the middle of which the server is killed.
    big = api.files.create(file=("big.jsonl", lines(400)), purpose="fine-tune")
    endless = {"n_epochs": 50, "batch_size": 1}
    long = jobs.create(model="tiny-llama", training_file=big.id, hyperparameters=endless)
    wait(jobs, long.id, {"running"})
    expect(jobs.cancel(long.id).status == "cancelled", "cancel")
    killed = jobs.create(model="tiny-llama", training_file=big.id, hyperparameters=endless)
    waiting = jobs.create(model="tiny-llama", training_file=plain.id, metadata={"n": "v w"})
    wait(jobs, killed.id, {"running"})
    server.kill()
    server.start()
    api = client(server)
    jobs = api.fine_tuning.jobs
    kept = jobs.retrieve(job.id)
    expect(kept.status == "succeeded" and kept.fine_tuned_model == job.fine_tuned_model, kept)
    wait(jobs, killed.id, {"running"})
    expect(any("begins again" in event.message for event in jobs.list_events(killed.id)), "events")
    expect(jobs.cancel(killed.id).status == "cancelled", "cancel")
    expect(wait(jobs, waiting.id).status == "succeeded", "waiting")
    listed = [found.id for found in jobs.list(limit=2)]
    expect(listed[:3] == [waiting.id, killed.id, long.id] and len(listed) == 7, listed)
    expect([found.id for found in jobs.list(metadata={"n": "v w"})] == [waiting.id], "metadata")
    expect(api.files.delete(file.id).deleted, "delete")
    # What was done is not recorded, and what is recorded replays.
    server.fettle("replay", ".fettle/session.md") if (server.folder / ".fettle/session.md").exists() else None
    server.end()


if __name__ == "__main__":
    try:
        with served(sys.argv[1]) as server:
            run(server)
        print(f"openai {openai.__version__}: files and fine-tuning hold.")
    except Problem as problem:
        sys.exit(f"openai {openai.__version__}: {problem}")
