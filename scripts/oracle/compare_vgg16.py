"""VGG16 of Keras with random weights: iNNvestigate 2.1.2, in double precision, against ours on the exported file.

    python compare_vgg16.py INNVESTIGATE [SIZE]

in the environment of make_keras_goldens.py. Prints the largest deviation relative to the largest of each map, and the
normalised mean square error."""
import os
import subprocess
import sys
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from tensorflow import keras  # noqa: E402

ANALYZERS = {
    "lrp.epsilon": {}, "lrp.z": {}, "lrp.w_square": {}, "lrp.flat": {}, "lrp.alpha_1_beta_0": {}, "lrp.alpha_2_beta_1": {}, "lrp.z_plus": {},
    "lrp.sequential_preset_a_flat": {}, "lrp.sequential_preset_b_flat": {}, "deep_taylor": {}, "guided_backprop": {},
}


def build(size):
    base = keras.applications.VGG16(include_top=False, weights=None, input_shape=(size, size, 3))
    h = keras.layers.Dense(512, "relu", name="fc1")(keras.layers.Flatten(name="flat")(base.output))
    return keras.Model(base.input, keras.layers.Dense(1000, name="fc2")(h))


def export(folder, size):
    import tf2onnx

    model, rng = build(size), np.random.default_rng(7)
    weights = [w if w.ndim > 1 else rng.normal(0, 0.05, w.shape).astype(np.float32) for w in model.get_weights()]
    model.set_weights([w * np.float32(1.4) if w.ndim > 1 else w for w in weights])
    tf2onnx.convert.from_keras(model, opset=13, output_path=f"{folder}/net.onnx")
    np.savez(f"{folder}/weights.npz", *model.get_weights())
    np.save(f"{folder}/x.npy", rng.normal(0, 1, (1, size, size, 3)).astype(np.float32))


def main(program, size):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, __file__, "export", folder, str(size)], check=True, stderr=subprocess.DEVNULL)
        tf.compat.v1.disable_eager_execution()
        keras.backend.set_floatx("float64")
        import innvestigate

        weights, x = np.load(f"{folder}/weights.npz"), np.load(f"{folder}/x.npy").astype(np.float64)
        for name, options in ANALYZERS.items():
            keras.backend.clear_session()
            model = build(size)
            model.set_weights([weights[f"arr_{k}"].astype(np.float64) for k in range(len(weights))])
            want = innvestigate.create_analyzer(name, model, disable_model_checks=True, **options).analyze(x)
            for backend in ("{type: reference, dtype: f64}", "cpu"):
                subprocess.run([program, "analyze", "-m", f"{folder}/net.onnx", "-i", f"{folder}/x.npy", "-a", f"{{type: {name}, dialect: innvestigate}}",
                                "-b", backend, "-o", f"{folder}/r.npy", "--quiet"], check=True)
                d = np.load(f"{folder}/r.npy") - want
                print(f"{name:30} {backend:30} {np.abs(d).max() / np.abs(want).max():.2g} {(d ** 2).sum() / (want ** 2).sum():.2g}", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "export":
        export(sys.argv[2], int(sys.argv[3]))
    else:
        main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 64)
