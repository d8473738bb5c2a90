"""The arms: what each does to a network, an optimizer and a batch, and nothing else.

Their names can be had without torch, whose import takes seconds.
"""

from dataclasses import dataclass

from codealong import CourseError, ipex_guard


class ArmError(CourseError, ValueError):
    """There is no such arm."""


@dataclass(frozen=True)
class Arm:
    """One way to train the same network.

    Attributes
    ----------
    name : str
    precision : str
        ``float32`` or ``bfloat16``, of the forward and backward pass. Stock PyTorch keeps the weights in float32;
        IPEX splits them into bfloat16 and the 16 bits that are missing, which its optimizer updates too.
    channels_last : bool
        Whether images, and without IPEX the weights, are channels last in memory.
    uses_ipex : bool
    fused : bool
        Whether stock Adam's step is PyTorch's single kernel; IPEX always brings a fused one of its own.
    """

    name: str
    precision: str
    channels_last: bool
    uses_ipex: bool
    fused: bool = False

    @property
    def dtype(self):
        """The precision as a `torch.dtype`."""
        import torch

        return getattr(torch, self.precision)

    @property
    def memory_format(self):
        """The memory layout as a `torch.memory_format`."""
        import torch

        return torch.channels_last if self.channels_last else torch.contiguous_format

    def prepare(self, net, optimizer):
        """Return the network and the optimizer to train with.

        Parameters
        ----------
        net : torch.nn.Module
            Plain, in training mode.
        optimizer : torch.optim.Optimizer
            Its optimizer. Build a scheduler on the returned one, never on this.

        Returns
        -------
        net : torch.nn.Module
        optimizer : torch.optim.Optimizer

        Raises
        ------
        ipex.Unusable
            When the arm needs IPEX and IPEX cannot run here.
        ipex.Misuse
            When IPEX would go wrong, or has been imported by this process and the arm is a stock one.
        """
        if self.uses_ipex:
            return ipex_guard.optimize(net, optimizer, self.dtype)
        ipex_guard.refuse_if_imported()
        return net.to(memory_format=self.memory_format), optimizer

    def place(self, images):
        """Return a batch of images as this arm wants them in memory."""
        return images.to(memory_format=self.memory_format)

    def autocast(self):
        """Return the context in which this arm computes logits and loss."""
        import torch

        return torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.precision == "bfloat16")

    def weights(self, net):
        """Return a copy of the float32 weights, as a plain network can load them."""
        return ipex_guard.plain_weights(net)

    def status(self):
        """Tell whether this arm can run here, and why not."""
        return (
            ipex_guard.status(bf16=self.precision == "bfloat16")
            if self.uses_ipex
            else ipex_guard.Status(True, "stock PyTorch")
        )


ARMS = {
    arm.name: arm
    for arm in (
        Arm("stock-fp32", "float32", channels_last=False, uses_ipex=False),
        Arm("stock-fp32-matched", "float32", channels_last=True, uses_ipex=False, fused=True),
        Arm("stock-bf16", "bfloat16", channels_last=True, uses_ipex=False),
        Arm("ipex-fp32", "float32", channels_last=True, uses_ipex=True),
        Arm("ipex-bf16", "bfloat16", channels_last=True, uses_ipex=True),
    )
}
"""The arms by name, stock PyTorch first.

`stock-fp32-matched` is a control: it has the memory layout and the fused Adam that IPEX brings along.
"""


def get(name):
    """Return an arm by name.

    Raises
    ------
    ArmError
        For a name that is not in `ARMS`.
    """
    if name not in ARMS:
        raise ArmError(f"{name!r} is not an arm: choose one of {', '.join(ARMS)}.")
    return ARMS[name]
