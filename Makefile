FUZZ_TIME ?= 60s
SEED ?= 1
COUNT ?= 200

.PHONY: crash test race fuzz bench bench-serve golden lint sim sim-long mutants image snapshot

test: ## every test; those that need a server that is not installed skip with the reason
	go test ./...

race:
	go test -race ./...

fuzz: ## every fuzz target in turn, for FUZZ_TIME each
	@for target in $$(grep -rhoE '^func Fuzz[A-Za-z]+' --include='*_test.go' internal | awk '{print $$2}' | sort -u); do \
		for dir in $$(grep -rlE "^func $$target\(" --include='*_test.go' internal | xargs -n1 dirname | sort -u); do \
			echo "$$dir $$target"; \
			go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZ_TIME) -fuzzminimizetime 2s ./$$dir || exit 1; \
		done; \
	done

sim: ## COUNT schedules of the simulation of promotions from SEED on, the same ones each time; on every core
	go test ./internal/verdict -count=1 -timeout 30m -run '^TestSimulation$$' -v -sim-seed $(SEED) -sim-count $(COUNT)

sim-long: ## schedules from SEED on until it is stopped, or one fails
	go test ./internal/verdict -count=1 -timeout 0 -run '^TestSimulation$$' -v -sim-seed $(SEED) -sim-count 0

bench: ## speed, memory and correctness of pinning, git and reconciling, on generated repositories
	go run ./internal/bench -large

bench-serve: ## speed and memory of pinnace serve, with GitHub in process; the idle repositories take a while
	go run ./internal/bench/serve

golden: ## rewrite the golden files; read the diff before you commit it
	go test ./internal/manifest ./internal/config -update
	go run ./cmd/pinnace reference --dir docs/reference
	UPDATE_SCRIPTS=1 go test ./cmd/pinnace

lint:
	go vet ./...
	go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	go run mvdan.cc/gofumpt@v0.12.0 -l cmd internal

mutants: ## one defence after the other is switched off: the test of the attack on it has to fail; takes minutes
	MUTANTS=1 go test ./internal/verdict -run '^TestMutants$$' -v -timeout 60m

crash: ## kill -9 at each effect, before it, after it and after its answer, on SQLite and on PostgreSQL: an hour and more
	go test ./internal/proof -count=1 -timeout 180m -run '^(TestCrash.*|TestRestartStorm)$$' -v -every-crash

image: ## the container image, with buildah, as localhost/pinnace; deploy/image/test.sh proves it
	deploy/image/build.sh localhost/pinnace

snapshot: ## what a release would hold for this machine, in dist/release
	deploy/image/snapshot.sh
