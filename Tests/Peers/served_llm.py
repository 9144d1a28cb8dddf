#!/usr/bin/env python3
"""Asks `fettle serve` with Simon Willison's llm: chats and completions, streamed and not, a system message, a conversation that goes on,
what it counts, and what it is told where the server refuses.

    served_llm.py FETTLE
"""

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "Serving"))
from served import ROOT, Checks, Server, with_packages  # noqa: E402

with_packages("llm", "llm==0.36")

server = Server(
    sys.argv[1], f"load {ROOT}/Samples/news-1.csv --name news", "interface define --from news", "label file",
    "finetune --method linear --name quick")
check = Checks()
user = Path(server.folder, "llm")
user.mkdir()
entry = "- {{model_id: {0}, model_name: {1}, api_base: '{2}/v1'{3}}}\n"
(user / "extra-openai-models.yaml").write_text(
    entry.format("chat", "smollm2", server.url, "") + entry.format("words", "smollm2", server.url, ", completion: true")
    + entry.format("quick", "quick", server.url, "") + entry.format("nobody", "nobody", server.url, ""))
GREEDY = ["-o", "temperature", "0", "-o", "max_tokens", "12"]


def llm(*arguments, fails=False):
    """What it prints, on standard error too where it fails."""
    environment = os.environ | {"LLM_USER_PATH": str(user), "no_proxy": "127.0.0.1"}
    done = subprocess.run([Path(sys.prefix, "bin/llm"), *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    check(f"llm {' '.join(arguments)} {'fails' if fails else 'ends well'}", bool(done.returncode) == fails, done.stderr)
    return done.stderr if fails else done.stdout.strip()


def asked(path, **body):
    """The same without llm."""
    request = urllib.request.Request(
        f"{server.url}/v1/{path}", json.dumps({"model": "smollm2", "temperature": 0, "max_tokens": 12} | body).encode())
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        return json.load(answer)


question, system = "Say hello.", "Answer in French."
messages = [{"role": "system", "content": system}, {"role": "user", "content": question}]
expected = asked("chat/completions", messages=messages)
text = expected["choices"][0]["message"]["content"].strip()
check("it does as the system message says", "Bonjour" in text, text)
check("a chat in a stream", llm("-m", "chat", "-s", system, question, *GREEDY) == text)
check("a chat at once", llm("-m", "chat", "-s", system, question, *GREEDY, "--no-stream") == text)
alone = asked("chat/completions", messages=messages[1:])["choices"][0]["message"]["content"].strip()
check("without it not", llm("-m", "chat", question, *GREEDY) == alone and "Bonjour" not in alone, alone)

# What it has kept of the exchange, for the next turn and for its log.
llm("-m", "chat", "-s", system, question, *GREEDY)
turns = [*messages, {"role": "assistant", "content": expected["choices"][0]["message"]["content"]}, {"role": "user", "content": "And good night?"}]
further = asked("chat/completions", messages=turns)
check("the talk goes on", llm("-c", "And good night?", *GREEDY) == further["choices"][0]["message"]["content"].strip())
logged = json.loads(llm("logs", "list", "--json", "-n", "1"))[0]
check("what it counts", (logged["input_tokens"], logged["output_tokens"]) == tuple(further["usage"][name] for name in ("prompt_tokens", "completion_tokens")), logged)

expected = asked("completions", prompt="The capital of France is")
text = expected["choices"][0]["text"].strip()
check("it goes on", text.startswith("Paris"), text)
check("a completion in a stream", llm("-m", "words", "The capital of France is", *GREEDY) == text)
check("a completion at once", llm("-m", "words", "The capital of France is", *GREEDY, "--no-stream") == text)

check("a tuned encoder", llm("-m", "quick", "The striker scored twice in the cup final.") == "SPORTS")
check("a model that is not there", re.search("The model `nobody` does not exist", llm("-m", "nobody", question, fails=True)))
check("another form than text", "promise no other format" in llm("-m", "chat", question, "-o", "json_object", "1", fails=True))
check.finish(server)
