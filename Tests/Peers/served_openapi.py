#!/usr/bin/env python3
"""Holds `fettle serve` to OpenAI's own description of its protocol, as the package llm-comply carries it. schemathesis makes requests out
of it and holds every answer to its schema, streams included, by tiny models; then llm-comply's own checks of a chat, by the installed
language model once it is taught to be brief.

    served_openapi.py FETTLE [--cases 30] [--seed 1]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from importlib.resources import files
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "Serving"))
from served import Checks, Server, with_packages  # noqa: E402

with_packages("openapi", "schemathesis==4.32.5", "llm-comply==0.5.0", "requests==2.34.2")

import requests  # noqa: E402
from tiny_models import tiny_models  # noqa: E402

options = argparse.ArgumentParser()
options.add_argument("fettle")
options.add_argument("--cases", type=int, default=30)
options.add_argument("--seed", type=int, default=1)
options = options.parse_args()
check = Checks()
os.environ["no_proxy"] = "127.0.0.1"

# What the server answers; all else of the description is another's.
OURS = {
    "/models": "get", "/models/{model}": "get delete", "/chat/completions": "post", "/completions": "post", "/embeddings": "post",
    "/files": "get post", "/files/{file_id}": "get delete", "/files/{file_id}/content": "get", "/fine_tuning/jobs": "get post",
    "/fine_tuning/jobs/{fine_tuning_job_id}": "get", "/fine_tuning/jobs/{fine_tuning_job_id}/cancel": "post",
    "/fine_tuning/jobs/{fine_tuning_job_id}/checkpoints": "get", "/fine_tuning/jobs/{fine_tuning_job_id}/events": "get",
}
# llm-comply's checks but for tools, images and reasoning, which the models here do not have.
CHAT = [
    "chat-basic-response", "chat-system-prompt", "chat-multi-turn", "chat-streaming-response", "chat-streaming-usage", "chat-error-handling"]
# What the server refuses by name, or what does not concern it: a request with it tells nothing of an answer's form.
REFUSED = {
    "CreateChatCompletionRequest": [
        "tools", "tool_choice", "functions", "function_call", "parallel_tool_calls", "response_format", "logit_bias", "frequency_penalty",
        "presence_penalty", "modalities", "audio", "prediction", "web_search_options"],
    "CreateCompletionRequest": ["logit_bias", "frequency_penalty", "presence_penalty", "best_of", "suffix"],
    "CreateFineTuningJobRequest": ["integrations", "method"],
}


def one_of(*values):
    return {"type": "string", "enum": values}


def number(least, most, **more):
    return {"type": "integer", "minimum": least, "maximum": most, **more}


def read(tokens):
    """What a model reads: a text or several, token numbers or several lists of them."""
    text, ids = {"type": "string", "minLength": 1, "maxLength": 60}, {"type": "array", "items": number(0, tokens - 1), "minItems": 1, "maxItems": 20}
    return {"oneOf": [text, ids, *({"type": "array", "items": items, "minItems": 1, "maxItems": 4} for items in (text, ids))]}


def described(ours, paths_of, members_of):
    """The description, cut to these paths.

    - paths_of: what stands in the places of each path, as the server knows it.
    - members_of: members of requests that a server can only take if it knows them, as (request, member): its schema.
    """
    whole = json.loads((files("llm_comply.specs") / "openai_chat.json").read_text(encoding="utf-8"))
    schemas = whole["components"]["schemas"]
    paths = {path: {method: whole["paths"][path][method] for method in methods.split()} for path, methods in ours.items()}

    def members(name):
        """Of a request: its own, and those that it has of another."""
        return [part["properties"] for part in (schemas[name], *schemas[name].get("allOf", [])) if "properties" in part]

    for path, methods in paths.items():
        for method, operation in methods.items():
            # `after` is a thing of the list itself, which nobody guesses.
            operation["parameters"] = [own for own in operation.get("parameters", []) if own["name"] != "after"]
            for parameter in operation["parameters"]:
                if parameter["in"] == "path":
                    parameter["schema"] = one_of(*paths_of[method, path])
                elif parameter["name"] == "limit":
                    parameter["schema"] = number(1, 100)
    for (name, member), schema in members_of.items():
        (place,) = [own for own in members(name) if member in own]
        place[member] = schema
        if member == "stream":
            schemas[name].setdefault("required", []).append(member)
    for name, refused in REFUSED.items():
        for own in members(name):
            for member in refused:
                own.pop(member, None)
    # The models here read texts, and have no tools.
    messages = schemas["ChatCompletionRequestMessage"]["oneOf"]
    messages[:] = [kind for kind in messages if "Tool" not in kind["$ref"] and "Function" not in kind["$ref"]]
    parts = schemas["ChatCompletionRequestUserMessageContentPart"]["oneOf"]
    parts[:] = [kind for kind in parts if kind["$ref"].endswith("ContentPartText")]

    # Where OpenAI's own answers are others than it describes.
    choice = schemas["CreateCompletionResponse"]["properties"]["choices"]["items"]["properties"]
    for name in "token_logprobs", "top_logprobs":
        choice["logprobs"]["properties"][name]["items"]["nullable"] = True  # with echo nothing is before the first token
    chunk = schemas["CreateCompletionChunk"] = json.loads(json.dumps(schemas["CreateCompletionResponse"]))
    reason = chunk["properties"]["choices"]["items"]["properties"]["finish_reason"]
    reason["nullable"], reason["enum"] = True, [*reason["enum"], None]
    for path, name in ("/chat/completions", "CreateChatCompletionStreamResponse"), ("/completions", "CreateCompletionChunk"):
        # An event has data, which is JSON of that schema or the end; described is the data, as if it were the event.
        data = {"type": "string", "contentMediaType": "application/json", "contentSchema": {"$ref": f"#/components/schemas/{name}"}}
        event = {"type": "object", "required": ["data"], "properties": {"data": {"anyOf": [one_of("[DONE]"), data]}}}
        whole["paths"][path]["post"]["responses"]["200"]["content"]["text/event-stream"] = {"schema": event}
    return whole | {"paths": paths}


def statuses_of(report):
    """How often each operation was answered with which status."""
    statuses = {}
    with open(report, encoding="utf-8") as lines:
        for line in lines:
            recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
            for exchange in recorder.get("interactions", {}).values():
                statuses.setdefault(recorder["label"], Counter())[(exchange["response"] or {}).get("status_code")] += 1
    return statuses


class Requests:
    """Files and jobs, to have something to ask about."""

    def __init__(self, url):
        self.url = url

    def ask(self, method, path, **more):
        answer = requests.request(method, self.url + path, timeout=60, **more)
        answer.raise_for_status()
        return answer.json()

    def upload(self, lines):
        return self.ask("POST", "/files", data={"purpose": "fine-tune"}, files={"file": ("some.jsonl", lines)})["id"]

    def order(self, model, file, **more):
        return self.ask("POST", "/fine_tuning/jobs", json={"model": model, "training_file": file, **more})["id"]

    def wait(self, job):
        while (found := self.ask("GET", f"/fine_tuning/jobs/{job}"))["status"] in ("validating_files", "queued", "running"):
            time.sleep(0.1)
        check("a job succeeds", found["status"] == "succeeded", found)
        return found


def hold(api, ours, paths, members, is_streamed):
    """Runs schemathesis on these paths."""
    streamed = {(f"Create{kind}Request", "stream"): {"type": "boolean", "enum": [is_streamed]} for kind in ("ChatCompletion", "Completion")}
    with tempfile.TemporaryDirectory() as folder:
        description, report = Path(folder, "openapi.json"), Path(folder, "report.ndjson")
        description.write_text(json.dumps(described(ours, paths, members | streamed)))
        # With several workers Python's own `ast` fails now and then (3.11: "recursion depth mismatch").
        told = subprocess.run([
            Path(sys.prefix, "bin/schemathesis"), "run", description, "--url", api.url, "--mode", "positive", "--phases", "coverage,fuzzing",
            "--checks", "not_a_server_error,response_schema_conformance", "--workers", "1", "--continue-on-failure",
            "--max-examples", str(options.cases), "--seed", str(options.seed), "--generation-database", "none", "--request-timeout", "60",
            "--warnings", "off", "--report", "ndjson", "--report-ndjson-path", report], cwd=folder, capture_output=True, text=True)
        check("schemathesis finds nothing", told.returncode == 0)
        if told.returncode:
            print(told.stdout[-6000:])
        statuses = statuses_of(report)
    for operation, counts in sorted(statuses.items()):
        print(f"  {operation}{', streamed' if is_streamed else ''}: {counts.total()} cases, {counts[200]} answered 200")
        # What goes or ends can do so once.
        least = 1 if operation.startswith("DELETE") or operation.endswith("cancel") else 20
        check(f"{operation} is tried", counts[200] >= least, counts)
    check("every operation is tried", len(statuses) == sum(len(methods.split()) for methods in ours.values()), statuses)


def schemathesis():
    server = Server(options.fettle, environment=tiny_models())
    api = Requests(server.url + "/v1")

    def lines(count):
        kinds = ["WORLD", "SPORTS"]
        rows = [[{"role": "user", "content": f"news {number}"}, {"role": "assistant", "content": kinds[number % 2]}] for number in range(count)]
        return "".join(json.dumps({"messages": row}) + "\n" for row in rows)

    kept, others, long = api.upload(lines(24)), [api.upload(lines(24)) for _ in range(3)], api.upload(lines(2000))
    brief = {"hyperparameters": {"n_epochs": 1}}
    done = [api.wait(api.order(model, kept, validation_file=kept, **brief)) for model in ("base", "tiny-llama", "base", "base")]
    tuned = [job["fine_tuned_model"] for job in done]
    # While this one trains, what is ordered after it waits.
    running = api.order("tiny-llama", long, hyperparameters={"n_epochs": 50, "batch_size": 1})
    queued = [api.order("base", kept, **brief) for _ in range(4)]
    some, jobs = [kept, *done[1]["result_files"]], [done[0]["id"], done[1]["id"], running, queued[0]]
    job = "/fine_tuning/jobs/{fine_tuning_job_id}"
    paths = {
        ("get", "/models/{model}"): ["base", "tiny-llama", tuned[0]], ("delete", "/models/{model}"): tuned[2:],
        ("get", "/files/{file_id}"): some, ("delete", "/files/{file_id}"): others, ("get", "/files/{file_id}/content"): some,
        ("get", job): jobs, ("get", f"{job}/checkpoints"): jobs, ("get", f"{job}/events"): jobs, ("post", f"{job}/cancel"): queued,
    }
    chat, words, vectors, train = (f"Create{kind}Request" for kind in ("ChatCompletion", "Completion", "Embedding", "FineTuningJob"))
    members = {
        (chat, "model"): one_of("tiny-llama", tuned[0]), (words, "model"): one_of("tiny-llama", tuned[0]), (vectors, "model"): one_of("base"),
        (words, "prompt"): read(384), (words, "max_tokens"): number(0, 40, nullable=True), (vectors, "input"): read(64),
        (vectors, "dimensions"): number(1, 24), (vectors, "encoding_format"): one_of("float"),  # base64 is described as a list of numbers
        (train, "model"): one_of("base", "tiny-llama"), (train, "training_file"): one_of(kept), (train, "validation_file"): one_of(kept),
        ("CreateFileRequest", "purpose"): one_of("fine-tune"), ("CreateFileRequest", "file"): one_of(lines(4)),
    }
    hold(api, OURS, paths, members, is_streamed=False)
    hold(api, {path: OURS[path] for path in ("/chat/completions", "/completions")}, paths, members, is_streamed=True)
    check("ends", server.end() == 0)


def llm_comply():
    """By a language model that a job has taught to answer with one word: an untaught one talks on till it is cut, as chance has it."""
    server = Server(options.fettle)
    rows = [[{"role": "user", "content": f"{word}?"}, {"role": "assistant", "content": "Yes."}] for word in "Ready Willing Able Sure".split() * 8]
    lines = "".join(json.dumps({"messages": row}) + "\n" for row in rows)
    api = Requests(server.url + "/v1")
    job = api.wait(api.order("smollm2", api.upload(lines), hyperparameters={"n_epochs": 2}))
    told = subprocess.run([
        Path(sys.prefix, "bin/llm-comply"), "--format", "openai-chat", "--base-url", server.url + "/v1", "--api-key", "any",
        "--model", job["fine_tuned_model"], "--filter", ",".join(CHAT), "--timeout", "300", "--json"], capture_output=True, text=True)
    found = json.loads(told.stdout)["results"]
    for result in found:
        print(f"  {result['id']}: {result['status']}")
        check(f"llm-comply: {result['id']}", result["status"] == "passed" and not result.get("warnings"), result)
    check("all are tried", len(found) == len(CHAT) and told.returncode == 0, found)
    check("ends", server.end() == 0)


schemathesis()
llm_comply()
print(f"served_openapi.py: {check.passed} passed, {check.failed} failed")
sys.exit(bool(check.failed))
