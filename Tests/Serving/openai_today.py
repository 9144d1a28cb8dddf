#!/usr/bin/env python3
"""Asks `fettle serve` with OpenAI's own client of today, unmodified and strict: a member that is missing or of another type raises.

Three things of OpenAI's own form fail the strict client (embeddings in base64, a streamed completion's null finish_reason, the first
nulls of echo): those are asked for with the lenient one.

    openai_today.py FETTLE
"""

import math
import sys
from concurrent.futures import ThreadPoolExecutor

from served import ROOT, Checks, Server, with_packages

with_packages("openai-today", "openai==3.57.0")

import openai  # noqa: E402
from openai import OpenAI  # noqa: E402

server = Server(
    sys.argv[1], f"load {ROOT}/Samples/news-1.csv --name news", "interface define --from news",
    "label file", "finetune --method linear --name quick")
check = Checks()
strict = OpenAI(base_url=server.url + "/v1", api_key="any key", max_retries=0, _strict_response_validation=True)
lenient = OpenAI(base_url=server.url + "/v1", api_key="<YOUR OPENAI API KEY>", max_retries=0)
LANGUAGE = "smollm2"
messages = [{"role": "system", "content": "Answer in one word."}, {"role": "user", "content": "What is the capital of France?"}]

# Models.
names = [model.id for model in strict.models.list()]
check("base and the language model first, the tuned one last", names[0] == "base" and LANGUAGE in names and names[-1] == "quick", names)
check("one model", strict.models.retrieve("quick").id == "quick")
check("a name of 2023", strict.models.retrieve("curie").id == "curie")
for name in ["nope", "ft:a:b::c", "a/b", "é x"]:
    error = check.raises(f"no model {name}", openai.NotFoundError, lambda: strict.models.retrieve(name))
    check("its code", error.code == "model_not_found" and error.request_id, error)

# Chat.
answer = strict.chat.completions.create(model=LANGUAGE, messages=messages, max_tokens=12, temperature=0, seed=1)
text = answer.choices[0].message.content
check("an answer", "Paris" in text, text)
check("its shape", answer.id.startswith("chatcmpl-") and answer.object == "chat.completion" and answer.model == LANGUAGE)
check("its members", answer.choices[0].message.refusal is None and answer.choices[0].message.annotations == [])
check("usage", answer.usage.prompt_tokens > 15 and answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens, answer.usage)
again = strict.chat.completions.create(model=LANGUAGE, messages=messages, max_completion_tokens=12, temperature=0, seed=None, stop=None, n=None, user="me")
check("nulls are as absent", again.choices[0].message.content == text)
parts = [{"role": "user", "content": [{"type": "text", "text": "What is the capital of France?"}]}]
plain = [{"role": "user", "content": "What is the capital of France?"}]
ask = lambda given, **more: strict.chat.completions.create(model=LANGUAGE, messages=given, **({"temperature": 0, "max_tokens": 12} | more)).choices
check("a message in parts", ask(parts)[0].message.content == ask(plain)[0].message.content)
free = dict(temperature=1.2, max_tokens=12)
check("the same for one seed", ask(plain, seed=7, **free)[0].message.content == ask(plain, seed=7, **free)[0].message.content)
several = ask(plain, n=3, seed=7, **free)
check("several choices", [choice.index for choice in several] == [0, 1, 2] and len({choice.message.content for choice in several}) > 1, several)
check("the first choice is that of its seed", several[0].message.content == ask(plain, seed=7, **free)[0].message.content)
check("length", ask(plain, max_tokens=2)[0].finish_reason == "length")
stopped = ask(plain, stop=[" of", "XYZ"])[0]
check("a stop", stopped.finish_reason == "stop" and " of" not in stopped.message.content and stopped.message.content, stopped)
check("a name of 2023 answers", strict.chat.completions.create(model="curie", messages=messages, max_tokens=12, temperature=0).choices[0].message.content == text)

told = ask(plain, logprobs=True, top_logprobs=3)[0]
spelled = b"".join(bytes(token.bytes) for token in told.logprobs.content).decode()
check("tokens spell the text", spelled == told.message.content, spelled)
check("tokens' probabilities", all(
    token.logprob <= 0 and len(token.top_logprobs) == 3 and token.top_logprobs[0].logprob == token.logprob
    and sum(math.exp(other.logprob) for other in token.top_logprobs) <= 1 + 1e-6 for token in told.logprobs.content))

# Streams.
chunks = list(strict.chat.completions.create(model=LANGUAGE, messages=messages, max_tokens=12, temperature=0, stream=True, stream_options={"include_usage": True}))
check("a stream says the same", "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == text)
check("its beginning and end", chunks[0].choices[0].delta.role == "assistant" and chunks[-2].choices[0].finish_reason == answer.choices[0].finish_reason)
check("its usage comes last", chunks[-1].choices == [] and chunks[-1].usage == answer.usage, chunks[-1])
check("one id", len({chunk.id for chunk in chunks}) == 1)
with strict.chat.completions.stream(model=LANGUAGE, messages=plain, max_tokens=12, temperature=0, logprobs=True, top_logprobs=1) as stream:
    for event in stream:
        pass
    check("the stream helper", stream.get_final_completion().choices[0].message.content == told.message.content)
streamed = list(strict.chat.completions.create(model=LANGUAGE, messages=plain, max_tokens=12, temperature=0, stream=True, stop=[" of"]))
check("a stream stops where the whole answer does", "".join(chunk.choices[0].delta.content or "" for chunk in streamed) == stopped.message.content)
both = list(strict.chat.completions.create(model=LANGUAGE, messages=plain, seed=7, n=2, stream=True, **free))
for number in (0, 1):
    check("choices in a stream", "".join(chunk.choices[0].delta.content or "" for chunk in both if chunk.choices[0].index == number) == several[number].message.content)

# Completions.
complete = lambda prompt, client=strict, **more: client.completions.create(model=LANGUAGE, prompt=prompt, **({"temperature": 0, "max_tokens": 6} | more))
sky = complete("The capital of France is")
check("a completion", sky.choices[0].text.startswith(" Paris") and sky.id.startswith("cmpl-"), sky.choices[0].text)
two = complete(["The capital of France is", "One, two, three,"])
check("two prompts", two.choices[0].text == sky.choices[0].text and "four" in two.choices[1].text and [choice.index for choice in two.choices] == [0, 1], two)
check("their usage", two.usage.prompt_tokens > sky.usage.prompt_tokens and two.usage.completion_tokens == 12, two.usage)
token_ids = lambda text: lenient.post(server.url + "/tokenize", cast_to=object, body={"prompt": text, "add_special_tokens": False})["tokens"]
ids = token_ids("The capital of France is")
check("token numbers", complete(ids).choices[0].text == sky.choices[0].text)
check("lists of token numbers", [choice.text for choice in complete([ids, token_ids("One, two, three,")]).choices] == [choice.text for choice in two.choices])
spelling = lenient.post(server.url + "/detokenize", cast_to=object, body={"tokens": ids})["prompt"]
check("numbers back to text", spelling == "The capital of France is", spelling)
check("the tokenizer's ends", lenient.get(server.url + "/tokenizer_info", cast_to=object)["eos_token"] == "<|endoftext|>")
logged = complete("The capital of France is", logprobs=2).choices[0]
check("probabilities", "".join(logged.logprobs.tokens) == logged.text and all(token < 0 for token in logged.logprobs.token_logprobs), logged)
check("offsets begin behind the prompt", logged.logprobs.text_offset[0] == len("The capital of France is"))
echo = complete([ids, ids[:3]], lenient, echo=True, logprobs=1, max_tokens=1)
for choice, prompt in zip(echo.choices, [ids, ids[:3]]):
    found = choice.logprobs
    check("echo: the prompt's tokens and one more", len(found.tokens) == len(found.token_logprobs) == len(found.top_logprobs) == len(found.text_offset) == len(prompt) + 1)
    check("echo: nothing before the first", found.token_logprobs[0] is None and found.top_logprobs[0] is None and found.text_offset[0] == 0)
    check("echo: the most probable token has its own number", found.token_logprobs[-1] == max(found.top_logprobs[-1].values()))
    check("echo: the text", choice.text == "".join(found.tokens), choice)
silent = complete("The capital of France is", lenient, echo=True, logprobs=1, max_tokens=0).choices[0]
check("echo alone", silent.text == "The capital of France is" and silent.logprobs.token_logprobs == echo.choices[0].logprobs.token_logprobs[:-1] and silent.finish_reason == "length", silent)
pieces = list(complete("The capital of France is", lenient, stream=True, stream_options={"include_usage": True}, logprobs=1))
check("a streamed completion", "".join(piece.choices[0].text for piece in pieces if piece.choices) == sky.choices[0].text and pieces[-1].usage == sky.usage, pieces[-1])
old = lenient.post("/engines/text_curie_001/completions", cast_to=object, body={"model": "curie", "prompt": "The capital of France is", "max_tokens": 6, "temperature": 0})
check("where clients of 2023 ask", old["choices"][0]["text"] == sky.choices[0].text and old["model"] == "curie", old)
old = lenient.post("/engines/smollm2/completions", cast_to=object, body={"model": "quick", "prompt": "The team won the cup final.", "max_tokens": 6})
check("the body's model wins", old["model"] == "quick" and old["choices"][0]["text"].isupper(), old)

# Embeddings.
floats = strict.embeddings.create(model="base", input=["The ferry strike", "A film prize"], encoding_format="float")
coded = lenient.embeddings.create(model="base", input=["The ferry strike", "A film prize"])
check("two vectors of length one", len(floats.data) == 2 and all(abs(sum(number * number for number in item.embedding) - 1) < 1e-5 for item in floats.data))
check("base64 is the same", all(abs(one - other) < 1e-7 for a, b in zip(floats.data, coded.data) for one, other in zip(a.embedding, b.embedding)))
one = strict.embeddings.create(model="base", input="The ferry strike", encoding_format="float")
check("one text as among others", one.data[0].embedding == floats.data[0].embedding and 0 < one.usage.prompt_tokens < floats.usage.prompt_tokens)
short = strict.embeddings.create(model="base", input="The ferry strike", encoding_format="float", dimensions=8)
check("fewer dimensions", len(short.data[0].embedding) == 8 and abs(sum(number * number for number in short.data[0].embedding) - 1) < 1e-5)
many = lenient.embeddings.create(model="base", input=[f"text number {number}" for number in range(300)])
check("many texts", [item.index for item in many.data] == list(range(300)))

# Classifiers.
for name in ("base", "quick"):
    labelled = strict.chat.completions.create(model=name, messages=[{"role": "user", "content": "The striker scored twice in the cup final."}], logprobs=True, top_logprobs=2)
    choice = labelled.choices[0]
    check(f"{name} answers with a category", choice.message.content == "SPORTS" and choice.finish_reason == "stop", choice)
    check(f"{name} tells its probabilities", choice.logprobs.content[0].top_logprobs[0].token == "SPORTS" and len(choice.logprobs.content[0].top_logprobs) == 2)
    check(f"{name} counts tokens", labelled.usage.prompt_tokens > 5 and labelled.usage.completion_tokens > 0, labelled.usage)
    streamed = list(strict.chat.completions.create(model=name, messages=[{"role": "user", "content": "The striker scored twice in the cup final."}], stream=True))
    check(f"{name} in a stream", "".join(chunk.choices[0].delta.content or "" for chunk in streamed) == "SPORTS")

# Errors, by the client's own classes.
for what, kind, arguments in [
    ("temperature", openai.BadRequestError, dict(temperature=3)), ("top_p", openai.BadRequestError, dict(top_p=-1)),
    ("n", openai.BadRequestError, dict(n=0)), ("max_tokens", openai.BadRequestError, dict(max_tokens=-1)),
    ("logit_bias", openai.BadRequestError, dict(logit_bias={"1": 5})), ("presence_penalty", openai.BadRequestError, dict(presence_penalty=1)),
    ("model", openai.NotFoundError, dict(model="nope")), ("messages", openai.BadRequestError, dict(messages=[])),
    ("messages", openai.BadRequestError, dict(max_tokens=100_000)),
    ("messages.0.role", openai.BadRequestError, dict(messages=[{"role": "nobody", "content": "a"}])),
    ("tools", openai.BadRequestError, dict(tools=[{"type": "function", "function": {"name": "f"}}])),
    ("seed", openai.BadRequestError, dict(seed="a")), ("stop", openai.BadRequestError, dict(stop=[1])),
]:
    error = check.raises(what, kind, lambda: strict.chat.completions.create(**(dict(model=LANGUAGE, messages=messages) | arguments)))
    check(f"{what} is named", error is not None and error.param.startswith(what) and error.request_id.startswith("req_"), error and error.body)
for what, number in ("a fraction", 1.5), ("more than a number holds", 2**70):
    error = check.raises(what, openai.BadRequestError, lambda: ask(plain, seed=number))
    check(f"{what} is said to be a number", error is not None and "number" in str(error), error)
check.raises("an image", openai.BadRequestError, lambda: ask([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}]))
check.raises("a vector of a model that writes", openai.BadRequestError, lambda: strict.embeddings.create(model=LANGUAGE, input="a", encoding_format="float"))
check.raises("an empty text", openai.BadRequestError, lambda: complete(""))
check.raises("a token that is none", openai.BadRequestError, lambda: complete([10_000_000]))
check.raises("a stream is refused before it begins", openai.NotFoundError, lambda: strict.chat.completions.create(model="nope", messages=messages, stream=True))
error = check.raises("too much", openai.APIStatusError, lambda: strict.chat.completions.create(model=LANGUAGE, messages=[{"role": "user", "content": "a" * 5_000_000}]))
check("too much is 413", error is not None and error.status_code == 413 and error.code == "body_too_large", error)
check("unknown members are ignored", ask(plain, extra_body={"nobody_knows": {"this": 1}})[0].message.content == ask(plain)[0].message.content)
error = check.raises("no body", openai.BadRequestError, lambda: lenient.post("/chat/completions", cast_to=object, body=[]))
error = check.raises("no model", openai.BadRequestError, lambda: lenient.post("/chat/completions", cast_to=object, body={"messages": messages}))
check("it says which", error is not None and error.param == "model", error)

# Many at once: nothing is lost, and each gets its own answer.
with ThreadPoolExecutor(48) as pool:
    prompts = [f"Question {number}: what is {number} + {number}? Answer:" for number in range(48)]
    together = list(pool.map(lambda prompt: complete(prompt).choices[0].text, prompts))
    vectors = list(pool.map(lambda number: strict.embeddings.create(model="base", input=f"text number {number}", encoding_format="float").data[0].embedding, range(300)))
check("each its own answer", together[::12] == [complete(prompt).choices[0].text for prompt in prompts[::12]], together[::12])
check("each its own vector", all(max(abs(a - b) for a, b in zip(vector, item.embedding)) < 1e-6 for vector, item in zip(vectors, many.data)))

# A tuned model goes, and the installed stay.
check("a tuned model is removed", strict.models.delete("quick").deleted)
check.raises("it is gone", openai.NotFoundError, lambda: strict.chat.completions.create(model="quick", messages=plain))
check.raises("base stays", openai.PermissionDeniedError, lambda: strict.models.delete("base"))
check("curie is said in the log, once", sum("curie is smollm2 here" in line and "text" not in line for line in server.log) == 1, server.log)
check.finish(server)
