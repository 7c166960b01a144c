# `make build`, `make demo` and `make test` need Go, git and make, nothing else.
# The tools of the other targets are pinned in tools.mod and built by Go when they are first used, which takes minutes.

GO   ?= go
tool := $(GO) tool -modfile=tools.mod

# The race detector needs a C compiler.
race := $(shell [ "$$($(GO) env CGO_ENABLED)" = 1 ] && command -v $$($(GO) env CC) >/dev/null && echo -race)

# How long each randomized test goes on in `make check-long`, and each fuzz target in `make fuzz`.
LONG     ?= 5m
# How many seeds each of the two halves of mirror's model runs in `make check-long`.
SEEDS    ?= 50000
FUZZTIME ?= 20s

.PHONY: build demo test check generate static format vet lint generated cases failpoints bench check-long fuzz netns people

build: ## bin/starling
	$(GO) build -trimpath -o bin/starling ./cmd/starling

demo: ## a cluster of three on this machine, shown at work
	./examples/demo.sh

test: ## all tests
	@[ -n "$(race)" ] || echo "make test: no C compiler here, so without the race detector"
	$(GO) test $(race) -shuffle=on ./...

check: static test ## what a change must pass

generate: ## the generated code, anew
	$(tool) buf generate
	$(GO) generate ./...

# The parts of check that run no test.
static: format vet lint generated cases failpoints

format:
	@bad=$$(gofmt -l $$(git ls-files --cached --others --exclude-standard '*.go')); \
	[ -z "$$bad" ] || { echo "not formatted, run gofmt -w on:"; echo "$$bad"; exit 1; }
	$(tool) buf format --diff --exit-code

vet:
	$(GO) vet ./...

lint:
	$(tool) golangci-lint run --allow-parallel-runners ./...
	$(tool) buf lint

generated:
	.ci/generated

cases:
	.ci/cases

failpoints:
	GO="$(GO)" .ci/failpoints

bench: ## the benchmarks, once each
	$(GO) test -run '^$$' -bench . -benchmem ./...

check-long: static ## as check, with randomized tests of LONG (5m) each
	STARLING_LONG=$(LONG) $(GO) test $(race) -shuffle=on -count=1 -timeout=0 -v ./...
	$(GO) test -run '^TestModel$$' -count=1 -timeout=0 -v ./mirror -rapid.checks=$(SEEDS)

fuzz: ## each fuzz target for FUZZTIME (20s)
	GO="$(GO)" FUZZTIME="$(FUZZTIME)" .ci/fuzz

netns: ## discovery in network namespaces; wants root and iproute2
	GO="$(GO)" .ci/netns $(race)

people: ## what people do to a directory, with vim and rsync
	GO="$(GO)" .ci/people $(race)
