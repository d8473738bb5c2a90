"""oneDNN's output is read, the roofline counted, and instruction sets and parts of the tuned path compared."""

from typing import ClassVar

import pytest
import torch

from codealong import hardware, operators
from codealong.analysis.ablation import table
from codealong.measure import ablation, instruction_sets, onednn, roofline
from codealong.measure.worker import in_turns

LINE = (
    "onednn_verbose,v1,primitive,exec,cpu,convolution,{},forward_training,"
    "src:bf16::blocked:acdb::f0 dst:bf16::blocked:acdb::f0,attr-scratchpad:user,"
    "alg:convolution_direct,mb256_ic1oc16,1.25"
)


@pytest.mark.parametrize(
    ("kind", "problem", "operations"),
    [
        ("convolution", "mb128_ic16oc32_ih14oh14kh3sh1dh0ph1_iw14ow14kw3sw1dw0pw1", 2 * 128 * 32 * 14 * 14 * 16 * 9),
        ("convolution", "g2mb4_ic6oc8_ih5oh3kh3sh1dh0ph0_iw5ow3kw3sw1dw0pw0", 2 * 4 * 8 * 3 * 3 * 3 * 9),
        ("inner_product", "mb128ic1568oc10", 2 * 128 * 1568 * 10),
        ("inner_product", "mb2ic3ih4iw5oc7", 2 * 2 * 3 * 4 * 5 * 7),
        ("matmul", "128x1568:1568x10", 2 * 128 * 1568 * 10),
        ("matmul", "3x4x5:3x5x6", 2 * 3 * 4 * 5 * 6),
        ("reorder", "128x10", None),
    ],
)
def test_the_operations_of_a_kernel_are_worked_out_from_its_shapes(kind, problem, operations):
    assert onednn.Kernel(kind, "undef", "jit:avx2", problem, 1.0).operations == operations


def test_a_line_of_onednn_is_read():
    (kernel,) = onednn.parse(LINE.format("brg_conv_fwd:avx512_core_bf16"))
    assert kernel == ("convolution", "forward_training", "brg_conv_fwd:avx512_core_bf16", "mb256_ic1oc16", 1.25)


def test_a_timestamp_changes_nothing():
    line = LINE.format("jit:avx2")
    assert onednn.parse(line.replace(",v1,", ",v1,1700000000.5,")) == onednn.parse(line)


def test_what_is_no_execution_is_passed_over():
    other = "onednn_verbose,v1,info,cpu,isa:Intel AVX-512\nhello\n"
    other += "onednn_verbose,v1,primitive,create:cache_miss,cpu,x,y,,,,,,1"
    assert onednn.parse(other + "\n" + LINE.format("jit:avx2") + ",more") == []


def test_kernels_are_generated_in_the_first_call_of_a_shape():
    layer, images = torch.nn.Conv2d(3, 5, 3), torch.ones(7, 3, 11, 13)
    first, *others = [onednn.generated(lambda: layer(images)) for _ in range(3)]
    assert first > 0 and others == [0, 0]


@pytest.mark.parametrize(
    ("implementation", "level"),
    [
        ("brg_conv_fwd:avx10_1_512_amx", "AMX"),
        ("brg_conv_fwd:avx512_core_amx", "AMX"),
        ("jit_bf16:avx512_core_bf16", "AVX-512 bf16"),
        ("brg_conv_fwd:avx512_core", "AVX-512"),
        ("jit:avx2", "AVX2"),
        ("jit:uni", None),
    ],
)
def test_the_instruction_set_is_told_by_the_implementation(implementation, level):
    assert onednn.parse(LINE.format(implementation))[0].instruction_set == level


def test_listening_hears_the_kernels_and_gives_the_output_back(capfd):
    convolution = torch.nn.Conv2d(1, 16, 3, padding=1)
    kernels = onednn.listen(lambda: convolution(torch.randn(8, 1, 28, 28)))
    print("after", flush=True)
    assert "convolution" in [kernel.kind for kernel in kernels]
    assert capfd.readouterr().out == "after\n"


def test_operations_of_a_matrix_product_are_counted():
    left, right = torch.rand(3, 4), torch.rand(4, 5)
    operations, moved = roofline.count(lambda: left @ right)
    assert operations == 2 * 3 * 4 * 5
    assert moved == 4 * (3 * 4 + 4 * 5 + 3 * 5)


def test_views_move_nothing():
    tensor = torch.rand(6, 4)
    assert roofline.count(lambda: tensor.view(4, 6).t()) == (0, 0)


def test_the_nearer_limit_is_the_one_that_counts():
    peaks = {"fp32": 100, "bf16": 400, "bandwidth": 10}
    assert roofline.attainable(peaks, {"flops": 1e6, "bytes": 1e3}, "fp32") == 100_000
    assert roofline.attainable(peaks, {"flops": 1e6, "bytes": 1e6}, "fp32") == 10_000
    assert roofline.attainable(peaks, {"flops": 1e6, "bytes": 1e3}, "bf16") == 400_000


@pytest.mark.worker
def test_limits_are_measured():
    peaks = roofline.measure(threads=1, seconds=0.01)
    assert set(peaks) == {"fp32", "bf16", "bandwidth"} and min(peaks.values()) > 0.1


def test_the_newest_instruction_set_counts():
    kernels = [onednn.parse(LINE.format(name))[0] for name in ("jit:avx2", "brg:avx512_core", "jit:uni")]
    assert instruction_sets.newest(kernels) == "AVX-512"
    assert instruction_sets.newest(kernels[2:]) is None


def test_no_recorded_level_ran_on_newer_instructions_than_allowed():
    order = list(instruction_sets.LEVELS)
    for each in instruction_sets.read()["levels"]:
        assert each["ran_on"] is None or order.index(each["ran_on"]) <= order.index(each["level"])


class Machine:
    """Stands in for workers: each variation has a rate, and the machine slows down from ask to ask."""

    asked = 0
    started: ClassVar[list] = []

    def __init__(self, contestant, options=None, **environment):
        self.provenance, self.environment = {}, environment
        Machine.started.append((contestant, environment))
        self.rate = 50 if contestant == "stock-fp32 tuned" else 100 if options == {"operators": False} else 80

    def ask(self, do, **how):
        if do == "kernels":
            ran = {"convolution": "brg:avx512_core", "reorder": "jit:avx512_core_amx"}
            return [[kind, "", implementation, "", 1.0] for kind, implementation in ran.items()]
        Machine.asked += do == "rate"
        return self.rate / 2 ** (Machine.asked > 10)

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        pass


@pytest.fixture
def stand_in(monkeypatch):
    monkeypatch.setattr(ablation, "Worker", Machine)
    monkeypatch.setattr(instruction_sets, "Worker", Machine)
    monkeypatch.setattr(hardware, "wait_until_idle", lambda say: 3.0)
    monkeypatch.setattr(Machine, "asked", 0)
    monkeypatch.setattr(Machine, "started", [])
    return Machine


def test_an_ablation_is_recorded_and_divided_within_a_round(stand_in, monkeypatch, tmp_path):
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    said = []
    record = ablation.measure(tmp_path, rounds=6, say=said.append)
    assert ablation.read(tmp_path) == record
    assert len(record["rounds"]) == 6 and all(each["busy_percent"] == 3.0 for each in record["rounds"])
    assert len(stand_in.started) == 6 * len(record["images_per_second"])
    ratios = table(record).iloc[:, 0]
    assert ratios["changed", "float32"].startswith("0.50 ") and ratios["changed", "Adam not fused"].startswith("0.80 ")
    assert "jemalloc is not installed here: left out" in said and ("added", "jemalloc") not in ratios


def test_an_ablation_leaves_our_operators_out_where_they_are_not_compiled(stand_in, monkeypatch, tmp_path):
    monkeypatch.setattr(operators, "status", lambda: "there is no C++ compiler")
    said = []
    record = ablation.measure(tmp_path, rounds=1, say=said.append)
    assert "operators of our own" not in record["images_per_second"]
    assert "operators of our own cannot be compiled here: left out" in said


def test_an_ablation_is_sorted_by_what_it_prints_what_was_added_last(stand_in, tmp_path):
    rates = {name: [float(place)] * 6 for place, name in enumerate(["tuned", *ablation.LEFT_OUT, *ablation.ADDED], 1)}
    ratios = table({"batch": 1024, "images_per_second": rates}).iloc[:, 0]
    assert [name for _, name in ratios.index] == [*reversed(ablation.LEFT_OUT), *reversed(ablation.ADDED)]
    values = [float(said.partition(" ")[0]) for said in ratios["changed"]]
    assert values == sorted(values, reverse=True) and "tuned" not in ratios["changed"]


def test_instruction_sets_are_measured_in_fresh_processes_that_are_limited_to_them(stand_in, monkeypatch):
    processor = hardware.Processor("x", "y", ("AVX2", "AVX-NE-CONVERT", "AVX-512"))
    monkeypatch.setattr(hardware, "processor", lambda: processor)
    record = instruction_sets.measure(rounds=2, say=lambda text: None)
    both = [(contestant, level) for contestant in instruction_sets.CONTESTANTS for level in ("AVX2", "AVX-512")]
    assert [(each["contestant"], each["level"]) for each in record["levels"]] == both
    limited = [(name, how["ONEDNN_MAX_CPU_ISA"]) for name, how in stand_in.started]
    limits = [(name, instruction_sets.LEVELS[level]) for name, level in both]
    assert limited == [*limits, *limits[1:], *limits[:1]]
    assert all(len(each["images_per_second"]) == 2 and each["ran_on"] == "AVX-512" for each in record["levels"])
    assert len(record["rounds"]) == 2


def test_workers_are_asked_in_turns_and_each_round_begins_one_further():
    order = []

    class Asked:
        def __init__(self, name):
            self.name = name

        def ask(self, do, batch, threads, seconds):
            order.append(self.name)
            return len(order)

    rates = in_turns({name: (Asked(name), 64, 1) for name in "abc"}, rounds=2, seconds=0.1)
    assert order == ["a", "b", "c", "b", "c", "a"]
    assert rates == {"a": [1, 6], "b": [2, 4], "c": [3, 5]}


def test_the_recorded_ablation_is_whole():
    record = ablation.read()
    assert set(record["images_per_second"]) >= {"tuned", *ablation.LEFT_OUT, "torch.compile"}
    assert all(len(rates) == ablation.ROUNDS for rates in record["images_per_second"].values())
