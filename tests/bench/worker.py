"""One tool in a process of its own, told what to do by bench.py: lines of JSON come in, lines of JSON go out.

    {"load": NETWORK, "batch": N}  ->  {"methods": [...]}
    {"run": METHOD}                ->  {"ms": milliseconds of one call} or {"error": text}

`worker.py TOOL FOLDER --once NETWORK` computes one gradient map and ends."""
import argparse
import json
import os
import pathlib
import sys
import time

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("tool")
p.add_argument("folder", type=pathlib.Path)
p.add_argument("--threads", type=int, default=os.cpu_count())
p.add_argument("--clock", choices=["wall", "cpu"], default="wall")
p.add_argument("--library", default="build/libinnvestigate.so")
p.add_argument("--once")
o = p.parse_args()
os.environ["OMP_NUM_THREADS"] = str(o.threads)  # read when the libraries are loaded
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np

STEPS = 50
SHORT = 100  # ms
OURS = {"gradient": "gradient", "guided_backprop": "guided_backprop", "lrp.epsilon": "lrp.epsilon", "lrp.z_plus": "lrp.epsilon_plus",
        "lrp.alpha2_beta1": "lrp.alpha_2_beta_1", "smoothgrad": f"{{type: smoothgrad, augment_by_n: {STEPS}}}",
        "integrated_gradients": f"{{type: integrated_gradients, steps: {STEPS}}}"}


def innvestigate(name, x):
    """Ours, through the library's public interface."""
    from native import Job
    job = Job(o.library, "cpu")
    model = job.model(o.folder / f"{name}.onnx")
    made = {}

    def analyze(method):
        if method not in made:
            made[method] = job.analyzer(model, OURS[method])
        return made[method](x)
    return {"forward": lambda: job.predict(model, x)} | {m: lambda m=m: analyze(m) for m in OURS}


def onnxruntime(name, x):
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.intra_op_num_threads = o.threads
    session = ort.InferenceSession(o.folder / f"{name}.onnx", options, providers=["CPUExecutionProvider"])
    return {"forward": lambda: session.run(None, {"x": x})}


def zennit_composites(name):
    from zennit.canonizers import SequentialMergeBatchNorm
    from zennit.composites import EpsilonPlus, LayerMapComposite, layer_map_base
    from zennit.rules import AlphaBeta, Epsilon
    from zennit.torchvision import ResNetCanonizer, VGGCanonizer
    from zennit.types import Convolution, Linear
    canonizers = [{"vgg16": VGGCanonizer, "resnet50": ResNetCanonizer}.get(name, SequentialMergeBatchNorm)()]

    def everywhere(rule):
        return LayerMapComposite(layer_map_base() + [(Convolution, rule), (Linear, rule)], canonizers=canonizers)
    return {"lrp.epsilon": everywhere(Epsilon()), "lrp.z_plus": EpsilonPlus(canonizers=canonizers), "lrp.alpha2_beta1": everywhere(AlphaBeta(2, 1))}


def pytorch(name, x):
    """PyTorch, with zennit for LRP and Captum for the rest."""
    import torch
    from networks import in_place
    torch.set_num_threads(o.threads)
    net = torch.load(o.folder / f"{name}.pt", weights_only=False)
    batch = torch.from_numpy(x)
    rows = torch.arange(len(x))

    def forward():
        with torch.inference_mode():
            return net(batch)

    def best(y):
        return torch.nn.functional.one_hot(y.argmax(1), y.shape[1]).to(y.dtype)

    def gradient():
        v = batch.clone().requires_grad_()
        y = net(v)
        return torch.autograd.grad(y[rows, y.argmax(1)].sum(), v)

    def hooked(call, *args):
        in_place(net, False)
        call(*args)
        in_place(net, True)

    def zennit(method):
        from zennit.attribution import Gradient
        with Gradient(model=net, composite=zennit_composites(name)[method]) as attributor:
            return attributor(batch.clone(), best)

    def captum(make, **more):
        return make(net).attribute(batch.clone().requires_grad_(), target=net(batch).argmax(1), **more)

    def with_captum(method):
        from captum import attr
        if method == "guided_backprop":
            return captum(attr.GuidedBackprop)
        if method == "smoothgrad":
            return captum(lambda n: attr.NoiseTunnel(attr.Saliency(n)), nt_type="smoothgrad", nt_samples=STEPS, stdevs=0.2, abs=False)
        return captum(attr.IntegratedGradients, n_steps=STEPS)
    return {"forward": forward, "gradient": gradient} | {m: lambda m=m: hooked(zennit, m) for m in ("lrp.epsilon", "lrp.z_plus", "lrp.alpha2_beta1")} | \
        {m: lambda m=m: hooked(with_captum, m) for m in ("guided_backprop", "smoothgrad", "integrated_gradients")}


def keras_network(name, size):
    from tensorflow.keras import applications
    make = {"vgg16": applications.VGG16, "resnet50": applications.ResNet50, "inception_v3": applications.InceptionV3,
            "densenet121": applications.DenseNet121}
    if name not in make:
        raise ValueError(f"Keras has no {name}")
    return make[name](weights=None, classifier_activation=None, input_shape=(size, size, 3))


def tensorflow(name, x):
    """TensorFlow with the iNNvestigate that was released, on Keras' network of that name."""
    import tensorflow as tf
    tf.config.threading.set_intra_op_parallelism_threads(o.threads)
    tf.compat.v1.disable_eager_execution()
    import innvestigate as released
    tf.keras.backend.clear_session()
    path = o.folder / f"{name}.h5"
    if path.exists():
        net = tf.keras.models.load_model(path, compile=False)
    else:
        net = keras_network(name, x.shape[-1])
        net.save(path)
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    forward, made = tf.keras.backend.function(net.inputs, net.outputs), {}
    names = {"guided_backprop": ("guided_backprop", {}), "lrp.epsilon": ("lrp.epsilon", {}),
             "lrp.z_plus": ("lrp.sequential_preset_a", {}), "lrp.alpha2_beta1": ("lrp.alpha_2_beta_1", {}),
             "smoothgrad": ("smoothgrad", {"augment_by_n": STEPS}), "integrated_gradients": ("integrated_gradients", {"steps": STEPS})}

    def analyze(method):
        if method not in made:
            kind, more = names[method]
            made[method] = released.create_analyzer(kind, net, disable_model_checks=True, **more)
        return made[method].analyze(last)
    best = tf.reduce_sum(tf.reduce_max(net.outputs[0], 1))
    gradient = tf.keras.backend.function(net.inputs, tf.keras.backend.gradients(best, net.inputs))
    return {"forward": lambda: forward([last]), "gradient": lambda: gradient([last])} | {m: lambda m=m: analyze(m) for m in names}


TOOLS = {"innvestigate": innvestigate, "pytorch": pytorch, "onnxruntime": onnxruntime, "tensorflow": tensorflow}


def run(call):
    """Of short calls the second: the caches hold what another tool left there when the first begins."""
    clock = time.process_time if o.clock == "cpu" else time.perf_counter
    for _ in range(2):
        start = clock()
        call()
        ms = 1000 * (clock() - start)
        if ms > SHORT:
            break
    return {"ms": ms}


def serve(out):
    methods = {}
    for line in sys.stdin:
        order = json.loads(line)
        try:
            if "load" in order:
                methods = {}
                methods = TOOLS[o.tool](order["load"], np.load(o.folder / f"{order['load']}.npy")[:order["batch"]])
                answer = {"methods": list(methods)}
            else:
                answer = run(methods[order["run"]])
        except Exception as e:
            answer = {"error": f"{type(e).__name__}: {e}".splitlines()[0][:200]}
        print(json.dumps(answer), file=out, flush=True)


def main():
    if o.once:
        TOOLS[o.tool](o.once, np.load(o.folder / f"{o.once}.npy")[:1])["gradient"]()
        return
    out = os.fdopen(os.dup(1), "w")  # what libraries print goes elsewhere
    os.dup2(2, 1)
    serve(out)


if __name__ == "__main__":
    main()
