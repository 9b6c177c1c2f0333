"""What iNNvestigate 2.1.2 itself makes of the golden networks mlp and cnn (float32). First run with PyTorch:
    python make_innvestigate.py weights
then, in an environment with tensorflow 2.14 and innvestigate 2.1.2:
    python make_innvestigate.py"""
import pathlib
import sys

import numpy as np

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
WEIGHTS = pathlib.Path("/tmp/innvestigate_weights.npz")
# Rules of the first layer are left out: with tensorflow 2.14 the release does not recognise the input layer and applies none.
METHODS = {
    "gradient": ("gradient", {}),
    "input_t_gradient": ("input_t_gradient", {}),
    "guided_backprop": ("guided_backprop", {}),
    "deconvnet": ("deconvnet", {}),
    "integrated_gradients": ("{type: integrated_gradients, steps: 16", {"steps": 16}),
    "lrp.z": ("lrp.z", {}),
    "lrp.epsilon": ("{type: lrp.epsilon, epsilon: 0.01", {"epsilon": 0.01}),
    "lrp.w_square": ("lrp.w_square", {}),
    "lrp.flat": ("lrp.flat", {}),
    "lrp.z_plus": ("lrp.z_plus", {}),
    "lrp.z_plus_fast": ("lrp.z_plus_fast", {}),
    "lrp.alpha_1_beta_0": ("lrp.alpha_1_beta_0", {}),
    "lrp.alpha_1_beta_0_IB": ("lrp.alpha_1_beta_0_IB", {}),
    "lrp.alpha_2_beta_1": ("lrp.alpha_2_beta_1", {}),
    "lrp.alpha_2_beta_1_IB": ("lrp.alpha_2_beta_1_IB", {}),
    "lrp.sequential_preset_a": ("lrp.sequential_preset_a", {}),
    "lrp.sequential_preset_b": ("lrp.sequential_preset_b", {}),
    "deep_taylor": ("deep_taylor", {}),
}


def weights():
    from nets import build

    arrays = {}
    for name in ("mlp", "cnn"):
        net, x, _ = build(name)
        arrays[f"{name}.x"] = x.numpy()
        for k, p in enumerate(net.parameters()):
            arrays[f"{name}.{k}"] = p.detach().numpy()
    np.savez(WEIGHTS, **arrays)


def keras_model(name, w):
    from tensorflow import keras

    layers = keras.layers
    p = [w[f"{name}.{k}"] for k in range(6)]
    if name == "mlp":
        model = keras.Sequential([keras.Input((10,)), layers.Dense(12, "relu"), layers.Dense(8, "relu"), layers.Dense(5)])
        model.set_weights([p[0].T, p[1], p[2].T, p[3], p[4].T, p[5]])
        return model
    conv = lambda c: layers.Conv2D(c, 3, padding="same", activation="relu")
    model = keras.Sequential([keras.Input((8, 8, 3)), conv(6), layers.MaxPool2D(2), conv(8), layers.MaxPool2D(2), layers.Flatten(), layers.Dense(5)])
    dense = p[4].reshape(5, 8, 2, 2).transpose(2, 3, 1, 0).reshape(32, 5)
    model.set_weights([p[0].transpose(2, 3, 1, 0), p[1], p[2].transpose(2, 3, 1, 0), p[3], dense, p[5]])
    return model


def main():
    import innvestigate
    import tensorflow as tf

    tf.compat.v1.disable_eager_execution()
    w = np.load(WEIGHTS)
    cases = []
    for name in ("mlp", "cnn"):
        model = keras_model(name, w)
        x = w[f"{name}.x"]
        x = x if name == "mlp" else x.transpose(0, 2, 3, 1)
        for method, (yaml, kwargs) in METHODS.items():
            r = np.asarray(innvestigate.create_analyzer(method, model, **kwargs).analyze(x), np.float64)
            r = r if name == "mlp" else r.transpose(0, 3, 1, 2)
            file = f"expect/{name}.innvestigate.{method}.npy"
            np.save(OUT / file, np.ascontiguousarray(r))
            yaml = (yaml if yaml[0] == "{" else "{type: " + yaml) + ", dialect: innvestigate}"
            cases.append(f"{name}.innvestigate.{method} | nets/{name}.onnx | nets/{name}.x.npy | {yaml} | max | {file} | f64 | 2e-5")
    with open(OUT / "cases.txt", "a") as f:
        f.write("# iNNvestigate 2.1.2 computes in float32\n" + "\n".join(cases) + "\n")
    print(len(cases), "cases")


if __name__ == "__main__":
    weights() if sys.argv[1:] == ["weights"] else main()
