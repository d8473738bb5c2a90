.DEFAULT_GOAL := help
PYTHON ?= python3
PY := .venv/bin/python
UV := .venv/bin/python -m uv
RECORDED := src/codealong/recorded/amd-epyc-avx512-bf16
CODE := $(shell find src -name '*.py' -o -name '*.j2' -o -name '*.css' -o -name '*.mplstyle' -o -path '*/published/*' -o -path '*/recorded/*' 2>/dev/null)
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
export CODEALONG_SPEED := $(SPEED)

help:
	@awk -F ':.*## ' '/^##@/ {print "\n" substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-11s  %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Learn
course: build/course$(SPEED:%=-%)/done  ## set up, fetch the data, execute every notebook into build/course/, compare the reports
	@$(PY) -m codealong compare
	@echo; echo "Pages and executed notebooks: $(<D)/ (remove that folder to execute them again)"

student: editions data  ## open the edition to type along, in JupyterLab; what you typed is never overwritten
	$(PY) -m jupyter lab build/student/01_data.ipynb

lab: .venv/installed data  ## open the complete notebooks, with solutions and outputs, in JupyterLab
	$(PY) -m jupyter lab notebooks/01_data.ipynb

doctor: .venv/installed  ## one page about this machine: what is needed, what is here
	@$(PY) -m codealong doctor

test: .venv/teaching data  ## every test: the package, then each notebook again with its outputs compared
	$(PY) -m pytest

##@ Teach
present: .venv/teaching editions data  ## open the edition with solutions and notes as slides with live code; T opens the notes
	$(PY) -m jupyterlab_rise build/instructor/01_data.ipynb

slides: .venv/teaching  ## make pages of slides for lessons of 90 and 45 minutes, in build/slides/
	@$(PY) -m codealong slides

handout: .venv/teaching  ## print a page for each lesson, the answers and the slides, as PDF in build/handout/
	@$(PY) -m codealong handout

site: .venv/teaching  ## make the course as static pages, in build/site/
	@$(PY) -m codealong site

editions: .venv/installed  ## make the students' and the instructors' edition, in build/
	@$(PY) -m codealong editions

##@ Measure
bench: .venv/installed data  ## measure every way to train this network: the table, and build/measured/
	@$(PY) -m codealong bench

bench-peers: .venv/installed data build/peers/installed  ## the same, with Keras, JAX, ONNX Runtime and OpenVINO besides
	@$(PY) -m codealong bench --peers build/peers/bin/python

##@ Maintain (see CONTRIBUTING.md)
check: lint data  ## lint, then the tests that need no browser, no notebook kernel and no worker process
	$(PY) -m pytest -o addopts= -p no:nbval --quiet -m "not browser and not kernel and not worker" tests

lint: .venv/installed  ## check the style of code and notebooks, and that imports between rooms run one way
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	.venv/bin/lint-imports --no-logo

study: .venv/installed data  ## go on with the recorded study until it is whole, and print its verdicts
	@$(PY) -m codealong study --into $(RECORDED)
	@$(PY) -m codealong verdicts

campaign: .venv/installed data  ## add campaigns of times, of the arms and of what is larger, to the records: 20 idle minutes
	@$(PY) -m codealong campaign --into $(RECORDED)
	@$(PY) -m codealong larger --into $(RECORDED)

machine: .venv/installed data build/peers/installed  ## record all of this for the machine at hand, in hours; can be stopped
	@$(PY) -m codealong machine --peers build/peers/bin/python

record: .venv/installed data  ## execute all notebooks in place, to refresh the stored outputs
	$(PY) -m codealong record

pictures: .venv/teaching data  ## draw images/, and write the results in README.md, RESULTS.md and the site's front page
	$(PY) -m codealong pictures

lock: .venv/installed  ## resolve pyproject.toml into requirements.lock again, and that into constraints.txt
	$(UV) pip compile pyproject.toml --extra teach --universal --python-version 3.10 --no-annotate --upgrade --generate-hashes \
		--custom-compile-command "make lock" $(CUDA:%=--no-emit-package %) --quiet -o requirements.lock
	sed -i '/^torch\(vision\)\?==/,/[^\\]$$/ { /--hash/d; s/ \\$$// }' requirements.lock
	sed '/--hash/d; s/ \\$$//' requirements.lock > constraints.txt

audit: .venv/installed  ## compare the known vulnerabilities of the locked packages with SECURITY.md
	@$(PY) -m codealong audit

sbom: .venv/installed  ## list the locked packages with their hashes in build/sbom.json, as CycloneDX
	@mkdir -p build
	@PYTHONWARNINGS=ignore $(UV) tool run --quiet --from cyclonedx-bom==7.5.0 cyclonedx-py requirements requirements.lock \
		--pyproject pyproject.toml --output-reproducible -o build/sbom.json

clean:  ## remove everything derived: environment, data, runs, build
	rm -rf .venv data runs build .pytest_cache .ruff_cache
	find . -name __pycache__ -o -name .ipynb_checkpoints | xargs rm -rf

# No hashes of torch and torchvision: PyTorch's CPU builds and the package index's are different files of one version, and
# set-up takes those it can reach. pip checks hashes of all packages or of none, so pip and conda read constraints.txt.
# What only the CUDA build of torch needs; that build brings them itself, pinned.
CUDA := triton $(addprefix nvidia-,cublas-cu12 cuda-cupti-cu12 cuda-nvrtc-cu12 cuda-runtime-cu12 cudnn-cu12 \
	cufft-cu12 cufile-cu12 curand-cu12 cusolver-cu12 cusparse-cu12 cusparselt-cu12 nccl-cu12 nvjitlink-cu12 nvtx-cu12)

.venv/installed: pyproject.toml requirements.lock
	@command -v "$(PYTHON)" > /dev/null || { echo "There is no program $(or $(PYTHON),without a name): run" \
		"make PYTHON=python3.11 (or another Python from 3.10 to 3.13)" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 10) <= v < (3, 14) else \
		"Python 3.10 to 3.13 is needed, and $(PYTHON) is %d.%d: run make PYTHON=python3.11 (or another of these)" % v[:2])'
	@echo "Set-up, this once. 1 of 2: a Python environment in .venv/ (less than a minute)"
	@"$(PYTHON)" -m venv --clear .venv
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock | \
		$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r /dev/stdin || \
		{ echo "uv was not installed, for the reason above: when the network is right, run the same command again" >&2; exit 1; }
	@echo "2 of 2: PyTorch, IPEX, JupyterLab and what they need, up to 7 GB in .venv/ (minutes, by your network)"
	@$(PY) -I src/codealong/install.py
	@touch $@

.venv/teaching: .venv/installed
	@echo "Set-up, this once: what presenting, slides, site and their tests need, some 280 MB in .venv/"
	@$(PY) -I src/codealong/install.py teach
	@touch $@

build/peers/installed: .venv/installed src/codealong/measure/peers/requirements.txt
	@echo "Set-up, this once: Keras on TensorFlow, JAX, ONNX Runtime and OpenVINO, in build/peers/ (minutes, by your network)"
	@$(UV) venv --quiet --clear build/peers
	@$(UV) pip install --quiet --python build/peers/bin/python -r src/codealong/measure/peers/requirements.txt
	@touch $@

data: .venv/installed
	@$(PY) -m codealong data

build/course%done: .venv/installed $(CODE) $(NOTEBOOKS)
	@$(PY) -m codealong data
	@$(PY) -m codealong course
	@touch $@

.PHONY: help course student lab doctor test present slides handout site editions study campaign machine bench bench-peers check lint record pictures \
	lock audit sbom clean data
