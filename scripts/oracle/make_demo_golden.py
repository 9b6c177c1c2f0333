"""The demo network's gradient on the photograph, by PyTorch in double precision from the weights in the ONNX file."""
import pathlib

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "tests" / "golden"


def photograph():
    image = Image.open(ROOT / "data" / "chelsea.png").convert("RGB")
    w, h = image.size
    image = image.resize((int(224 * w / h), 224), Image.BILINEAR)
    left = (image.size[0] - 224) // 2
    x = np.asarray(image.crop((left, 0, left + 224, 224)), np.float64)
    return ((x - 127) / 128).transpose(2, 0, 1)[None].astype(np.float32)


def run(model, x):
    """The graph's few operators, one by one."""
    v = {i.name: torch.from_numpy(numpy_helper.to_array(i).astype(np.float64)) for i in model.graph.initializer}
    v[model.graph.input[0].name] = x
    for n in model.graph.node:
        a = {k.name: onnx.helper.get_attribute_value(k) for k in n.attribute}
        i = [v[k] for k in n.input if k]
        if n.op_type == "Constant":
            y = torch.from_numpy(numpy_helper.to_array(a["value"]).astype(np.float64))
        elif n.op_type == "Conv":
            top, left, bottom, right = a["pads"]
            y = F.conv2d(F.pad(i[0], (left, right, top, bottom)), *i[1:], stride=a["strides"], dilation=a["dilations"], groups=a["group"])
        elif n.op_type == "Clip":
            y = torch.clamp(i[0], i[1].item(), i[2].item())
        elif n.op_type == "Add":
            y = i[0] + i[1]
        elif n.op_type == "GlobalAveragePool":
            y = i[0].mean((2, 3), keepdim=True)
        elif n.op_type == "Flatten":
            y = i[0].flatten(a.get("axis", 1))
        elif n.op_type == "Gemm":
            y = i[0] @ (i[1].T if a.get("transB") else i[1]) + i[2]
        else:
            raise ValueError(n.op_type)
        v[n.output[0]] = y
    return v[model.graph.output[0].name]


def main():
    x32 = photograph()
    model = onnx.load(str(ROOT / "models" / "efficientnet_lite0" / "efficientnet_lite0.onnx"))
    x = torch.from_numpy(x32.astype(np.float64)).requires_grad_()
    y = run(model, x)
    top = y.argmax().item()
    g = torch.autograd.grad(y[0, top], x)[0].numpy()
    np.save(OUT / "nets" / "demo.x.npy", x32)
    np.save(OUT / "expect" / "demo.predict.npy", y.detach().numpy())
    np.save(OUT / "expect" / "demo.gradient.npy", g.astype(np.float32))
    net = "../../models/efficientnet_lite0/efficientnet_lite0.onnx"
    lines = [f"demo.predict | {net} | nets/demo.x.npy | predict | max | expect/demo.predict.npy | f64 | 1e-9",
             f"demo.gradient | {net} | nets/demo.x.npy | gradient | max | expect/demo.gradient.npy | f64 | 1e-6"]
    with open(OUT / "cases.txt", "a") as f:
        f.write("\n".join(lines) + "\n")
    print(top, torch.softmax(y, 1)[0, top].item())


if __name__ == "__main__":
    main()
