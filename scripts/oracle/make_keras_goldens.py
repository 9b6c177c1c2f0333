"""Writes tests/golden/innvestigate: what the release 2.1.2 makes of small Keras networks with every kind of layer that it knows,
in double precision where its layers have it.

In an environment with tensorflow 2.14, innvestigate 2.1.2, onnx and tf2onnx 1.17, in two runs, since the release wants
eager execution off and the export wants it on:
    python make_keras_goldens.py export
    python make_keras_goldens.py           # some minutes; networks named on the command line are done anew, alone"""
import os
import pathlib
import shutil
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from tensorflow import keras  # noqa: E402

L = keras.layers
# Where average pooling or a sum follows, ReLUs are layers of their own: deep_taylor takes the derivative at those and passes relevance
# through fused ones, which a file cannot tell apart.
OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "innvestigate"
WEIGHTS = pathlib.Path("/tmp/keras_goldens.npz")
CASES = []


def dense(x):
    h = L.Dense(9, "relu", name="d1")(x)
    h = L.Activation("relu", name="d3")(L.Dense(7, name="d2")(h))
    return L.Dense(4, name="d4")(h)


def line(x):
    h = L.Conv1D(6, 3, padding="same", activation="relu", name="c1")(x)
    h = L.MaxPooling1D(2, name="c2")(h)
    h = L.Activation("relu", name="c7")(L.Conv1D(5, 3, strides=2, name="c3")(h))
    return L.Dense(4, name="c6")(L.Flatten(name="c5")(L.AveragePooling1D(2, name="c4")(h)))


def image(x):
    h = L.ZeroPadding2D(1, name="i0")(L.Conv2D(5, 3, strides=2, padding="same", activation="relu", name="i1")(x))
    h = L.Activation("relu", name="i8")(L.DepthwiseConv2D(3, name="i2")(h))
    h = L.AveragePooling2D(2, 1, name="i3")(h)
    h = L.Conv2D(6, 2, padding="same", dilation_rate=2, activation="relu", name="i4")(h)
    return L.Dense(4, name="i7")(L.Flatten(name="i6")(L.MaxPooling2D(2, name="i5")(h)))


def volume(x):
    h = L.Conv3D(4, 3, padding="same", activation="relu", name="v1")(x)
    h = L.Conv3D(5, 2, activation="relu", name="v3")(L.MaxPooling3D(2, name="v2")(h))
    return L.Dense(4, name="v5")(L.GlobalAveragePooling3D(name="v4")(h))


def merge(x):
    h = L.Activation("relu", name="m12")(L.Conv2D(5, 3, name="m1")(x))
    k = L.Activation("relu", name="m11")(L.Conv2D(5, 3, padding="same", name="m2")(h))
    s = L.Add(name="m4")([L.Conv2D(5, 1, name="m3")(k), h])
    c = L.Concatenate(name="m6")([L.Activation("relu", name="m5")(s), k])
    return L.Dense(4, name="m9")(L.Concatenate(name="m8")([L.GlobalAveragePooling2D(name="m7")(c), L.GlobalMaxPooling2D(name="m10")(c)]))


def upward(x):
    h = L.Conv2D(4, 3, strides=2, activation="relu", name="u1")(x)
    h = L.Activation("relu", name="u5")(L.Conv2DTranspose(5, 3, strides=2, padding="same", name="u2")(h))
    return L.Dense(4, name="u4")(L.GlobalAveragePooling2D(name="u3")(h))


def separable(x):
    h = L.SeparableConv2D(6, 3, activation="relu", name="s1")(x)
    h = L.SeparableConv2D(5, 3, depth_multiplier=2, padding="same", activation="relu", name="s2")(h)
    return L.Dense(4, name="s4")(L.Flatten(name="s3")(h))


def norm(x):
    h = L.Activation("relu", name="n3")(L.BatchNormalization(epsilon=2.0 ** -6, name="n2")(L.Conv2D(5, 3, name="n1")(x)))
    h = L.Activation("relu", name="n6")(L.BatchNormalization(epsilon=2.0 ** -6, name="n5")(L.Conv2D(4, 3, padding="same", name="n4")(h)))
    return L.Dense(4, name="n8")(L.Flatten(name="n7")(h))


def issue_273(x):
    return L.Dense(1, name="e1")(x)


NETS = {"dense": (dense, (10,)), "line": (line, (10, 3)), "image": (image, (9, 8, 3)), "volume": (volume, (5, 5, 4, 2)), "merge": (merge, (8, 7, 3)),
        "upward": (upward, (7, 7, 3)), "separable": (separable, (7, 6, 3)), "norm": (norm, (7, 6, 3)), "issue_273": (issue_273, (2,))}

SINGLE = ("norm", "volume")  # batch norm and pooling of volumes know single precision alone

# iNNvestigate's name and arguments, our analyzer in its dialect; K: the index of a layer with weights.
GRADIENTS = {
    "gradient": ("gradient", {}, "gradient"),
    "input_t_gradient": ("input_t_gradient", {}, "input_t_gradient"),
    "gradient_square": ("gradient", {"postprocess": "square"}, "{type: gradient, postprocess: square"),
    "baseline": ("gradient.baseline", {}, "gradient.baseline"),
    "deconvnet": ("deconvnet", {}, "deconvnet"),
    "guided_backprop": ("guided_backprop", {}, "guided_backprop"),
    "integrated_gradients": ("integrated_gradients", {"steps": 8}, "{type: integrated_gradients, steps: 8"),
}
Z_LIKE = {
    "z": ("lrp.z", {}, "lrp.z"),
    "epsilon": ("lrp.epsilon", {}, "lrp.epsilon"),
}
OWN_NORM = "{type: lrp.composite, norm_rule: lrp.batch_norm"  # where the release is given no rule for batch norms
NAMES = {
    "epsilon_0.1": ("lrp.epsilon", {"epsilon": 0.1}, "{type: lrp.epsilon, epsilon: 0.1"),
    "epsilon_nobias": ("lrp.epsilon", {"epsilon": 0.05, "bias": False}, "{type: lrp.epsilon, epsilon: 0.05, bias: false"),
    "w_square": ("lrp.w_square", {}, "lrp.w_square"),
    "flat": ("lrp.flat", {}, "lrp.flat"),
    "alpha_3": ("lrp.alpha_beta", {"alpha": 3}, "{type: lrp.alpha_beta, alpha: 3"),
    "beta_2_nobias": ("lrp.alpha_beta", {"beta": 2, "bias": False}, "{type: lrp.alpha_beta, beta: 2, bias: false"),
    "alpha_2_beta_1": ("lrp.alpha_2_beta_1", {}, "lrp.alpha_2_beta_1"),
    "alpha_2_beta_1_IB": ("lrp.alpha_2_beta_1_IB", {}, "lrp.alpha_2_beta_1_IB"),
    "alpha_1_beta_0": ("lrp.alpha_1_beta_0", {}, "lrp.alpha_1_beta_0"),
    "alpha_1_beta_0_IB": ("lrp.alpha_1_beta_0_IB", {}, "lrp.alpha_1_beta_0_IB"),
    "z_plus": ("lrp.z_plus", {}, "lrp.z_plus"),
    "z_plus_fast": ("lrp.z_plus_fast", {}, "lrp.z_plus_fast"),
    "preset_a": ("lrp.sequential_preset_a", {}, "lrp.sequential_preset_a"),
    "preset_b": ("lrp.sequential_preset_b", {"epsilon": 0.2}, "{type: lrp.sequential_preset_b, epsilon: 0.2"),
    "preset_a_flat": ("lrp.sequential_preset_a_flat", {}, "lrp.sequential_preset_a_flat"),
    "preset_b_flat": ("lrp.sequential_preset_b_flat", {}, "lrp.sequential_preset_b_flat"),
    "preset_b_flat_until": ("lrp.sequential_preset_b_flat_until_idx", {"until_layer_idx": "K"},
                            "{type: lrp.sequential_preset_b_flat_until_idx, until_layer_idx: K"),
    "deep_taylor": ("deep_taylor", {}, "deep_taylor"),
    "deep_taylor_bounded": ("deep_taylor.bounded", {"low": -3, "high": 3}, "{type: deep_taylor.bounded, low: -3, high: 3"),
    "rule_input": ("lrp", {"rule": "Epsilon", "input_layer_rule": "WSquare"}, OWN_NORM + ", rule: Epsilon, input_layer_rule: WSquare"),
    "rule_bounded": ("lrp", {"rule": "Alpha1Beta0", "input_layer_rule": (-3, 3)}, OWN_NORM + ", rule: Alpha1Beta0, input_layer_rule: [-3, 3]"),
    "rule_until": ("lrp", {"rule": "Epsilon", "input_layer_rule": "Flat", "until_layer_idx": "K", "until_layer_rule": "ZPlus"},
                   OWN_NORM + ", rule: Epsilon, input_layer_rule: Flat, until_layer_idx: K, until_layer_rule: ZPlus"),
    **{f"alpha_beta_{x}": ("lrp", {"rule": f"AlphaBeta{x}"}, f"{OWN_NORM}, rule: AlphaBeta{x}") for x in ("X1000", "X1010", "X1001", "X2m100")},
}
OWN = "{match: {kind: batch_normalization}, rule: lrp.batch_norm}"
AS_LAYER = "{{match: {{kind: batch_normalization}}, rule: {{type: lrp.batch_norm, rule: {}, fuse: {}}}}}"
NORMS = {
    "own": ("lrp", {"rule": "Epsilon"}, f"[{OWN}, {{match: {{trait: affine}}, rule: Epsilon}}"),
    "own_alpha": ("lrp", {"rule": "Alpha2Beta1"}, f"[{OWN}, {{match: {{trait: affine}}, rule: Alpha2Beta1}}"),
    **{f"{fuse}_{rule}": ("lrp", {"rule": "Epsilon", "bn_layer_rule": rule, "bn_layer_fuse_mode": fuse},
                          f"[{AS_LAYER.format(rule, fuse)}, {{match: {{trait: affine}}, rule: Epsilon}}")
       for fuse in ("one_linear", "two_linear") for rule in ("Z", "Epsilon", "Flat", "WSquare", "ZPlusFast", "Alpha2Beta1", "AlphaBetaX2m100", "AlphaBetaX1001")},
}


def build(name, weights=None):
    make, shape = NETS[name]
    x = keras.Input(shape, name=name + "_in")
    model = keras.Model(x, make(x))
    if weights is not None:
        model.set_weights([weights[f"{name}.{k}"].astype(keras.backend.floatx()) for k in range(len(model.get_weights()))])
    return model


def random_weights(name, model):
    rng = np.random.default_rng(list(NETS).index(name) + 40)
    out = []
    for v, old in zip(model.weights, model.get_weights()):
        fan = np.prod(old.shape[:2] if "depthwise" in v.name else old.shape[:-1])
        w = rng.standard_normal(old.shape) * ((1.5 / fan) ** 0.5 if old.ndim > 1 else 0.3)
        w = np.abs(w) + 0.5 if "variance" in v.name else w + 1 if "gamma" in v.name else w
        out.append(w.astype(np.float32))
    if name == "issue_273":
        out = [np.float32([[1], [-1]]), np.float32([-1])]
    model.set_weights(out)
    return out


def norm_file(model, path):
    """The exporter folds batch norm away: this file is written node by node."""
    import onnx
    from onnx import helper, numpy_helper

    w = {v.name.split(":")[0]: a for v, a in zip(model.weights, model.get_weights())}
    node, stored = helper.make_node, {}
    nodes = [node("Transpose", ["x"], ["t"], "to_nchw", perm=[0, 3, 1, 2])]
    last = "t"
    for conv, bn, act, pads in (("n1", "n2", "n3", [0] * 4), ("n4", "n5", "n6", [1] * 4)):
        stored |= {conv + ".w": w[conv + "/kernel"].transpose(3, 2, 0, 1), conv + ".b": w[conv + "/bias"]}
        stored |= {f"{bn}.{k}": w[f"{bn}/{k}"] for k in ("gamma", "beta", "moving_mean", "moving_variance")}
        nodes += [node("Conv", [last, conv + ".w", conv + ".b"], [conv], conv, pads=pads),
                  node("BatchNormalization", [conv] + [f"{bn}.{k}" for k in ("gamma", "beta", "moving_mean", "moving_variance")], [bn], bn, epsilon=2.0 ** -6),
                  node("Relu", [bn], [act], act)]
        last = act
    stored |= {"k": w["n8/kernel"], "b": w["n8/bias"], "shape": np.int64([-1, w["n8/kernel"].shape[0]])}
    nodes += [node("Transpose", [last], ["u"], "to_nhwc", perm=[0, 2, 3, 1]), node("Reshape", ["u", "shape"], ["f"], "n7"),
              node("MatMul", ["f", "k"], ["q"], "n8"), node("Add", ["q", "b"], ["y"], "n8_bias")]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, "norm", [value("x", 1, ["n", *model.input_shape[1:]])], [value("y", 1, ["n", 4])],
                              [numpy_helper.from_array(np.ascontiguousarray(v), k) for k, v in stored.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


def export():
    import tf2onnx

    for folder in ("nets", "expect"):
        shutil.rmtree(OUT / folder, ignore_errors=True)
        (OUT / folder).mkdir(parents=True)
    arrays = {}
    for name, (_, shape) in NETS.items():
        model = build(name)
        arrays |= {f"{name}.{k}": w for k, w in enumerate(random_weights(name, model))}
        if name == "norm":
            norm_file(model, str(OUT / "nets" / "norm.onnx"))
        else:
            tf2onnx.convert.from_keras(model, opset=13, output_path=str(OUT / "nets" / f"{name}.onnx"))
        x = np.random.default_rng(len(arrays)).standard_normal((2, *shape)).astype(np.float32)
        np.save(OUT / "nets" / f"{name}.x.npy", np.ones((1, 2), np.float32) if name == "issue_273" else x)
    np.savez(WEIGHTS, **arrays)


def kernel_index(model, k):
    """Layers with weights 0 ... k are the release's layers 0 ... this."""
    kernels = [i for i, layer in enumerate(model.layers) if any("kernel" in v.name for v in layer.weights)]
    return kernels[k]


def save(name, case, analyzer, array):
    passes, tolerance = (" [drop_identity, cancel_transposes, dense]", 1e-4) if name == "norm" else ("", 1e-4 if name in SINGLE else 1e-9)
    if (name, case) == ("separable", "epsilon"):
        tolerance = 1e-4  # one stabilizer for its two layers
    np.save(OUT / "expect" / f"{name}.{case}.npy", np.ascontiguousarray(array, np.float64))
    CASES.append(f"{name}.{case} | nets/{name}.onnx{passes} | nets/{name}.x.npy | {analyzer} | max | expect/{name}.{case}.npy | f64 | {tolerance}")


def cases(name, weights, table):
    import innvestigate
    from innvestigate.analyzer.relevance_based import relevance_rule as rules

    x = np.load(OUT / "nets" / f"{name}.x.npy").astype(np.float64)
    for case, (method, kwargs, ours) in table.items():
        keras.backend.clear_session()
        model = build(name, weights)  # anew: analyzers leave traces in a model's layers
        kwargs = {k: kernel_index(model, 1) if v == "K" else v for k, v in kwargs.items()}
        kwargs = {k: getattr(rules, v + "Rule") if isinstance(v, str) and v.startswith("AlphaBetaX") else v for k, v in kwargs.items()}
        r = innvestigate.create_analyzer(method, model, disable_model_checks=True, **kwargs).analyze(x)
        ours = ours.replace(": K", ": 1")
        if ours.startswith("["):
            rest = "{match: {trait: activation}, rule: lrp.pass}], default: gradient, dialect: innvestigate}"
            save(name, case, f"{{type: lrp, rules: {ours}, {rest}", r)
        else:
            save(name, case, (ours if ours[0] == "{" else "{type: " + ours) + ", dialect: innvestigate}", r)


def repair():
    """With tensorflow 2.14 the axis of a batch norm is a list, on which the release's own rule for it fails."""
    from innvestigate.analyzer.relevance_based.relevance_analyzer import BatchNormalizationReverseLayer as own

    start = own.__init__

    def init(self, layer, state):
        start(self, layer, state)
        self._axis = self._axis[0]
    own.__init__ = init


def network_cases(name, weights):
    if name == "issue_273":
        cases(name, weights, {k: NAMES[k] for k in ("alpha_1_beta_0", "alpha_2_beta_1")})
        save(name, "alpha_1_beta_0.published", "lrp.alpha_1_beta_0", [[-1, 0]])
        save(name, "alpha_2_beta_1.published", "lrp.alpha_2_beta_1", [[-2, 0.5]])
    elif name == "separable":  # the release changes the weights of both its parts at once: only rules that keep them are the same
        cases(name, weights, GRADIENTS | Z_LIKE)
    else:
        table = GRADIENTS | Z_LIKE | NAMES | (NORMS if name == "norm" else {})
        if name in ("norm", "merge"):  # batch norms fail there; at the path's first point, zeros, all of a global maximum tie
            del table["integrated_gradients"]
        cases(name, weights, table)


def main(names):
    tf.compat.v1.disable_eager_execution()
    repair()
    weights, file = np.load(WEIGHTS), OUT / "cases.txt"
    before = file.read_text().splitlines()[1:] if names else []
    for name in NETS:
        if names and name not in names:
            CASES.extend(line for line in before if line.startswith(name + "."))
        else:
            keras.backend.set_floatx("float32" if name in SINGLE else "float64")
            network_cases(name, weights)
    head = "# name | net and passes | input | analyzer | target | expected | dtype | tolerance relative to the largest expected value\n"
    file.write_text(head + "\n".join(CASES) + "\n")
    print(len(CASES), "cases")


if __name__ == "__main__":
    export() if sys.argv[1:] == ["export"] else main(sys.argv[1:])
