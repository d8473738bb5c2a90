"""Two operators of our own, registered with PyTorch: pooling with ReLU, and the whole first block of the network.

Their arithmetic is in `operators.cpp`. Without a compiler, the layers here do the same with stock PyTorch.
"""

import ctypes
import functools
import math
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import register_flop_formula

from codealong import CourseError, data, native

SOURCE = Path(__file__).with_name("operators.cpp")

_NAMES = {torch.bfloat16: "bfloat16", torch.float32: "float32", torch.float64: "float64"}


class OperatorError(CourseError, ValueError):
    """An operator got a tensor that it cannot take; the message says which it takes."""


@functools.cache
def status():
    """Return why the operators cannot run here, or None where they can."""
    try:
        _library()
    except native.Uncompiled as problem:
        return str(problem)
    return None


@torch.library.custom_op("codealong::pool_relu", mutates_args=())
def pool_relu(x: Tensor) -> tuple[Tensor, Tensor]:
    """Take the maximum of each 2×2 window, and of 0.

    Parameters
    ----------
    x : torch.Tensor
        bfloat16, float32 or float64, shape (N, C, H, W), channels last.

    Returns
    -------
    y : torch.Tensor
        Of the same type, shape (N, C, H // 2, W // 2), channels last; what PyTorch computes, bit for bit
        but for the sign of a zero and the bits of NaN.
    which : torch.Tensor
        uint8, of the same shape: where in its window the maximum is, from 0 to 3; 4 where it is not above 0.

    Raises
    ------
    OperatorError
    """
    if x.dim() != 4 or x.dtype not in _NAMES or not x.is_contiguous(memory_format=torch.channels_last):
        raise OperatorError(
            "pool_relu takes bfloat16, float32 or float64 of shape (N, C, H, W), channels last, "
            f"and this is {_described(x)}: convert it with .to(memory_format=torch.channels_last)."
        )
    y, which = _pooled(x, x.dtype, x.shape[1])
    _call("pool_relu", x.dtype, (x, y, which), x.shape)
    return y, which


@pool_relu.register_fake
def _(x):
    return _pooled(x, x.dtype, x.shape[1])


@torch.library.custom_op("codealong::pool_relu_backward", mutates_args=())
def pool_relu_backward(gradient: Tensor, which: Tensor, height: int, width: int) -> Tensor:
    """Return the gradient of what `pool_relu` took, from that of its `y`."""
    gradient = gradient.contiguous(memory_format=torch.channels_last)
    result = _unpooled(gradient, height, width)
    _call("pool_relu_backward", gradient.dtype, (gradient, which, result), result.shape)
    return result


@pool_relu_backward.register_fake
def _(gradient, which, height, width):
    return _unpooled(gradient, height, width)


@torch.library.custom_op("codealong::first_block", mutates_args=())
def first_block(
    images: Tensor, levels: Tensor, weight: Tensor, bias: Tensor, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Normalise images, convolve them by 3×3 with a border of zeros, pool 2×2 windows and apply ReLU, all at once.

    Nothing of the size of the convolution is stored. Sums are float32, or float64 for float64 weights, and rounded
    once, at the end.

    Parameters
    ----------
    images : torch.Tensor
        uint8, shape (N, 1, H, W), contiguous.
    levels : torch.Tensor
        Shape (256,): the normalised value of each of the 256 bytes.
    weight, bias : torch.Tensor
        float32 or float64 like `levels`, shapes (C, 1, 3, 3) and (C,).
    dtype : torch.dtype
        Of `y`: that of the weights, or bfloat16 for float32 weights.

    Returns
    -------
    y, which : torch.Tensor
        As of `pool_relu`, shape (N, C, H // 2, W // 2).

    Raises
    ------
    OperatorError
    """
    if images.dtype != torch.uint8 or images.dim() != 4 or images.shape[1] != 1 or not images.is_contiguous():
        raise OperatorError(
            "first_block takes images in uint8 of shape (N, 1, H, W), contiguous, as data.load() returns them, "
            f"and these are {_described(images)}."
        )
    if (weight.dtype, dtype) not in _SUMS or {levels.dtype, bias.dtype} != {weight.dtype}:
        raise OperatorError(
            "first_block takes levels, weights and bias in float32 or float64, and returns the same type, or bfloat16 "
            f"for float32; these are {levels.dtype}, {weight.dtype} and {bias.dtype}, for {dtype}."
        )
    channels = len(bias)
    if weight.shape != (channels, 1, 3, 3) or levels.shape != (256,):
        raise OperatorError(
            "first_block takes 256 levels, weights of shape (C, 1, 3, 3) and a bias of shape (C,), "
            f"and these are {tuple(levels.shape)}, {tuple(weight.shape)} and {tuple(bias.shape)}."
        )
    y, which = _pooled(images, dtype, channels)
    taps = weight.reshape(channels, 9).t().contiguous()
    _call("first_block", dtype, (images, levels.contiguous(), taps, bias.contiguous(), y, which), y.shape, images.shape)
    return y, which


@first_block.register_fake
def _(images, levels, weight, bias, dtype):
    return _pooled(images, dtype, weight.shape[0])


@torch.library.custom_op("codealong::first_block_backward", mutates_args=())
def first_block_backward(gradient: Tensor, which: Tensor, images: Tensor, levels: Tensor) -> Tensor:
    """Return the gradients of what `first_block` took, shape (10, C): nine weights of each channel, then its bias."""
    gradient = gradient.contiguous(memory_format=torch.channels_last)
    result = levels.new_empty(10, gradient.shape[1])
    tensors = (gradient, which, images, levels.contiguous(), result)
    _call("first_block_backward", gradient.dtype, tensors, gradient.shape, images.shape)
    return result


@first_block_backward.register_fake
def _(gradient, which, images, levels):
    return levels.new_empty(10, gradient.shape[1])


def _keep_which(ctx, inputs, output):
    ctx.size = inputs[0].shape[2:]
    ctx.save_for_backward(output[1])


def _keep_images(ctx, inputs, output):
    images, levels, *_ = inputs
    ctx.save_for_backward(output[1], images, levels)


def _unpool(ctx, gradient, _):
    return pool_relu_backward(gradient, *ctx.saved_tensors, *ctx.size)


def _unblock(ctx, gradient, _):
    which, images, levels = ctx.saved_tensors
    sums = first_block_backward(gradient, which, images, levels)
    return None, None, sums[:9].t().reshape(-1, 1, 3, 3), sums[9], None


pool_relu.register_autograd(_unpool, setup_context=_keep_which)
first_block.register_autograd(_unblock, setup_context=_keep_images)


@register_flop_formula(torch.ops.codealong.first_block)
def _(images, levels, weight, bias, dtype, out_shape=None):
    """Count nine multiplications and additions for each channel of each pixel, as PyTorch counts those of its own."""
    count, _, height, width = images
    return 2 * 9 * count * weight[0] * height * width


@register_flop_formula(torch.ops.codealong.first_block_backward)
def _(gradient, which, images, levels, out_shape=None):
    """Count nine for each gradient: three of four pixels of a window get none."""
    return 2 * 9 * math.prod(gradient)


class PoolReLU(nn.Module):
    """Max-pooling of 2×2 windows, then ReLU, as one operator."""

    def __init__(self):
        super().__init__()
        self.compiled = status() is None

    def forward(self, x):
        if not self.compiled:
            return nn.functional.relu(nn.functional.max_pool2d(x, 2))
        return pool_relu(x.contiguous(memory_format=torch.channels_last))[0]


class FirstBlock(nn.Module):
    """A convolution of images in uint8, with their normalisation, max-pooling and ReLU, as one operator.

    Parameters
    ----------
    convolution : torch.nn.Conv2d
        3×3, padded by 1, of one channel; its weights are taken over, not copied.
    """

    def __init__(self, convolution):
        super().__init__()
        self.compiled = status() is None
        self.weight, self.bias = convolution.weight, convolution.bias
        self.register_buffer("levels", data.normalise(torch.arange(256)), persistent=False)

    def forward(self, images):
        if not self.compiled:
            convolved = nn.functional.conv2d(data.normalise(images), self.weight, self.bias, padding=1)
            return nn.functional.relu(nn.functional.max_pool2d(convolved, 2))
        dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else self.weight.dtype
        return first_block(images, self.levels, self.weight, self.bias, dtype)[0]


def fuse(net):
    """Replace both poolings of a `FashionCNN`, and what they can be one operator with; it takes uint8 images then.

    The names of its weights stay.

    Parameters
    ----------
    net : model.FashionCNN
        It is changed.

    Returns
    -------
    model.FashionCNN

    Raises
    ------
    OperatorError
        For another network.
    """
    layers = [type(layer).__name__ for layer in getattr(net, "features", ())]
    pooled = ["MaxPool2d", "ReLU"]
    if [layers[:1], sorted(layers[1:3]), layers[3:4], sorted(layers[4:])] != [["Conv2d"], pooled] * 2:
        raise OperatorError(
            f"fuse takes a FashionCNN, and the features of this network are {', '.join(layers) or 'none'}."
        )
    first, second = net.features[0], net.features[3]
    net.features = nn.Sequential(FirstBlock(first), nn.Identity(), nn.Identity(), second, PoolReLU())
    return net


_SUMS = {
    (torch.float32, torch.bfloat16),
    (torch.float32, torch.float32),
    (torch.float64, torch.float64),
}
"""Types of weights, and of what may be made with them."""


@functools.cache
def _library():
    return native.load(SOURCE.read_text())


def _pooled(x, dtype, channels):
    """Return memory for what pooling returns."""
    shape = (x.shape[0], channels, x.shape[2] // 2, x.shape[3] // 2)
    return tuple(
        torch.empty(shape, dtype=each, device=x.device, memory_format=torch.channels_last)
        for each in (dtype, torch.uint8)
    )


def _unpooled(gradient, height, width):
    """Return memory for the gradient of what was pooled."""
    shape = (*gradient.shape[:2], height, width)
    return torch.empty(shape, dtype=gradient.dtype, device=gradient.device, memory_format=torch.channels_last)


def _call(name, dtype, tensors, shape, images=None):
    """Call a function of `operators.cpp` with tensors, and with the sizes of what is not pooled yet."""
    count, channels, height, width = shape
    if images is not None:
        height, width = images[2:]
    sizes = map(ctypes.c_int64, (count, height, width, channels))
    function = getattr(_library(), f"{name}_{_NAMES[dtype]}")
    function(*(ctypes.c_void_p(each.data_ptr()) for each in tensors), *sizes, torch.get_num_threads())


def _described(x):
    return f"{str(x.dtype).removeprefix('torch.')} of shape {tuple(x.shape)} with strides {x.stride()}"
