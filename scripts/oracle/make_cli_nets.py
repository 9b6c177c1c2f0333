"""Writes tests/cli/nets: small networks whose inputs the command-line tests give by name or leave to decide sizes."""
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "cli" / "nets"


def save(name, nodes, inputs, stored=()):
    ports = [helper.make_tensor_value_info(n, kind, shape) for n, kind, shape in inputs]
    graph = helper.make_graph(nodes, "g", ports, [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["p", "q"])],
                              [numpy_helper.from_array(np.asarray(a), n) for n, a in stored])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made)
    onnx.save(made, OUT / f"{name}.onnx")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    # Integers say the shape, the two other inputs have axes of their own.
    save("named", [helper.make_node("Reshape", ["a", "shape"], ["r"]), helper.make_node("MatMul", ["r", "b"], ["y"])],
         [("a", TensorProto.FLOAT, ["n", 4]), ("b", TensorProto.FLOAT, ["k", "m"]), ("shape", TensorProto.INT64, [2])])
    # A plane of any size.
    save("free", [helper.make_node("Conv", ["x", "w"], ["c"]), helper.make_node("GlobalAveragePool", ["c"], ["p"]),
                  helper.make_node("Flatten", ["p"], ["y"])],
         [("x", TensorProto.FLOAT, ["n", 1, "h", "w"])], [("w", np.ones((3, 1, 2, 2), np.float32))])
    # Samples meet.
    save("mixes", [helper.make_node("Softmax", ["x"], ["y"], axis=0)], [("x", TensorProto.FLOAT, ["n", 3])])


if __name__ == "__main__":
    main()
