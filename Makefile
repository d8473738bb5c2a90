.DEFAULT_GOAL := help
PYTHON ?= python3
PY := .venv/bin/python
UV := .venv/bin/python -m uv
TORCH := torch==2.8.0
CODE := $(shell find src -name '*.py' -o -name '*.j2' -o -name '*.css' -o -name '*.mplstyle' -o -path '*/published/*' -o -path '*/recorded/*' 2>/dev/null)
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
export CODEALONG_SPEED := $(SPEED)

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

course: build/course$(SPEED:%=-%)/done  ## set up, fetch the data, execute the notebooks into build/course/, compare the reports
	@$(PY) -m codealong compare
	@echo; echo "Pages and executed notebooks: $(<D)/ (remove that folder to execute them again)"

test: .venv/teaching data  ## set up, then unit tests, then the notebooks with their outputs compared
	$(PY) -m pytest

lab: .venv/installed data  ## set up, then open JupyterLab on the notebooks
	$(PY) -m jupyter lab notebooks/01_data.ipynb

student: editions  ## open the edition to type along, in JupyterLab; what you typed is never overwritten
	$(PY) -m jupyter lab build/student/01_data.ipynb

editions: .venv/installed  ## make the students' and the instructors' edition, in build/
	@$(PY) -m codealong editions

present: .venv/teaching editions data  ## open the instructors' edition as slides with live code; T opens the notes
	$(PY) -m jupyterlab_rise build/instructor/01_data.ipynb

slides: .venv/teaching  ## make pages of slides for lessons of 90 and 45 minutes, in build/slides/
	@$(PY) -m codealong slides

site: .venv/teaching  ## make the course as static pages, in build/site/
	@$(PY) -m codealong site

record: .venv/installed data  ## execute all notebooks in place, to refresh the stored outputs
	$(PY) -m codealong record

pictures: .venv/teaching data  ## draw images/ and write the results in README.md again
	$(PY) -m codealong pictures

doctor: .venv/installed  ## one page about this machine: what is needed, what is here
	@$(PY) -m codealong doctor

study: .venv/installed data  ## go on with the recorded study until it is whole, and print its verdicts
	@$(PY) -m codealong study
	@$(PY) -m codealong verdicts

bench: .venv/installed data  ## measure every way to train this network: the table, build/bench.json and .png
	@$(PY) -m codealong bench

bench-peers: .venv/installed data build/peers/installed  ## the same, with Keras and JAX between our rows
	@$(PY) -m codealong bench --peers build/peers/bin/python

lint: .venv/installed  ## check code and notebooks with ruff
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

lock: .venv/installed  ## resolve pyproject.toml into requirements.lock again
	$(UV) pip compile pyproject.toml --extra teach --universal --python-version 3.10 --no-annotate --upgrade \
		--custom-compile-command "make lock" $(CUDA:%=--no-emit-package %) --quiet -o requirements.lock

clean:  ## remove everything derived: environment, data, runs, build
	rm -rf .venv data runs build .pytest_cache .ruff_cache
	find . -name __pycache__ -o -name .ipynb_checkpoints | xargs rm -rf

# What only the CUDA build of torch needs; that build brings them itself, pinned.
CUDA := triton $(addprefix nvidia-,cublas-cu12 cuda-cupti-cu12 cuda-nvrtc-cu12 cuda-runtime-cu12 cudnn-cu12 \
	cufft-cu12 cufile-cu12 curand-cu12 cusolver-cu12 cusparse-cu12 cusparselt-cu12 nccl-cu12 nvjitlink-cu12 nvtx-cu12)

.venv/installed: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 10) <= v < (3, 14) else \
		"Python 3.10 to 3.13 is needed, and $(PYTHON) is %d.%d: run make PYTHON=python3.11 (or another of these)" % v[:2])'
	$(PYTHON) -m venv --clear .venv
	$(PY) -m pip install --quiet --disable-pip-version-check uv==0.13.9
	@UV_HTTP_RETRIES=0 UV_HTTP_TIMEOUT=10 $(UV) pip install --quiet --dry-run --no-deps --torch-backend=cpu $(TORCH) 2>/dev/null \
	&& $(UV) pip install --torch-backend=cpu -c requirements.lock --editable . \
	|| { echo "PyTorch's small CPU builds cannot be had: installing the package index's build (several GB on Linux)."; \
		$(UV) pip install -c requirements.lock --editable .; }
	@touch $@

.venv/teaching: .venv/installed
	$(UV) pip install -c requirements.lock --editable '.[teach]'
	@touch $@

build/peers/installed: .venv/installed src/codealong/measure/peers/requirements.txt
	$(UV) venv --quiet --clear build/peers
	$(UV) pip install --quiet --python build/peers/bin/python -r src/codealong/measure/peers/requirements.txt
	@touch $@

data: .venv/installed
	@$(PY) -m codealong data

build/course%done: .venv/installed $(CODE) $(NOTEBOOKS)
	@$(PY) -m codealong data
	@$(PY) -m codealong course
	@touch $@

.PHONY: help course test lab student editions present slides site record pictures doctor study bench bench-peers lint lock clean data
