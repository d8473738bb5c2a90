"""The same network in Keras on TensorFlow, in mixed bfloat16, its whole step compiled into a graph."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import protocol
import tensorflow as tf
from keras import layers

keras.mixed_precision.set_global_policy("mixed_bfloat16")
IMAGES, LABELS = protocol.images()


def prepare(batch):
    """Return a training step and a prediction, both on freshly drawn images."""
    net = keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10, dtype="float32"),
        ]
    )
    assert net.count_params() == 206_922
    optimizer = keras.optimizers.Adam(1e-3)
    optimizer.build(net.trainable_variables)
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def normalised(images):
        return (tf.cast(images, tf.float32) / 255 - 0.2857) / 0.3528

    @tf.function
    def step(images, labels):
        with tf.GradientTape() as tape:
            loss = loss_of(labels, net(normalised(images), training=True))
        optimizer.apply(tape.gradient(loss, net.trainable_variables), net.trainable_variables)
        return loss

    @tf.function
    def logits(images):
        return net(normalised(images), training=False)

    generator = np.random.default_rng(0)

    def draw():
        return generator.choice(len(LABELS), batch, replace=False, shuffle=False)

    def train():
        chosen = draw()
        return step(IMAGES[chosen], LABELS[chosen]).numpy()

    return train, lambda: logits(IMAGES[draw()]).numpy()


if __name__ == "__main__":
    protocol.serve(prepare, ("keras", "tensorflow-cpu", "numpy"))
