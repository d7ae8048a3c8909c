# Two commands do all the set-up: `make live` shows the live page, `make test` checks everything.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
FOLDERS := src device runtime train export calibration benchmarks
# Folders too: their times change when a file is deleted.
SOURCES := pyproject.toml constraints.txt README.md LICENSE $(shell find $(FOLDERS) -not -path '*__pycache__*')

# The package is installed, not editable: only there do the folders lie under hemonode/, where mypy and import-linter walk.
# `build/` would keep files that were deleted since.
INSTALL = rm -rf build && $(BIN)/python -m pip install --quiet --constraint constraints.txt

.PHONY: help live test test-gpu test-jetson lint format clean

help:
	@echo "make live    show masks and counts live on a simulated microscope (http://localhost:8080)"
	@echo "make test    run the linters and every test"
	@echo "make test-gpu  run the tests that need an NVIDIA GPU (installs TensorRT)"
	@echo "make test-jetson  run the runtime's tests with what JetPack 6 has: Python 3.10, NumPy 1, OpenCV 4.8"
	@echo "make lint    run the linters only: ruff, mypy, import-linter"
	@echo "make format  format the code"
	@echo "make clean   remove the environment and everything built"
	@echo "Another interpreter: make test PYTHON=python3.12 VENV=.venv312"

live: $(VENV)/.live
	$(BIN)/hemonode live

test: lint
	$(BIN)/python -m pytest

# An environment of its own: ONNX Runtime's builds for the CPU and for CUDA are one folder, so `make test` has the other.
# With more time for a test than the usual: many begin with a build of TensorRT's, which takes minutes.
test-gpu:
	@$(MAKE) --no-print-directory VENV=.venvgpu .venvgpu/.gpu
	.venvgpu/bin/python -m pytest -m gpu --timeout 1800 tests/runtime

# What JetPack 6 has, TensorRT and the GPU apart; its OpenCV is stood in for by the wheel of the same version.
# Asked for its name: pyenv puts a python3.10 on the path that only complains.
PYTHON310 ?= $(firstword $(shell python3.10 -c 'import sys; print(sys.executable)' 2>/dev/null) \
                         $(wildcard $(HOME)/.pyenv/versions/3.10*/bin/python))

test-jetson:
ifeq ($(PYTHON310),)
	@echo "SKIPPED: no Python 3.10 here; the runtime's tests were not run with what JetPack 6 has"
else
	@$(MAKE) --no-print-directory VENV=.venv310 PYTHON=$(PYTHON310) .venv310/.jetson
	.venv310/bin/python -m pytest tests/runtime tests/device
endif

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy -p hemonode
	$(BIN)/lint-imports --no-cache

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) .venv310 .venvgpu build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache

$(VENV)/.live: $(SOURCES) | $(BIN)/python
	@echo "Installing hemonode[cpu] into $(VENV) …"
	@$(INSTALL) '.[cpu]'
	@touch $@

$(VENV)/.dev: $(SOURCES) | $(BIN)/python
	@echo "Installing hemonode[dev] into $(VENV) …"
	@$(INSTALL) '.[dev]'
	@touch $@

$(VENV)/.gpu: $(SOURCES) | $(BIN)/python
	@echo "Installing hemonode[cuda,tensorrt] into $(VENV) …"
	@$(INSTALL) '.[cuda,tensorrt]' openvino httpx onnx pytest pytest-timeout
	@touch $@

$(VENV)/.jetson: $(SOURCES) | $(BIN)/python
	@echo "Installing hemonode[jetson6] into $(VENV) …"
	@$(INSTALL) '.[jetson6]' opencv-python-headless==4.8.0.76 openvino httpx onnx pytest pytest-timeout
	@touch $@

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || \
		{ echo "There is no $(PYTHON) here; name an interpreter: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' || \
		{ echo "hemonode needs Python 3.10 to 3.13, and $(PYTHON) is $$($(PYTHON) -V); name another: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
		{ echo "$(PYTHON) cannot make environments; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) -V) …"
	@$(PYTHON) -m venv $(VENV)
