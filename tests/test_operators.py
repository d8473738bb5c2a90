"""Our own operators compute what PyTorch does: bit for bit where the arithmetic is the same, else no less exactly."""

import itertools
import subprocess

import numpy as np
import pytest
import torch
from torch import nn

from codealong import data, model, native, operators, training
from codealong.arms import ARMS

pytestmark = pytest.mark.skipif(native.compiler() is None, reason="there is no C++ compiler")

FLOATS = (torch.bfloat16, torch.float32, torch.float64)
LEVELS = data.normalise(torch.arange(256))


def stock_pool(x):
    return nn.functional.relu(nn.functional.max_pool2d(x, 2))


def stock_block(images, levels, weight, bias):
    return stock_pool(nn.functional.conv2d(levels[images.long()], weight, bias, padding=1))


def last(x):
    return x.contiguous(memory_format=torch.channels_last)


def same(one, other):
    return torch.equal(one.isnan(), other.isnan()) and torch.equal(one.nan_to_num(), other.nan_to_num())


def with_gradients(function, inputs, seed=0):
    """Return what a function makes of inputs, and the gradients of the inputs for a random one of the result."""
    result = function()
    gradient = torch.randn(result.shape, generator=torch.Generator().manual_seed(seed)).to(result.dtype)
    return result.detach(), *torch.autograd.grad(result, inputs, gradient)


def convolution(channels=16, seed=0, dtype=torch.float32):
    torch.manual_seed(seed)
    return nn.Conv2d(1, channels, 3, padding=1).to(dtype)


def error(ours, exact):
    """Return the root mean square error, relative to the root mean square of what is exact."""
    return ((ours.double() - exact).square().mean() / exact.square().mean()).sqrt().item()


@pytest.mark.parametrize("cases", [500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_random_cases_are_pooled_as_by_pytorch_bit_for_bit(cases):
    choose = np.random.default_rng(0)
    special = torch.tensor([0.0, -0.0, torch.inf, -torch.inf, torch.nan, 1.0, -1.0])
    for case in range(cases):
        torch.manual_seed(case)
        shape = [choose.integers(0, 3), *choose.integers(1, 40, 1), *choose.integers(2, 8, 2)]
        x = torch.randn([int(size) for size in shape])
        if case % 2:  # ties, zeros of both signs, infinities, NaN
            x = torch.where(torch.rand(x.shape) < 0.5, special[torch.randint(len(special), x.shape)], x)
        x = last(x.to(FLOATS[case % 3])).requires_grad_()
        ours = with_gradients(lambda x=x: operators.pool_relu(x)[0], [x], case)
        stock = with_gradients(lambda x=x: stock_pool(x), [x], case)
        assert all(map(same, ours, stock)), (case, x.shape, x.dtype)


@pytest.mark.parametrize("channels", [1, 5, 16, 24, 128])
@pytest.mark.parametrize(("height", "width"), [(28, 28), (7, 9), (2, 2), (3, 2)])
def test_the_first_block_is_at_least_as_exact_as_stock(splits, channels, height, width):
    images = splits.test.images[:40, :, :height, :width].contiguous()
    conv, exact = convolution(channels), convolution(channels).double()
    levels = LEVELS.double()
    best = with_gradients(lambda: stock_block(images, levels, exact.weight, exact.bias), [*exact.parameters()])
    inputs = (LEVELS, conv.weight, conv.bias)
    ours = with_gradients(lambda: operators.first_block(images, *inputs, torch.float32)[0], inputs[1:])
    stock = with_gradients(lambda: stock_block(images, *inputs), inputs[1:])
    for its, theirs, exactly in zip(ours, stock, best, strict=True):
        assert error(its, exactly) <= max(error(theirs, exactly), 1e-6)


def test_in_bfloat16_the_first_block_is_more_exact_than_stock(splits):
    images = splits.test.images[:200]
    conv, exact = convolution(), convolution().double()
    best = with_gradients(lambda: stock_block(images, LEVELS.double(), exact.weight, exact.bias), [*exact.parameters()])
    inputs = (LEVELS, conv.weight, conv.bias)
    ours = with_gradients(lambda: operators.first_block(images, *inputs, torch.bfloat16)[0], inputs[1:])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        stock = with_gradients(lambda: stock_block(images, *inputs), inputs[1:])
    assert ours[0].dtype == stock[0].dtype == torch.bfloat16
    for its, theirs, exactly in zip(ours, stock, best, strict=True):
        assert error(its, exactly) < error(theirs, exactly)


def test_rounding_to_bfloat16_is_to_the_nearest_and_to_even(splits):
    images, conv = splits.test.images[:100], convolution(32)
    inputs = (LEVELS, conv.weight, conv.bias)
    exactly, _ = operators.first_block(images, *inputs, torch.float32)
    rounded, _ = operators.first_block(images, *inputs, torch.bfloat16)
    assert torch.equal(rounded, exactly.bfloat16())


ALL_BITS_SET = torch.tensor(-1, dtype=torch.int32).view(torch.float32)
"""The NaN that rounding up would turn into a number."""


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf, ALL_BITS_SET])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_weights_that_are_not_finite_show_as_with_stock(few, value, dtype):
    conv = convolution()
    with torch.no_grad():
        conv.weight[3, 0, 1, 1] = value
        conv.bias[5] = value
    ours, _ = operators.first_block(few.test.images[:9], LEVELS, conv.weight, conv.bias, dtype)
    stock = stock_block(few.test.images[:9], LEVELS, conv.weight, conv.bias)
    assert torch.equal(ours.isnan(), stock.isnan()) and torch.equal(ours.isposinf(), stock.isposinf())


def test_gradients_are_those_of_finite_differences(few):
    distinct = last(torch.randperm(2 * 3 * 4 * 6).double().view(2, 3, 4, 6) - 60.5).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: operators.pool_relu(x)[0], [distinct], eps=1e-3)
    images, conv = few.test.images[:2, :, 4:14, 5:16].contiguous(), convolution(3, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda *inputs: operators.first_block(images, LEVELS.double(), *inputs, torch.float64)[0], [*conv.parameters()]
    )


@pytest.mark.parametrize("dtype", FLOATS)
def test_pytorch_finds_nothing_wrong_with_their_registration(few, dtype):
    x = last(torch.randn(2, 5, 7, 6).to(dtype))
    torch.library.opcheck(operators.pool_relu, [x.requires_grad_()])
    y, which = operators.pool_relu(x.detach())
    torch.library.opcheck(operators.pool_relu_backward, [torch.randn_like(y), which, 7, 6])
    conv = convolution(dtype=torch.float64 if dtype == torch.float64 else torch.float32)
    images, levels = few.test.images[:3], LEVELS.to(conv.weight.dtype)
    torch.library.opcheck(operators.first_block, [images, levels, conv.weight, conv.bias, dtype])
    y, which = operators.first_block(images, levels, conv.weight.detach(), conv.bias.detach(), dtype)
    torch.library.opcheck(operators.first_block_backward, [torch.randn_like(y), which, images, levels])


def test_no_images_are_no_trouble():
    conv = convolution()
    y, _ = operators.first_block(
        torch.zeros(0, 1, 28, 28, dtype=torch.uint8), LEVELS, conv.weight, conv.bias, torch.float32
    )
    y.sum().backward()
    assert y.shape == (0, 16, 14, 14) and not conv.weight.grad.any() and not conv.bias.grad.any()


@pytest.mark.parametrize(
    "x",
    [
        torch.zeros(2, 3, 4, 4),
        torch.zeros(3, 4, 4),
        last(torch.zeros(2, 3, 4, 4)).half(),
        last(torch.zeros(2, 3, 4, 4)).long(),
        last(torch.zeros(2, 3, 4, 8))[..., ::2],
    ],
)
def test_another_type_or_layout_is_refused_by_pooling(x):
    with pytest.raises(operators.OperatorError, match=r"takes bfloat16.*channels last, and this is .* of shape"):
        operators.pool_relu(x)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"images": torch.zeros(2, 1, 4, 4)}, "images in uint8"),
        ({"images": torch.zeros(2, 3, 4, 4, dtype=torch.uint8)}, "images in uint8"),
        ({"images": torch.zeros(2, 1, 4, 8, dtype=torch.uint8)[..., ::2]}, "contiguous"),
        ({"dtype": torch.float64}, "returns the same type, or bfloat16"),
        ({"levels": LEVELS.double()}, "float64, torch.float32"),
        ({"levels": LEVELS[:100]}, r"256 levels.*\(100,\)"),
        ({"weight": torch.zeros(16, 1, 5, 5)}, r"\(16, 1, 5, 5\)"),
    ],
)
def test_what_the_first_block_cannot_take_is_refused(changed, sentence):
    conv = convolution()
    images = torch.zeros(2, 1, 4, 4, dtype=torch.uint8)
    takes = {"images": images, "levels": LEVELS, "weight": conv.weight, "bias": conv.bias, "dtype": torch.float32}
    with pytest.raises(operators.OperatorError, match=sentence):
        operators.first_block(**takes | changed)


def test_the_same_threads_give_the_same_bits(splits):
    conv, images = convolution(), splits.test.images[:333]

    def gradients(threads):
        torch.set_num_threads(threads)
        y, _ = operators.first_block(images, LEVELS, conv.weight, conv.bias, torch.float32)
        return torch.autograd.grad(y.square().sum(), [*conv.parameters()])

    for threads in (1, 2, 5):
        assert all(map(torch.equal, gradients(threads), gradients(threads)))
        for its, one in zip(gradients(threads), gradients(1), strict=True):
            torch.testing.assert_close(its, one, rtol=1e-5, atol=1e-3)


def test_nothing_is_written_or_read_past_an_end(tmp_path):
    program = tmp_path / "bounds.cpp"
    calls = itertools.product((0, 1, 3), (2, 3, 5), (2, 7), (1, 8, 19), ("bfloat16", "float32", "float64"), (1, 3))
    program.write_text(
        f'#include "{operators.SOURCE}"\n'
        "template <class Scalar, class Out, class Bits, class Pool, class Unpool, class First, class Unfirst>\n"
        "void use(int n, int h, int w, int c, int threads, Pool pool, Unpool unpool, First first, Unfirst unfirst) {\n"
        "    const int whole = n * h * w, pooled = n * (h / 2) * (w / 2) * c;\n"
        "    std::vector<Bits> x(whole * c), y(pooled), back(whole * c);\n"
        "    std::vector<uint8_t> which(pooled), images(whole, 255);\n"
        "    pool(x.data(), y.data(), which.data(), n, h, w, c, threads);\n"
        "    unpool(y.data(), which.data(), back.data(), n, h, w, c, threads);\n"
        "    std::vector<Scalar> levels(256, 1), weight(9 * c, 1), bias(c, 1), result(10 * c);\n"
        "    std::vector<Out> out(pooled);\n"
        "    first(images.data(), levels.data(), weight.data(), bias.data(), out.data(), which.data(), n, h, w, c,\n"
        "          threads);\n"
        "    unfirst(out.data(), which.data(), images.data(), levels.data(), result.data(), n, h, w, c, threads);\n"
        "}\n"
        "int main() {\n"
        + "".join(
            f"    use<{SCALARS[name]}>({n}, {h}, {w}, {c}, {threads}, pool_relu_{name}, pool_relu_backward_{name}, "
            f"first_block_{name}, first_block_backward_{name});\n"
            for n, h, w, c, name, threads in calls
        )
        + "}\n"
    )
    flags = [flag for flag in native.FLAGS if flag not in ("-shared", "-O3")]
    checked = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    subprocess.run([native.compiler(), *flags, *checked, program, "-o", tmp_path / "bounds"], check=True, text=True)
    said = subprocess.run([tmp_path / "bounds"], capture_output=True, text=True)
    assert said.returncode == 0, said.stderr


SCALARS = {
    "bfloat16": "float, BFloat16, int16_t",
    "float32": "float, float, int32_t",
    "float64": "double, double, int64_t",
}


@pytest.mark.parametrize("width", [1, 2])
def test_a_fused_network_has_the_same_weights_and_almost_the_same_logits(few, width):
    plain = model.wide(width)
    fused = operators.fuse(model.wide(width))
    fused.load_state_dict(plain.state_dict())
    assert list(fused.state_dict()) == list(plain.state_dict())
    images = few.test.images[:50]
    torch.testing.assert_close(fused(images), plain(data.normalise(images)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("net", [model.DeepFashionCNN(), nn.Linear(3, 3)])
def test_another_network_is_not_fused(net):
    with pytest.raises(operators.OperatorError, match="takes a FashionCNN"):
        operators.fuse(net)


@pytest.mark.parametrize("arm", ["stock-fp32", pytest.param("stock-bf16", marks=pytest.mark.slow)])
def test_it_learns_as_without(few, arm):
    recipe = training.Recipe(epochs=1, batch_size=50, channels_last=True)
    own = training.Recipe(epochs=1, batch_size=50, channels_last=True, operators=True)
    losses = [training.fit(arm, 3, few.train, few.valid, how).history[0].valid_loss for how in (recipe, own)]
    assert losses[0] == pytest.approx(losses[1], rel=0.02)


def test_without_a_compiler_stock_pytorch_computes_the_same(few, monkeypatch):
    images = few.test.images[:20]
    with torch.no_grad():
        ours = operators.fuse(training.initial(0))(images)
        monkeypatch.setattr(operators, "status", lambda: "there is no C++ compiler")
        monkeypatch.setattr(operators, "_call", lambda *_: pytest.fail("our own operator was called"))
        stock = operators.fuse(training.initial(0))(images)
    torch.testing.assert_close(stock, ours, rtol=1e-4, atol=1e-5)


def test_torch_compile_and_the_profiler_see_them(few):
    arm, net, optimizer = training.start("stock-fp32", 0, training.Recipe(channels_last=True, operators=True))
    whole = torch.compile(net, backend="aot_eager", fullgraph=True)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiler:
        training.train_step(whole, optimizer, few.train.images[:10], few.train.labels[:10], arm)
    seen = {event.name for event in profiler.events()}
    names = ("pool_relu", "pool_relu_backward", "first_block", "first_block_backward")
    assert {f"codealong::{name}" for name in names} <= seen


def test_autocast_decides_what_the_first_block_returns(few):
    block = operators.FirstBlock(convolution())
    assert block(few.test.images[:2]).dtype == torch.float32
    with ARMS["stock-bf16"].autocast():
        assert block(few.test.images[:2]).dtype == torch.bfloat16
