"""models/fashion: a small network of convolutions, batch norms, ReLUs and max pooling, trained on Fashion-MNIST (Debian's
dataset-fashion-mnist, Xiao et al. 2017). Takes a few minutes; prints the test accuracy."""
import gzip
import pathlib

import numpy as np
import torch
from torch import nn

DATA = pathlib.Path("/usr/share/datasets/fashion-mnist")
OUT = pathlib.Path(__file__).resolve().parents[2] / "models" / "fashion"
CLASSES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
EPOCHS, BATCH = 6, 128


def idx(name):
    raw = gzip.open(DATA / f"{name}.gz").read()
    rank = raw[3]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(np.frombuffer(raw, ">u4", rank, 4))


def images(part):
    x = torch.from_numpy(idx(f"{part}-images-idx3-ubyte").copy()).float()[:, None] / 255
    return x, torch.from_numpy(idx(f"{part}-labels-idx1-ubyte").astype(np.int64))


def block(n_in, n_out):
    return nn.Conv2d(n_in, n_out, 3, padding=1), nn.BatchNorm2d(n_out), nn.ReLU()


def network():
    return nn.Sequential(
        *block(1, 16), *block(16, 16), nn.MaxPool2d(2), *block(16, 32), *block(32, 32), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * 7 * 7, 96), nn.ReLU(), nn.Dropout(0.4), nn.Linear(96, 10))


def accuracy(net, x, y):
    net.eval()
    with torch.no_grad():
        right = sum((net(a).argmax(1) == b).sum().item() for a, b in zip(x.split(500), y.split(500)))
    return right / len(y)


def train(net, x, y):
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=0.02)
    steps = EPOCHS * -(-len(x) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, steps)
    for _ in range(EPOCHS):
        net.train()
        for rows in torch.randperm(len(x)).split(BATCH):
            batch = x[rows]
            flip = torch.rand(len(rows)) < 0.5
            batch[flip] = batch[flip].flip(3)
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(batch), y[rows]).backward()
            optimizer.step()
            schedule.step()


def export(net):
    OUT.mkdir(parents=True, exist_ok=True)
    net.eval()
    # PRESERVE: the exporter would fold the batch norms otherwise
    torch.onnx.export(net, torch.zeros(1, 1, 28, 28), OUT / "fashion.onnx", input_names=["image"], output_names=["logits"],
                      dynamic_axes={"image": {0: "n"}, "logits": {0: "n"}}, opset_version=17,
                      training=torch.onnx.TrainingMode.PRESERVE, dynamo=False)
    (OUT / "labels.txt").write_text("\n".join(CLASSES) + "\n")


def main():
    torch.manual_seed(0)
    net = network()
    train(net, *images("train"))
    export(net)
    print(f"test accuracy {accuracy(net, *images('t10k')):.4f}")


if __name__ == "__main__":
    main()
