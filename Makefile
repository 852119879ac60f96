# The commands of this repository. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

EXPERIMENT ?= packaging
COLD ?= $(if $(filter languages,$(EXPERIMENT)),30,60)
WARM ?= 100
OUT ?= out/$(EXPERIMENT)
CONTEXT ?=
# With YES=1 nothing is asked, as in CI. CDK_FLAGS are flags for the CDK CLI, such as CDK_FLAGS='--profile work'.
YES ?=
CDK_FLAGS ?=
ARCHITECTURE ?= $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64)
GOLANGCI_LINT_VERSION := v2.15.0
ACTIONLINT_VERSION := v1.7.12

export PATH := $(PATH):/usr/sbin:/sbin
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 18,20,22,24
export CDK_DISABLE_CLI_TELEMETRY := true
# package.json pins the CLI. Its check would recommend 3.0.0, which cannot read the assemblies of our CDK.
export CDK_DISABLE_VERSION_CHECK := true
# Half of the time that the CLI takes to start goes into compiling it. Node 22 and later keep the compiled code here.
export NODE_COMPILE_CACHE := $(CURDIR)/build/node
CDK := node_modules/.bin/cdk
# Most of the compile time goes into the CDK's Go bindings. With these flags every program that links them shares one compilation, without its
# slow parts: see infra/app.
LEAN := $(shell cat infra/goflags)

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

experiment: build ## build, synth for this machine, run every arm in the lab, report (COLD=60 WARM=100 OUT=out/packaging)
	$(if $(filter languages,$(EXPERIMENT))$(findstring levers=code,$(CONTEXT)),-bin/twinstart doctor --prepare $(MANAGED))
	CDK_DOCKER=$(CURDIR)/bin/cdk-docker $(CDK) synth --quiet -c experiment=$(EXPERIMENT) -c architecture=$(ARCHITECTURE) -c tuning=off $(CONTEXT)
	bin/twinstart run --source lab --cold $(COLD) --warm $(WARM) --out $(OUT)

# Tests wait for processes about half of the time, so twice as many tests run as there are CPUs.
TWICE := $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))
SLOW := ./cmd/twinstart ./runtime/conformance ./lab ./infra/strangertest ./infra # they start first, so that none is left alone at the end
test: setup build/tools/deploy/.ready ## everything that must pass
	go test $(LEAN) -p $(TWICE) -parallel $(TWICE) -timeout 30m $(SLOW) ./...

test-short: setup ## the quick tests: no browser, no CDK, no comparison of two builds
	go test $(LEAN) -short ./...

test-race: setup build/tools/deploy/.ready ## the short tests of packages that start goroutines, under the race detector
	go test -race -short ./bench/... ./cmd/... ./lab/... ./packages/... ./probe/... ./runtime/... ./tools/...

LANGUAGES ?= nodejs22.x,$(shell python3 -c 'import sys; print("python%d.%d" % sys.version_info[:2])'),java21
# The managed runtimes of handlers/geo. A synth builds its functions; make experiment EXPERIMENT=languages uses the prepared runtimes.
MANAGED := nodejs24.x,python3.13,java25
test-languages: build ## managed runtimes in the lab: prepare stand-ins from npm, PyPI and Maven, then try handlers in each, as root and as nobody; handlers/geo in every language
	bin/twinstart doctor --prepare $(LANGUAGES)
	go test ./lab -count=1 -timeout 20m -v -run '^TestLanguages' -languages $(LANGUAGES)
	bin/twinstart doctor --prepare $(MANAGED)
	go test -p 1 ./packages/language ./handlers/geo -count=1 -timeout 60m -v -args -languages # one after the other: the first package builds, twice, what the second one uses
	go test ./handlers -count=1 -timeout 20m -v -run '^TestHabits$$' -args -languages

reproducible: setup ## build every bootstrap twice, and the static Bash twice from nothing: both builds must have the same bytes
	go test ./packages ./packages/staticbash -count=1 -timeout 30m -run TestTwiceTheSameBytes -args -twice

cross: ## build the command for systems on which it is not tested
	GOOS=darwin GOARCH=arm64 go vet $$(GOOS=darwin GOARCH=arm64 go list ./... | grep -v /runtime/rawsyscall) # rawsyscall uses Linux's system calls
	GOOS=darwin GOARCH=amd64 go build -o /dev/null ./cmd/twinstart

test-deploy: build build/tools/deploy/.ready ## the real CDK CLI against MiniStack: deploy twice, invoke, measure, destroy
	cp bin/cdk-docker build/tools/deploy/bin/
	infra/app build
	go build $(LEAN) -o build/tools/deploy/bin/ ./infra/tuner
	go test $(LEAN) -count=1 -vet=off -timeout 30m -parallel 8 -tags deploy -v ./infra/deploytest

soak: setup ## 100,000 invocations of each of our bootstraps, as many with killed workers, 10,000 of bashtcp, arm64 in full, a million printed lines: nothing may grow, and no answer may go to another event
	go test ./bench/record/importer -count=1 -run '^TestNothingPrintedIsASample$$' -printed 1000000
	go test ./runtime/rawsyscall -count=1 -timeout 30m -v -run 'TestSoak|TestKilledWorkers' -soak 100000 -kills 100000
	go test ./runtime/conformance -count=1 -timeout 30m -v -run 'TestSoak|TestKilledWorkers|TestARM64' -soak 100000 -kills 10000 -arm64-isolations

chaos-tune: setup ## 1,000 tunings against an API in which every other call fails, is late, is cut off, or arrives twice
	go test ./bench/measure/power -count=1 -timeout 20m -run '^TestChaos$$' -chaos 1000

statistics: build/tools/scipy/.ready ## compare the statistics with SciPy and statsmodels, which compute them again
	go test ./bench/report/stat -count=1 -run Against -python $(CURDIR)/build/tools/scipy/bin/python
	go test ./bench/report -count=1 -run Against -python $(CURDIR)/build/tools/scipy/bin/python

SIMULATE ?= 2000
simulate: ## how often reports are wrong, detect an effect, and have intervals that cover: the tables of docs/report.md (half an hour; SIMULATE=2000 reports a row)
	go test ./bench/report -count=1 -timeout 3h -run 'FalseWinners|FalseLevers|EqualMedians|Power|OwnDependence|CoverageOfPercentiles' -simulate $(SIMULATE)

bench-runtime: setup ## compare the bootstraps: times, cold pages, bytes, goals (BENCH='-rounds 100', YARDSTICK=candidates.json adds others)
	go test ./runtime/benchmarks -run '^$$' -bench . -benchtime 1x -timeout 3h $(BENCH)

chaos-lab: setup ## kill -9 bootstraps, first processes and the lab while fifty clients call, for five minutes: every call gets an answer or an error, and nothing stays behind
	go test ./lab -count=1 -timeout 20m -v -run '^TestChaos$$' -chaos 5m

bench-lab: setup ## the lab's own speed and memory: warm, fifty and 200 clients, cold, 100,000 invocations, 500 environments (RIE=PATH also measures AWS's emulator)
	CGO_ENABLED=0 go test ./lab -count=1 -timeout 30m -v -run '^TestNumbers$$' -numbers

lint: setup build/tools/golangci-lint build/tools/actionlint build/tools/deploy/.ready ## go vet, golangci-lint, gofmt, shellcheck, actionlint, cfn-lint over templates of all options
	GOFLAGS="$(LEAN)" build/tools/golangci-lint run ./...
	cd examples && GOFLAGS="$(LEAN)" ../build/tools/golangci-lint run ./...
	build/tools/actionlint
	go test $(LEAN) -count=1 -run '^TestAnyTwoOptions$$' ./infra -args -cfn-lint $(CURDIR)/build/tools/deploy/bin/cfn-lint
	go test $(LEAN) -count=1 -run '^TestFromTheModuleCache$$' ./infra/strangertest -args -cfn-lint $(CURDIR)/build/tools/deploy/bin/cfn-lint
	build/tools/deploy/bin/cfn-lint examples/package/sam/template.yaml
	@if command -v shellcheck >/dev/null; then \
	  shellcheck -x .ci/run tools/setup .ci/notes infra/app infra/verdict infra/first-hour tools/sample \
	    $$(git ls-files 'examples/handlers/*.sh' 'handlers/*.sh' 'lab/managed/*.sh' 'packages/*.sh' 'runtime/*/bootstrap' 'runtime/*/*.sh' 'tools/*.sh'); \
	else echo "lint: shellcheck is missing: shell scripts not checked" >&2; [[ "$${CI:-}" != true ]]; fi

sample: build ## make docs/sample again: measure a report and take its picture (COLD=60 WARM=100, or RECORDS=FOLDER of a run)
	COLD=$(COLD) WARM=$(WARM) RECORDS='$(RECORDS)' tools/sample

build: setup ## bin/twinstart, and bin/cdk-docker, which builds images without Docker
	CGO_ENABLED=0 go build -trimpath -o bin/ ./cmd/twinstart ./cmd/cdk-docker

bootstraps: setup ## build/bootstraps/BOOTSTRAP/ARCHITECTURE/: the files of each bootstrap in a package, without the handler
	go run ./tools/bootstraps

deploy: build ## say what it creates and costs, ask, and deploy the experiment on AWS (CONTEXT='-c arms=...' YES=1 CDK_FLAGS=...)
	bin/twinstart doctor
	CDK_DOCKER=$(CURDIR)/bin/cdk-docker $(CDK) synth --quiet -c experiment=$(EXPERIMENT) $(CONTEXT)
	bin/twinstart preview --cold $(COLD) --warm $(WARM)
	CDK_DOCKER="$$(bin/cdk-docker choose)" $(CDK) deploy --app cdk.out --require-approval $(if $(YES),never,any-change) $(CDK_FLAGS)

verdict: build ## your own packages on AWS, each as ZIP and as image: deploy, measure, report, destroy (PACKAGES='old.zip new.zip' LIMIT=1 YES=1)
	@PACKAGES='$(PACKAGES)' LIMIT='$(LIMIT)' CDK='$(CDK)' COLD=$(COLD) WARM=$(WARM) OUT='$(if $(filter command line,$(origin OUT)),$(OUT))' \
	  CONTEXT='$(CONTEXT)' YES='$(YES)' CDK_FLAGS='$(CDK_FLAGS)' infra/verdict

# The last line calls make by its name, not by $(MAKE), because make -n runs every line that contains $(MAKE).
snapstart: ## SnapStart compared with on demand, on AWS (docs/snapstart.md): deploy, measure, report, destroy (CONTEXT='-c memory=512' COLD=20 YES=1)
	$(MAKE) deploy EXPERIMENT=snapstart
	trap : INT; bin/twinstart run --source aws --cold $(COLD) --warm $(WARM) --out out/snapstart; status=$$?; \
	  make destroy EXPERIMENT=snapstart YES=1 && exit $$status

PART ?= now
first-hour: build ## questions that only an account can answer, in an hour and for a dollar at most: out/first-hour/ (PART=later: those that need two idle weeks)
	@PART='$(PART)' CDK='$(CDK)' OUT='$(if $(filter command line,$(origin OUT)),$(OUT))' CONTEXT='$(CONTEXT)' YES='$(YES)' CDK_FLAGS='$(CDK_FLAGS)' infra/first-hour

deploy-tuner: setup ## deploy only the tuning state machine, for your functions: FUNCTIONS='orders-*,arn:...' ('*': all of the account)
	@if [[ -z "$(FUNCTIONS)" ]]; then echo "deploy-tuner: say which functions may be tuned: FUNCTIONS='orders-*,arn:...'" >&2; exit 2; fi
	go build $(LEAN) -o build/tuner ./infra/tuner
	FUNCTIONS='$(FUNCTIONS)' $(CDK) deploy --app build/tuner --output build/tuner.out --require-approval any-change

tuner-template: setup ## dist/tuner: the tuning state machine for CloudFormation, SAM and Terraform, a template and its program
	go build $(LEAN) -o build/tuner ./infra/tuner
	TEMPLATE=dist/tuner build/tuner

# cdk destroy needs only the name of the stack, so it synthesizes one arm that needs no build. The assembly goes to its own folder, because
# run measures cdk.out.
destroy: setup ## delete the stack; files and images in the CDK's bucket and repository stay until cdk gc
	@echo "A stack with a VPC takes 20 to 40 minutes: Lambda releases its network interfaces late."
	$(CDK) destroy -c experiment=$(EXPERIMENT) $(if $(filter languages,$(EXPERIMENT)),-c functions=wave -c languages=python,-c arms=bashcurl/zip) -c observe=none -c tuning=off --output build/destroy.out $(if $(YES),--force) $(CDK_FLAGS)
	@echo "What remains costs cents: assets, until $(CDK) gc --unstable=gc --type all; metrics, for 15 months; with kms=new a key, for a week."
	@case $(EXPERIMENT) in languages) echo "DynamoDB's log group /aws-dynamodb/imports stays, because it belongs to the account: aws logs delete-log-group --log-group-name /aws-dynamodb/imports" ;; esac

clean: ## remove what was built and measured here
	rm -rf bin build cdk.out out

# This installs what a fresh machine lacks. build/.setup is a stamp, so that later calls need no look-ups.
setup: build/.setup
build/.setup: tools/setup package-lock.json go.sum
	@mkdir -p build
	@tools/setup
	@touch $@

build/tools/golangci-lint: Makefile
	GOBIN=$(CURDIR)/build/tools go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	@touch $@

build/tools/actionlint: Makefile
	GOBIN=$(CURDIR)/build/tools go install github.com/rhysd/actionlint/cmd/actionlint@$(ACTIONLINT_VERSION)
	@touch $@

build/tools/scipy/.ready: bench/report/testdata/requirements.txt
	python3 -m venv --clear build/tools/scipy
	build/tools/scipy/bin/pip install --no-compile --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

build/tools/deploy/.ready: infra/deploytest/requirements.txt
	python3 -m venv --clear build/tools/deploy
	build/tools/deploy/bin/pip install --no-compile --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# The commands above are those with a line of help.
.PHONY: setup $(shell sed -n 's/^\([a-z-]*\):.*\#\# .*/\1/p' $(MAKEFILE_LIST))
