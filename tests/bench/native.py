"""The library's public interface for Python programs that measure it."""
import ctypes as c
import json

import numpy as np


class Shape(c.Structure):
    _fields_ = [("rank", c.c_uint32), ("dim", c.c_uint32 * 8)]


class Tensor(c.Structure):
    _fields_ = [("shape", Shape), ("dtype", c.c_uint32), ("data", c.c_void_p)]


def tensor(a):
    """Borrows a float32 array."""
    t = Tensor(Shape(a.ndim, (c.c_uint32 * 8)(*a.shape)), 0, a.ctypes.data)
    t.keep = a
    return t


class Job:
    def __init__(self, library, backend):
        self.lib = lib = c.CDLL(library)
        for name in ("inn_job_new", "inn_error"):
            getattr(lib, name).restype = c.c_void_p if name == "inn_job_new" else c.c_char_p
        lib.inn_error.argtypes = [c.c_void_p, c.c_uint32]
        self.job = c.c_void_p(lib.inn_job_new())
        self.check(lib.inn_job_backend(self.job, json.dumps(backend).encode()))

    def check(self, status):
        if status:
            raise RuntimeError(self.lib.inn_error(self.job, 0).decode())

    def model(self, path):
        m = c.c_void_p()
        self.check(self.lib.inn_model_open(self.job, str(path).encode(), c.byref(m)))
        return m

    def analyzer(self, model, text):
        a = c.c_void_p()
        self.check(self.lib.inn_analyzer(self.job, model, text.encode(), c.byref(a)))
        return lambda x: self.run(self.lib.inn_analyze, a, x, (None,))

    def predict(self, model, x):
        return self.run(self.lib.inn_predict, model, x, ())

    def run(self, call, handle, x, more):
        x, r = tensor(np.ascontiguousarray(x, np.float32)), Tensor()
        self.check(call(handle, c.byref(x), c.c_uint32(1), *more, c.byref(r)))
        shape = tuple(r.shape.dim[:r.shape.rank])
        out = np.ctypeslib.as_array(c.cast(r.data, c.POINTER(c.c_float)), shape).copy()
        self.lib.inn_tensor_free(c.byref(r))
        return out
