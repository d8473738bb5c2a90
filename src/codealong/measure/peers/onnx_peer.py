"""The same network for prediction alone, from one ONNX graph: in ONNX Runtime (float32) or OpenVINO.

OpenVINO computes in bfloat16 where the processor has instructions for it.
"""

import sys

import numpy as np
import protocol
from onnx import TensorProto, helper, numpy_helper

IMAGES, _ = protocol.images()
SHAPES = {"conv1": (16, 1, 3, 3), "conv2": (32, 16, 3, 3), "dense1": (128, 1568), "dense2": (10, 128)}


def network(batch):
    """Return the ONNX graph, serialized: from uint8 images of shape (batch, 1, 28, 28) to logits, shape (batch, 10)."""
    generator = np.random.default_rng(0)
    constants = {"mean": np.float32(255 * 0.2857), "deviation": np.float32(255 * 0.3528)}
    for name, shape in SHAPES.items():
        scale = np.sqrt(2 / np.prod(shape[1:]))
        constants[f"{name}.weight"] = generator.normal(0, scale, shape).astype(np.float32)
        constants[f"{name}.bias"] = np.zeros(shape[0], np.float32)
    assert sum(array.size for name, array in constants.items() if "." in name) == 206_922
    nodes = [
        helper.make_node("Cast", ["images"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["float", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "deviation"], ["scaled"]),
    ]
    last = "scaled"
    for name in ("conv1", "conv2"):
        inputs = [last, f"{name}.weight", f"{name}.bias"]
        last = f"{name}.out"
        nodes += [
            helper.make_node("Conv", inputs, [f"{name}.sums"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", [f"{name}.sums"], [f"{name}.relu"]),
            helper.make_node("MaxPool", [f"{name}.relu"], [last], kernel_shape=[2, 2], strides=[2, 2]),
        ]
    nodes += [
        helper.make_node("Flatten", [last], ["flat"]),
        helper.make_node("Gemm", ["flat", "dense1.weight", "dense1.bias"], ["dense1.sums"], transB=1),
        helper.make_node("Relu", ["dense1.sums"], ["dense1.out"]),
        helper.make_node("Gemm", ["dense1.out", "dense2.weight", "dense2.bias"], ["logits"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "FashionCNN",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, [batch, 1, 28, 28])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [batch, 10])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()


def onnxruntime(graph):
    """Return a function from images to logits, run by ONNX Runtime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return lambda images: session.run(None, {"images": images})[0]


def openvino(graph):
    """Return a function from images to logits, run by OpenVINO, which is asked for throughput of one request."""
    import openvino

    compiled = openvino.compile_model(openvino.Core().read_model(graph), "CPU", {"PERFORMANCE_HINT": "LATENCY"})
    return lambda images: compiled([images])[0]


def prepare(batch, run):
    """Return no training step, and a prediction of freshly drawn images."""
    predict, generator = run(network(batch)), np.random.default_rng(0)
    images = IMAGES.reshape(-1, 1, 28, 28)

    def predict_some():
        return predict(images[generator.choice(len(images), batch, replace=False, shuffle=False)])

    return None, predict_some


if __name__ == "__main__":
    RUNS = {"onnxruntime": onnxruntime, "openvino": openvino}
    name = sys.argv[1]
    protocol.serve(lambda batch: prepare(batch, RUNS[name]), (name, "onnx", "numpy"))
