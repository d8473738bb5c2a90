import json
import os
import subprocess
import sys

import pytest
import torch

from codealong import data, ipex

needs_ipex = pytest.mark.skipif(not ipex.status(bf16=True).usable, reason=ipex.status(bf16=True).reason)


@pytest.fixture(autouse=True)
def threads():
    """Give the threads back that a measurement took for itself."""
    before = torch.get_num_threads()
    yield
    if torch.get_num_threads() != before:
        torch.set_num_threads(before)


@pytest.fixture(scope="session")
def splits():
    """Fashion-MNIST, as `make test` has fetched it."""
    return data.load()


@pytest.fixture(scope="session")
def few(splits):
    """The first 600 images of each split: enough to see that something learns."""
    return data.FashionMNIST(*(data.Split(split.images[:600], split.labels[:600]) for split in splits))


def in_a_process(code, **environment):
    """Run code in a process of its own; return what it stores in `answer`, and its standard error."""
    code = f"import json, sys\n{code}\nsys.__stdout__.write('\\n' + json.dumps(answer))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), done.stderr
