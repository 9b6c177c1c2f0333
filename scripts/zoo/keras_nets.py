"""keras.applications with random weights, through tf2onnx with a fixed and with a free batch, into a cache folder.

For every network: NET.x.npy, an input of two samples; NET.target, the class of each that is explained; NET.y.npy and
NET.g.npy, outputs and the gradient of those classes in double precision; NET.tf.onnx and NET.tf_dyn.onnx, the files.

    python scripts/zoo/keras_nets.py [--cache DIR] [NET...]

Needs tensorflow 2.14, tf2onnx 1.17 and numpy.
"""
import argparse
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import tf2onnx  # noqa: E402

DEFAULT_CACHE = pathlib.Path.home() / ".cache" / "innvestigate" / "zoo"
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


def oracle(kind, net, x):
    """Outputs and the gradient of each sample's largest, in double precision."""
    tf.keras.backend.set_floatx("float64")
    twin = build(kind)
    twin.set_weights(net.get_weights())
    tf.keras.backend.set_floatx("float32")
    x = tf.constant(x, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = twin(x, training=False)
        target = tf.argmax(y, 1)
        total = tf.reduce_sum(tf.gather(y, target, batch_dims=1))
    return y.numpy(), tape.gradient(total, x).numpy(), target.numpy()


def make(name, cache):
    kind, size = NETS[name]
    rng = np.random.default_rng(sum(map(ord, name)))
    tf.keras.utils.set_random_seed(sum(map(ord, name)))
    net = build(kind)
    randomize(net, kind, size, rng)
    x = noise(kind, 2, size, rng)
    y, g, target = oracle(kind, net, x)
    np.save(cache / f"{name}.x.npy", x)
    np.save(cache / f"{name}.y.npy", y)
    np.save(cache / f"{name}.g.npy", g)
    (cache / f"{name}.target").write_text("\n".join(map(str, target)) + "\n")
    for exporter, batch in (("tf", 1), ("tf_dyn", None)):
        signature = (tf.TensorSpec((batch, size, size, 3), tf.float32, name="x"),)
        tf2onnx.convert.from_keras(net, input_signature=signature, output_path=str(cache / f"{name}.{exporter}.onnx"))
        print(f"{name}.{exporter}: written", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--cache", type=pathlib.Path, default=DEFAULT_CACHE)
    p.add_argument("net", nargs="*", choices=[*NETS, []])
    a = p.parse_args()
    a.cache.mkdir(parents=True, exist_ok=True)
    for name in a.net or NETS:
        make(name, a.cache)


if __name__ == "__main__":
    main()
