# What people run. Each target is one step over cargo or a script of scripts/; `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help demo test lint models eval looks bench package judge clean

programs := $(or $(CARGO_TARGET_DIR),target)/release

help: ## list these targets
	@sed -n 's/^\([a-z]*\): .*## \(.*\)/make \1\t\2/p' Makefile | expand -t 16

demo: ## count a real clip, live, on a page of this machine
	@scripts/toolchain
	@scripts/packages build models clip
	@models/fetch
	@cargo build --release --locked --package outis --package outis-intake --package outis-eye --package outis-still --package outis-adversary
	@$(programs)/outis demo

test: ## run every check; the last line is `N passed, N failed`
	@scripts/test

lint: ## formatting, lints and borders only: what fails most often
	@scripts/test format clippy borders

models: ## fetch the models, their runtime and the clip, checked by sha256
	@scripts/packages models clip
	@models/fetch

eval: judge ## measure how right the counts are; writes docs/ref/accuracy.md
	@$(programs)/outis-eval report accuracy >$(programs)/accuracy.md
	@mv $(programs)/accuracy.md docs/ref/accuracy.md

looks: judge ## measure what each way of looking finds and costs; writes docs/ref/looks.md and its picture
	@$(programs)/outis-eval looks --page docs/ref

bench: judge ## measure how fast it is, beside a Python pipeline; writes docs/ref/benchmarks.md
	@scripts/packages streams
	@"$$(bench/python/setup)" -m unittest discover --start-directory bench/python
	@$(programs)/outis-eval report benchmarks >$(programs)/benchmarks.md
	@mv $(programs)/benchmarks.md docs/ref/benchmarks.md

package: ## make a Debian package of the programs in target/
	@scripts/toolchain
	@scripts/packages build package
	@cargo build --release --locked --package outis --package outis-intake --package outis-eye --package outis-still --package outis-adversary
	@scripts/package $(programs) target

judge:
	@scripts/toolchain
	@scripts/packages build models clip videos
	@models/fetch
	@cargo build --release --locked --package outis --package outis-intake --package outis-eye --package outis-still --package outis-adversary --package outis-eval

clean: ## remove what was built; fetched models stay in the cache folder
	@cargo clean
