# SPDX-License-Identifier: MIT OR Apache-2.0
# The front door. The work is done by tools/dev/* and by CMake (CMakePresets.json).
.PHONY: help demo demo-isolation test bench damage verify exhaust fuzz inject soak format lint dist

help:
	@echo 'make demo           a Cortex-M4 firmware on an emulated board, then a recorded program replayed'
	@echo 'make demo-isolation three domains, one of which attacks the others, on four kinds of protection hardware'
	@echo 'make test [T=name]  build and test everything, on the host and on emulated boards'
	@echo 'make bench          measure instructions, space and code size; writes docs/costs.md'
	@echo 'make damage         the long damage campaign'
	@echo 'make verify         the long proofs: the atomic pool, statistics, protection plans'
	@echo 'make exhaust        every sequence of calls of a small allocator, every size: the long form'
	@echo 'make fuzz           ten minutes of inputs that nobody thought of, for protection plans, and for gates'
	@echo 'make inject         every mistake behind every set of watchers, on the host and two emulated boards'
	@echo 'make soak           ten million operations with injected faults on two emulated boards'
	@echo 'make format         lay out every source file'
	@echo 'make lint           the rule checks: layers, symbols, format, clang-tidy, cppcheck and more'
	@echo 'make dist           each allocator as one .c and one .h, in build/dist'

demo demo-isolation test: %:
	@tools/dev/setup
	@tools/dev/$* $(T)

bench damage verify exhaust fuzz inject soak format dist: %:
	@tools/dev/$*

lint:
	@tools/dev/check
