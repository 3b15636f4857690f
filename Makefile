# Two commands for a newcomer, each doing its own set-up: `make demo` and `make test`.

SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# One after the other, so that the first failure is the last thing on the screen.
.NOTPARALLEL:

# Where rustup puts cargo, for a shell that has not read its settings since.
export PATH := $(PATH):$(HOME)/.cargo/bin

# OpenMPI starts nothing as root unless told twice.
ifeq ($(shell id -u),0)
export OMPI_ALLOW_RUN_AS_ROOT := 1
export OMPI_ALLOW_RUN_AS_ROOT_CONFIRM := 1
endif

# In CI a Cargo.lock that does not fit Cargo.toml is an error.
LOCKED := $(if $(CI),--locked)
DENY := cargo deny --log-level error check licenses bans sources
heading = @printf '\n==> %s (%s)\n' "$(1)" "$$(date +%T)"

.PHONY: help
help:
	@echo "make demo    build, then generate two small NEMO-like files and send them, on 4 ranks"
	@echo "make test    everything a change must pass: format, lints, tests, Slurm, several hosts, licences"
	@echo "make acceptance  the program against a real Ceph gateway, which it installs and starts (as root, Debian)"
	@echo "make test-hosts  a job on three hosts that fall silent, die or lose the store (as root, three minutes)"
	@echo "make lint    format and lints only"
	@echo "make docs    the pages as a site, in target/site (a minute the first time, then seconds)"
	@echo "make deb     a Debian package, in target/packages (installs cargo-deb there)"
	@echo "make wheel   a wheel without MPI, with the C libraries inside, in target/packages (installs maturin there)"
	@echo "make packages  both, and tries them: in a bare Debian, in a fresh Python environment (as root, Debian)"
	@echo "make bench   the benchmarks"
	@echo "make deny    licences and sources of the dependencies (installs cargo-deny)"
	@echo "make clean   remove all that was built or made"

.PHONY: demo
demo:
	@scripts/demo.sh

.PHONY: test
test: setup-test checks without-mpi build test-suites test-deny
	$(call heading,all checks passed)

# While packages come from the network, the lints compute.
.PHONY: checks
checks:
	@scripts/side-by-side.sh "format and lints" "$(MAKE) lint" "pages and Python readers" "$(MAKE) docs python"

.PHONY: setup-test
setup-test:
	$(call heading,set-up)
	@scripts/setup.sh test

.PHONY: lint
lint:
	$(call heading,format and lints)
	cargo fmt --all --check
	cargo clippy $(LOCKED) --workspace --all-targets -- -D warnings
	cargo check $(LOCKED) --workspace --no-default-features
	RUSTDOCFLAGS="-D warnings" cargo doc $(LOCKED) --workspace --no-deps

# The pages as a site. A link or an anchor that leads nowhere is an error.
.PHONY: docs
docs:
	$(call heading,the pages as a site)
	@scripts/python-venv.sh tests/.venv-docs docs/requirements.txt
	@tests/.venv-docs/bin/mkdocs build --strict --clean
	@echo "target/site/index.html"

.PHONY: python
python:
	$(call heading,Python readers in tests/.venv, tests/.venv-iris, tests/.venv-open and tests/.venv-zarr2)
	@scripts/python-venv.sh

# The examples are built as programs, for a test that starts them: `cargo test --examples` would build their tests, which there are none of.
.PHONY: build
build:
	$(call heading,debug build)
	cargo build $(LOCKED) --workspace --bins --lib --examples

# The program where there is no MPI at all, for a test that sends a file with it. What is not its own is compiled once for both.
.PHONY: without-mpi
without-mpi: built := $(or $(CARGO_TARGET_DIR),target)/debug/msm_os
without-mpi:
	$(call heading,debug build without MPI)
	cargo build $(LOCKED) --workspace --bin msm_os --no-default-features --features msm_os/netcdf-library
	cp $(built) $(built)-without-mpi

# What starts the program, or needs it, uses that of `make build`: its crate is not compiled, and optimised, once more.
TEST_PROGRAM := cargo test $(LOCKED) --profile dev --workspace

# The tests of the whole program and of clusters mostly wait, so they run side by side. Those of the library compute: beside them, mpirun
# got no turn for seconds, and took ranks for failed that had ended.
.PHONY: test-suites
test-suites:
	$(call heading,test build)
	cargo test $(LOCKED) --workspace --lib --no-run
	$(TEST_PROGRAM) --bins --test '*' --no-run
	$(call heading,library tests)
	$(MAKE) test-library
	$(call heading,two suites side by side)
	@scripts/side-by-side.sh \
	    "whole-program tests" "$(MAKE) test-whole" \
	    "Slurm and several hosts" "$(MAKE) test-clusters"

# A program that one test starts while another writes a file would inherit HDF5's lock of that file.
test-library test-whole: export HDF5_USE_FILE_LOCKING := FALSE

# Some of them wait.
.PHONY: test-library
test-library: export RUST_TEST_THREADS ?= $(shell echo $$((2 * $$(nproc))))
test-library:
	cargo test $(LOCKED) --workspace --lib
	$(TEST_PROGRAM) --bins --test access --test conditional --test faults --test file --test hook --test operations --test weights_memory
	$(TEST_PROGRAM) --doc

# Most of them wait for servers and leases.
.PHONY: test-whole
test-whole: export RUST_TEST_THREADS ?= $(shell echo $$((3 * $$(nproc))))
test-whole:
	$(TEST_PROGRAM) --test whole

.PHONY: test-slurm
test-slurm:
	$(call heading,Slurm)
	@tests/slurm/run.sh

# After a build: make setup-test build test-hosts. Where there can be no network namespaces it is skipped.
.PHONY: test-hosts
test-hosts:
	$(call heading,several hosts)
	@tests/hosts/run.sh

# Both of them: they mostly wait, so they do it side by side.
.PHONY: test-clusters
test-clusters:
	@said=$$(mktemp); tests/hosts/run.sh >"$$said" 2>&1 & hosts=$$!; \
	tests/slurm/run.sh; slurm=$$?; \
	wait $$hosts; hosts=$$?; \
	cat "$$said"; rm "$$said"; \
	exit $$((slurm + hosts))

# Not part of `make test`: it installs Ceph, 285 MB.
.PHONY: acceptance
acceptance: python build
	$(call heading,acceptance against Ceph)
	@scripts/acceptance.sh

.PHONY: test-deny
test-deny:
	$(call heading,licences and sources of the dependencies)
	@if command -v cargo-deny >/dev/null; then \
	    echo "$(DENY)"; $(DENY); \
	else \
	    echo "SKIPPED: cargo-deny is not installed; make deny installs and runs it"; \
	fi

# Known vulnerabilities need a database from the network: cargo deny check advisories
.PHONY: deny
deny:
	@command -v cargo-deny >/dev/null || cargo install --locked cargo-deny
	$(DENY)

.PHONY: deb wheel
deb wheel:
	$(call heading,package: $@)
	@scripts/package.sh $@

# Not part of `make test`: it fetches a bare Debian, and builds the program twice. CARGO_PROFILE_RELEASE_OPT_LEVEL=1 builds faster.
.PHONY: packages
packages: deb wheel
	$(call heading,the packages where nothing else is)
	@scripts/try-packages.sh

.PHONY: bench
bench:
	@scripts/setup.sh
	cargo bench

.PHONY: clean
clean:
	cargo clean
	rm -rf tests/.venv tests/.venv-iris tests/.venv-open tests/.venv-zarr2 tests/.venv-docs
