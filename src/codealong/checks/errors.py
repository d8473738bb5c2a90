"""What the errors of Python, numpy and PyTorch mean, where a learner meets them."""

import re

MODULES = ("torch", "nn", "np", "data", "training", "ipex", "student_t")

SHOULD_STAND_BEFORE = {
    "nn.functional": {"cross_entropy", "relu", "softmax", "log_softmax", "nll_loss", "one_hot"},
    "nn": {
        "functional",
        "Sequential",
        "Conv2d",
        "MaxPool2d",
        "Linear",
        "CrossEntropyLoss",
        "ReLU",
        "Flatten",
        "Softmax",
    },
    "data": {"normalise", "batches", "Split", "MEAN", "STD", "CLASSES"},
    "torch": {"autocast", "no_grad", "inference_mode", "bfloat16", "float32", "flatten", "argmax", "optim"},
    "torch.optim.lr_scheduler": {"OneCycleLR"},
    "np": {"array", "mean", "sqrt", "std", "count_nonzero", "logical_not", "logical_and"},
    "ipex": {"optimize"},
    "training": {"RECIPE"},
    "training.RECIPE": {"max_lr"},
    "self": {"features", "classifier"},
}

METHOD = (
    "A function or method without its brackets is not called: write `count()` and not `count`, `.float().mean()` and "
    "not `.float().mean`."
)
BYTES = "The images are still bytes: normalise them first, and the network gets the float32 numbers it learned from."
TRUTH = "`and`, `or`, `not` and `if` ask for one yes or no, and there are many. `&`, `|` and `~` work entry by entry."

MEANINGS = {
    r"(method|builtin_function_or_method)'": METHOD,
    r"'Tensor' object is not callable": (
        "Brackets after a tensor try to call it: leave them out. Or a tensor was given to optimizer.step(), which "
        "needs nothing."
    ),
    r"object is not callable": (
        "There are brackets after something that is a value, not a function. A multiplication needs its `*`."
    ),
    r"'type' object does not support the context manager": (
        "After `with`, a context needs its brackets: `torch.no_grad()`."
    ),
    r"shapes cannot be multiplied \(\d+x(\d+) and (\d+)x": (
        r"A dense layer that takes \2 numbers an image was given \1: something before it is missing, too much, or in "
        "another order."
    ),
    r"Dimension out of range|[Ee]xpected (3D|4D)|to have \d+ channels": (
        "A dimension is missing or in another place: print `.shape` before and after. The first one counts the images "
        "and stays; torch.flatten(x, 1) leaves it alone."
    ),
    r"flatten\(\): argument 'input'|'Sequential' object has no attribute|conv2d\(\) received": (
        "Layers are called with images, which are a tensor, and give new values: `self.features(images)`."
    ),
    r"'bool' object has no attribute": (
        "`==` gave a single False, because its sides are of different kinds. max(dim=1) gives values and places "
        "together; argmax(dim=1) gives the places, which are the classes."
    ),
    r"is not a Module subclass": (
        "`nn.Sequential` takes layers, with commas between them and no square brackets. A layer has round brackets, "
        "even empty ones: `nn.ReLU()`."
    ),
    r"FashionCNN' object has no attribute '(features|classifier)'": (
        r"Write `self.\1 = …` in `__init__`: a name without `self.` is gone when `__init__` ends."
    ),
    r"missing the required \"forward\"": "Its name has to be `forward`, exactly so, and indented below the class.",
    r"can't be cast to the desired output type": (
        "`/=`, `-=` and `*=` keep the type of what they change, and bytes hold whole numbers only. Write "
        "`images = images / 255`."
    ),
    r"\(unsigned char\)|found Byte|Got: Byte|and Byte$|input type Byte": BYTES,
    r"must be torch.dtype, not str": "A type is written without quotes, torch.bfloat16.",
    r"must have the same dtype|should be the same|expected scalar type|expected m1 and m2": (
        "Two tensors of different types met, such as float32 and bfloat16. Change both or neither; autocast does it by "
        "itself."
    ),
    r"does not require grad|'float' object has no attribute 'backward'": (
        "The loss has no way back to the weights. `detach`, `item` or `no_grad` came too early: they belong after "
        "loss.backward(), or where nothing is trained."
    ),
    r"backward through the graph a second time": (
        "loss.backward() was called twice on one loss. After the first call, what it needs is gone; one call is enough."
    ),
    r"grad can be implicitly created only for scalar": (
        "backward needs a loss that is one number: cross_entropy gives one, logits or a loss for each image are many."
    ),
    r"modified by an inplace operation|in-place operation": (
        "A tensor that is still needed to compute gradients was changed in place, by `+=` or by a method whose name "
        "ends in `_`. Write `x = x + …`, which makes a new one."
    ),
    r"Can't call numpy\(\) on Tensor that requires grad": "Gradients still hang on this tensor: .detach() comes first.",
    r"infer output dtype|Got: Bool|Input dtype must be": (
        "True and False have no mean in PyTorch: .float() turns them into 1 and 0 first."
    ),
    r"only integer tensors|cannot be converted to Scalar|only one element tensors": (
        "There are many numbers where one is needed: .mean() or .sum() makes one of them."
    ),
    r"truth value of an array|Boolean value of Tensor": TRUTH,
    r"numpy boolean (subtract|negative)": (
        "True and False cannot be subtracted: `first & ~second` is the one without the other."
    ),
    r"must match the size of tensor|could not be broadcast|not be compatible for broadcasting": (
        "Two tensors of different shapes are compared or combined: print `.shape` of both."
    ),
    r"for (&|\||-|\^): 'list'": "Lists have no `&`: `set(…)` makes a set of a list.",
    r"Expected floating point type for target|must be Tensor, not|spatial targets": (
        "A function of PyTorch was given something else than it takes: the logits come first, then the labels."
    ),
    r"'device_type'": 'Autocast is told the device first: torch.autocast("cpu", dtype=torch.bfloat16).',
    r"'Recipe' and": "training.RECIPE is the whole recipe: its learning rate is training.RECIPE.max_lr.",
    r"is not an Optimizer": "A scheduler is built on an optimizer, not on a network.",
    r"must define either total_steps": "How long the schedule is, is missing: total_steps=total_steps.",
    r"optimizer should be given for training": "IPEX prepares a network for training together with its optimizer: "
    "optimizer=optimizer.",
    r"missing 1 required positional argument: 'out_": (
        "A layer is told how much it takes, then how much it gives: `nn.Linear(128, 10)`."
    ),
    r"takes \d+ positional arguments? but|missing \d+ required|unexpected keyword": (
        "A call has too few, too many or other arguments: compare it with what it needs. The line with `def` stays as "
        "it was. In a class, the first argument is `self`."
    ),
    r"maximum recursion depth": (
        "The function calls itself, again and again. Inside it, use what the names of its arguments give you."
    ),
    r"cannot access local variable '(\w+)'": r"Store something in \1 before it is used.",
    r"division by zero": "Check what stands below the fraction line.",
}


def explained(error):
    """Return in words what an error means for an answer that stopped with it.

    Parameters
    ----------
    error : Exception

    Returns
    -------
    str
        The error itself, then what to look for.
    """
    if isinstance(error, NameError) and error.name and not isinstance(error, UnboundLocalError):
        return _unknown(error.name)
    message = str(error).strip().split("\n")[0]
    shown = message.rstrip(".:") + "." if len(message) <= 160 else f"{message[:159]} …"
    says = f"it stops with {type(error).__name__}: {shown}"
    for pattern, meaning in MEANINGS.items():
        if match := re.search(pattern, message):
            return f"{says} {match.expand(meaning)}"
    return says


def _unknown(name):
    if name in MODULES:
        return f"`{name}` is not imported: run the first code cell of the notebook again, or import it there."
    for owner, names in SHOULD_STAND_BEFORE.items():
        if name in names:
            return f"nothing is called `{name}` here: write `{owner}.{name}`."
    return (
        f"nothing is called `{name}` here. Store a value in it first, `{name} = …`, or look for a typing error in the "
        "name."
    )
