"""The same network in Keras on TensorFlow, in mixed bfloat16, its whole step compiled into a graph, or by XLA.

Images lie in memory, and a step gathers its own. For training, pooling stands before ReLU: the same numbers, faster.
For prediction it stands behind, because TensorFlow then joins each convolution with its ReLU.
"""

import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import protocol
import tensorflow as tf
from keras import layers

keras.mixed_precision.set_global_policy("mixed_bfloat16")
IMAGES, LABELS = map(tf.constant, protocol.images())
COMPILED = {"jit_compile": "jit_compile" in sys.argv}


def network(pool_first):
    """Return the network; its layers stand in one order or the other."""
    blocks = []
    for filters in (16, 32):
        pooled = [layers.MaxPooling2D(2), layers.ReLU()]
        blocks += [layers.Conv2D(filters, 3, padding="same"), *(pooled if pool_first else reversed(pooled))]
    dense = [layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(10, dtype="float32")]
    net = keras.Sequential([layers.Input((28, 28, 1)), *blocks, *dense])
    assert net.count_params() == 206_922
    return net


def prepare(batch):
    """Return a training step and a prediction, both on freshly drawn images."""
    net, predicting = network(pool_first=True), network(pool_first=False)
    optimizer = keras.optimizers.Adam(1e-3)
    optimizer.build(net.trainable_variables)
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def gather(chosen):
        return (tf.cast(tf.gather(IMAGES, chosen), tf.float32) / 255 - 0.2857) / 0.3528

    @tf.function(**COMPILED)
    def step(chosen):
        with tf.GradientTape() as tape:
            loss = loss_of(tf.gather(LABELS, chosen), net(gather(chosen), training=True))
        optimizer.apply(tape.gradient(loss, net.trainable_variables), net.trainable_variables)
        return loss

    @tf.function(**COMPILED)
    def logits(chosen):
        return predicting(gather(chosen), training=False)

    generator = np.random.default_rng(0)

    def draw():
        return generator.choice(len(LABELS), batch, replace=False, shuffle=False)

    return lambda: step(draw()).numpy(), lambda: logits(draw()).numpy()


if __name__ == "__main__":
    protocol.serve(prepare, ("keras", "tensorflow-cpu", "numpy"))
