"""keras.applications of TensorFlow 2.2 through keras2onnx, as keras_nets.py does with tf2onnx: NET.k2o.onnx, free batch.

    python scripts/zoo/keras2onnx_nets.py [--cache DIR] [--no-files] [NET...]

Needs Python 3.7, tensorflow 2.2, keras2onnx 1.7, onnx 1.11, protobuf 3.20 and h5py 2.10.
"""
import functools

import keras2onnx
import onnx

from keras_nets import main, tf

NETS = {  # name: (class in keras.applications, image size)
    "keras22_vgg16": ("VGG16", 224),
    "keras22_resnet50": ("ResNet50", 224),
    "keras22_inception_v3": ("InceptionV3", 299),
    "keras22_inception_resnet_v2": ("InceptionResNetV2", 299),
    "keras22_densenet121": ("DenseNet121", 224),
    "keras22_nasnet_mobile": ("NASNetMobile", 224),
    "keras22_mobilenet_v2": ("MobileNetV2", 224),
    "keras22_xception": ("Xception", 299),
}


# TensorFlow 2.2 has no fused batch norm in double precision.
norm = tf.keras.layers.BatchNormalization
norm.__init__ = functools.partialmethod(norm.__init__, fused=False)


def export(net, name, size, cache):
    onnx.save_model(keras2onnx.convert_keras(net, net.name), str(cache / f"{name}.k2o.onnx"))
    print(f"{name}.k2o: written", flush=True)


if __name__ == "__main__":
    main(NETS, export, __doc__)
