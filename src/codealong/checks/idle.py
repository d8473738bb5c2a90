"""Lines of an answer that have no effect: what its source shows when it is wrong."""

import ast
import inspect
import textwrap

CONTEXTS = {"no_grad", "inference_mode", "autocast"}
PURE = {
    "abs", "argmax", "cross_entropy", "detach", "div", "double", "float", "int", "item", "len", "log_softmax", "max",
    "mean", "min", "normalise", "round", "set", "softmax", "squeeze", "std", "sub", "sum",
    "classifier", "features", "net",
}  # fmt: skip
"""What returns something new and changes nothing, so that calling it on a line of its own is for nothing."""


def line(answer):
    """Say what is wrong with the first line of an answer that has no effect.

    Parameters
    ----------
    answer : callable
        A function, or a network with its `forward`.

    Returns
    -------
    str or None
        None where each line has an effect, or the source is not to be had.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(getattr(answer, "forward", answer))))
    except (OSError, TypeError, SyntaxError):
        return None
    lines = sorted((node for node in ast.walk(tree) if isinstance(node, ast.Expr)), key=lambda node: node.lineno)
    return next((reason for node in lines if (reason := _reason(node.value))), None)


def _reason(node):
    code = ast.unparse(node)
    if isinstance(node, ast.Attribute):
        return f"`{code}` without brackets only names a method and does not call it: `{code}()`."
    if isinstance(node, ast.Compare):
        return f"`{code}` on a line of its own only compares: one `=` stores."
    if not isinstance(node, ast.Call):
        return None
    name = getattr(node.func, "attr", getattr(node.func, "id", None))
    if name in CONTEXTS:
        return (
            f"`{code}` on a line of its own does nothing. Write `with {code}:`, and indent the lines for which it "
            "should hold."
        )
    if name in PURE:
        return (
            f"`{code}` on a line of its own changes nothing: it gives a new value, and that is thrown away. Store it "
            "under a name, or return it."
        )
    return None
