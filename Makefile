.DEFAULT_GOAL := help
PYTHON ?= python3
# Two environments: torch 2.8.0 with IPEX, and, with TORCH=latest, the newest torch, without IPEX.
ifeq ($(TORCH),)
VENV := .venv
LOCK := requirements.lock
IPEX := ipex
OLDEST := 10
NEWEST := 13
NEWER := ; Python 3.14 needs TORCH=latest, which leaves IPEX out
else ifeq ($(TORCH),latest)
VENV := build/latest
LOCK := requirements-latest.lock
OLDEST := 11
NEWEST := 14
else
$(error TORCH is $(TORCH), and there are two environments only: TORCH=latest, or no TORCH for torch 2.8.0 with IPEX)
endif
PY := $(VENV)/bin/python
UV := $(PY) -m uv
COURSE := build/course$(SPEED:%=-%)/done$(TORCH:%=-%)
RECORDED := src/codealong/recorded/amd-epyc-avx512-bf16
CODE := $(shell find src -name '*.py' -o -name '*.j2' -o -name '*.css' -o -name '*.mplstyle' -o -path '*/published/*' -o -path '*/recorded/*' 2>/dev/null)
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
export CODEALONG_SPEED := $(SPEED)

help:
	@awk -F ':.*## ' '/^##@/ {print "\n" substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-11s  %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Learn
course: $(COURSE)  ## set up, fetch the data, execute every notebook into build/course/, compare the reports
	@$(PY) -m codealong compare
	@echo; echo "Pages and executed notebooks: $(<D)/ (remove that folder to execute them again)"

student: editions data  ## open the edition to type along, in JupyterLab; what you typed is never overwritten
	$(PY) -m jupyter lab build/student/01_data.ipynb

lab: $(VENV)/installed data  ## open the complete notebooks, with solutions and outputs, in JupyterLab
	$(PY) -m jupyter lab notebooks/01_data.ipynb

doctor: $(VENV)/installed  ## one page about this machine: what is needed, what is here
	@$(PY) -m codealong doctor

test: $(VENV)/teaching data  ## every test: the package, then each notebook again with its outputs compared
	$(PY) -m pytest

##@ Teach
present: $(VENV)/teaching editions data  ## open the edition with solutions and notes as slides with live code; T opens the notes
	$(PY) -m jupyterlab_rise build/instructor/01_data.ipynb

slides: $(VENV)/teaching  ## make pages of slides for lessons of 90 and 45 minutes, in build/slides/
	@$(PY) -m codealong slides

handout: $(VENV)/teaching  ## print a page for each lesson, the answers and the slides, as PDF in build/handout/
	@$(PY) -m codealong handout

site: $(VENV)/teaching  ## make the course as static pages, in build/site/
	@$(PY) -m codealong site

editions: $(VENV)/installed  ## make the students' and the instructors' edition, in build/
	@$(PY) -m codealong editions

##@ Measure
bench: $(VENV)/installed data  ## measure every way to train this network: the table, and build/measured/
	@$(PY) -m codealong bench

bench-peers: $(VENV)/installed data build/peers/installed  ## the same, with Keras, JAX, ONNX Runtime and OpenVINO besides
	@$(PY) -m codealong bench --peers build/peers/bin/python

##@ Maintain (see CONTRIBUTING.md)
check: lint data  ## lint, then the quick tests: they need no browser, no notebook kernel and no worker process
	GOMP_SPINCOUNT=0 $(PY) -m pytest -o addopts= -p no:nbval --quiet -m "not (browser or kernel or worker or slow)" tests

test-latest:  ## the same tests with the newest torch, in an environment of its own; what needs IPEX is skipped
	@$(MAKE) --no-print-directory test TORCH=latest

lint: $(VENV)/installed  ## check the style of code and notebooks, and that imports between rooms run one way
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(VENV)/bin/lint-imports --no-logo

study: $(VENV)/installed data  ## go on with the recorded study until it is whole, and print its verdicts
	@$(PY) -m codealong study --into $(RECORDED)
	@$(PY) -m codealong verdicts

campaign: $(VENV)/installed data  ## add campaigns of times, of the arms and of what is larger, to the records: 20 idle minutes
	@$(PY) -m codealong campaign --into $(RECORDED)
	@$(PY) -m codealong larger --into $(RECORDED)

machine: $(VENV)/installed data build/peers/installed  ## record all of this for the machine at hand, in hours; can be stopped
	@$(PY) -m codealong machine --peers build/peers/bin/python

record: $(VENV)/installed data  ## execute all notebooks in place, to refresh the stored outputs
	$(PY) -m codealong record

pictures: $(VENV)/teaching data  ## draw images/, and write the results in README.md, RESULTS.md and the site's front page
	$(PY) -m codealong pictures

# What only the CUDA build of torch needs is left out: that build brings it itself. No hashes of torch and torchvision: PyTorch's
# CPU builds and the package index's are different files of one version, and set-up takes those it can reach. pip checks hashes of
# all packages or of none, so pip and conda read constraints.txt.
lock: $(VENV)/installed  ## resolve pyproject.toml into its lock again; TORCH=latest has a lock of its own
	$(UV) pip compile pyproject.toml --extra teach $(IPEX:%=--extra %) --universal --python-version 3.$(OLDEST) \
		--no-annotate --upgrade --generate-hashes --custom-compile-command "make lock$(TORCH:%= TORCH=%)" --quiet -o $(LOCK)
	@sed -i -E '/^(cuda|nvidia|triton)\b/,/[^\\]$$/d' $(LOCK)
	@sed -i '/^torch\(vision\)\?==/,/[^\\]$$/ { /--hash/d; s/ \\$$// }' $(LOCK)
	@$(if $(TORCH),,sed '/--hash/d; s/ \\$$//' $(LOCK) > constraints.txt)

audit: $(VENV)/installed  ## compare the known vulnerabilities of the locked packages with SECURITY.md
	@$(PY) -m codealong audit

sbom: $(VENV)/installed  ## list the locked packages with their hashes in build/sbom.json, as CycloneDX
	@mkdir -p build
	@PYTHONWARNINGS=ignore $(UV) tool run --quiet --from cyclonedx-bom==7.5.0 cyclonedx-py requirements $(LOCK) \
		--pyproject pyproject.toml --output-reproducible -o build/sbom.json

clean:  ## remove everything derived: environment, data, runs, build
	rm -rf .venv data runs build .pytest_cache .ruff_cache
	find . -name __pycache__ -o -name .ipynb_checkpoints | xargs rm -rf

$(VENV)/installed: pyproject.toml $(LOCK)
	@command -v "$(PYTHON)" > /dev/null || { echo "There is no program $(or $(PYTHON),without a name): run" \
		"make PYTHON=python3.11 (or another Python from 3.$(OLDEST) to 3.$(NEWEST))" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; v = sys.version_info; sys.exit(0 if (3, $(OLDEST)) <= v[:2] <= (3, $(NEWEST)) else \
		"Python 3.$(OLDEST) to 3.$(NEWEST) is needed, and $(PYTHON) is %d.%d: run make PYTHON=python3.11 (or another of these)$(NEWER)" % v[:2])'
	@echo "Set-up, this once. 1 of 2: a Python environment in $(VENV)/ (less than a minute)"
	@"$(PYTHON)" -m venv --clear $(VENV)
	@sed -n '/^uv==/,/[^\\]$$/p' $(LOCK) | \
		$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r /dev/stdin || \
		{ echo "uv was not installed, for the reason above: when the network is right, run the same command again" >&2; exit 1; }
	@echo "2 of 2: PyTorch, $(IPEX:ipex=IPEX, )JupyterLab and what they need, up to 7 GB in $(VENV)/ (minutes, by your network)"
	@$(PY) -I src/codealong/install.py $(LOCK) $(IPEX)
	@touch $@

$(VENV)/teaching: $(VENV)/installed
	@echo "Set-up, this once: what presenting, slides, site and their tests need, some 280 MB in $(VENV)/"
	@$(PY) -I src/codealong/install.py $(LOCK) $(IPEX) teach
	@touch $@

build/peers/installed: $(VENV)/installed src/codealong/measure/peers/requirements.txt
	@echo "Set-up, this once: Keras on TensorFlow, JAX, ONNX Runtime and OpenVINO, in build/peers/ (minutes, by your network)"
	@$(UV) venv --quiet --clear build/peers
	@$(UV) pip install --quiet --python build/peers/bin/python -r src/codealong/measure/peers/requirements.txt
	@touch $@

data: $(VENV)/installed
	@$(PY) -m codealong data

$(COURSE): $(VENV)/installed $(CODE) $(NOTEBOOKS)
	@$(PY) -m codealong data
	@$(PY) -m codealong course
	@touch $@

.PHONY: help course student lab doctor test present slides handout site editions study campaign machine bench bench-peers \
	check test-latest lint record pictures lock audit sbom clean data
