"""keras.applications with random weights, through tf2onnx with a fixed and with a free batch, into a cache folder.

For every network: NET.x.npy, 16 inputs; NET.target, the class of each that is explained; NET.y.npy and NET.g.npy,
outputs and the gradient of those classes in double precision; NET.f.npy, the gradient in single precision;
NET.tf.onnx and NET.tf_dyn.onnx, the files.

    python scripts/zoo/keras_nets.py [--cache DIR] [--no-files] [NET...]

Needs tensorflow 2.14, tf2onnx 1.17 and numpy.
"""
import argparse
import gc
import os
import pathlib
import random
import threading
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from cache import DEFAULT_CACHE, SAMPLES, store  # noqa: E402

NETS = {  # name: (class in keras.applications, image size)
    "keras_vgg16": ("VGG16", 224),
    "keras_resnet50": ("ResNet50", 224),
    "keras_resnet50_v2": ("ResNet50V2", 224),
    "keras_inception_v3": ("InceptionV3", 299),
    "keras_inception_resnet_v2": ("InceptionResNetV2", 299),
    "keras_densenet121": ("DenseNet121", 224),
    "keras_nasnet_mobile": ("NASNetMobile", 224),
    "keras_nasnet_large": ("NASNetLarge", 331),
    "keras_mobilenet_v2": ("MobileNetV2", 224),
    "keras_efficientnet_b0": ("EfficientNetB0", 224),
    "keras_xception": ("Xception", 299),
}


def build(kind):
    return getattr(tf.keras.applications, kind)(weights=None, classifier_activation=None)


def noise(kind, n, size, rng):
    """As the network takes it: EfficientNet has its normalization inside and takes pixels."""
    x = rng.standard_normal((n, size, size, 3))
    return (127 + 60 * x if kind.startswith("EfficientNet") else x).astype(np.float32)


def randomize(net, kind, size, rng):
    """No trivial scales and shifts, and the running statistics are those of noise."""
    norms = [layer for layer in net.layers if isinstance(layer, tf.keras.layers.BatchNormalization)]
    for layer in net.layers:
        if layer in norms or not layer.weights:
            continue
        layer.set_weights([w + 0.1 * rng.standard_normal(w.shape) if w.ndim == 1 else w for w in layer.get_weights()])
    for layer in norms:
        layer.momentum = 0.0
        w = dict(zip((v.name.split("/")[-1].split(":")[0] for v in layer.weights), layer.get_weights()))
        if "gamma" in w:
            w["gamma"] = rng.uniform(0.7, 1.3, w["gamma"].shape)
        w["beta"] = 0.1 * rng.standard_normal(w["beta"].shape)
        layer.set_weights(list(w.values()))
    if norms:
        net(tf.constant(noise(kind, 4, size, rng)), training=True)
    for layer in norms:
        *affine, mean, var = layer.get_weights()
        layer.set_weights([*affine, mean + 0.1 * np.sqrt(var) * rng.standard_normal(mean.shape),
                           var * rng.uniform(0.8, 1.3, var.shape) + 1e-3])


def doubled(kind, net):
    tf.keras.backend.set_floatx("float64")
    twin = build(kind)
    twin.set_weights(net.get_weights())
    tf.keras.backend.set_floatx("float32")
    return twin


def explainer(net):
    """As `store` asks for it, in the network's precision."""
    def explain(x, target):
        x = tf.constant(x, net.weights[0].dtype)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = net(x, training=False)
            target = tf.argmax(y, 1) if target is None else tf.constant(target)
            total = tf.reduce_sum(tf.gather(y, target, batch_dims=1))
        return y.numpy(), tape.gradient(total, x).numpy(), target.numpy()
    return explain


def seed(n):
    if hasattr(tf.keras.utils, "set_random_seed"):  # from TensorFlow 2.7 on
        return tf.keras.utils.set_random_seed(n)
    random.seed(n)
    np.random.seed(n)
    tf.random.set_seed(n)


def collect():
    """tf2onnx copies the graph for every optimizer and leaves the copies in cycles: 18 GiB for VGG16, 12 so."""
    while True:
        time.sleep(2)
        gc.collect()


def export(net, name, size, cache):
    import tf2onnx
    threading.Thread(target=collect, daemon=True).start()
    for exporter, batch in (("tf", 1), ("tf_dyn", None)):
        signature = (tf.TensorSpec((batch, size, size, 3), tf.float32, name="x"),)
        tf2onnx.convert.from_keras(net, input_signature=signature, output_path=str(cache / f"{name}.{exporter}.onnx"))
        print(f"{name}.{exporter}: written", flush=True)


def make(name, kind, size, exporter, cache):
    rng = np.random.default_rng(sum(map(ord, name)))
    seed(sum(map(ord, name)))
    net = build(kind)
    randomize(net, kind, size, rng)
    store(cache, name, noise(kind, SAMPLES, size, rng), explainer(doubled(kind, net)), explainer(net))
    if exporter:
        exporter(net, name, size, cache)


def main(nets, exporter, doc):
    p = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--cache", type=pathlib.Path, default=DEFAULT_CACHE)
    p.add_argument("--no-files", action="store_true")
    p.add_argument("net", nargs="*", choices=[*nets, []])
    a = p.parse_args()
    a.cache.mkdir(parents=True, exist_ok=True)
    for name in a.net or nets:
        make(name, *nets[name], None if a.no_files else exporter, a.cache)


if __name__ == "__main__":
    main(NETS, export, __doc__)
