"""Netx files of others, as layers of values: what the loader takes, what it ignores or destroys, where it fails."""

import numpy as np
from support.netx_raw import CUBA, IMAGE, KERNEL, LOIHI, MATRIX, RF, SDNN, complex_dense, conv, dense

WIDE = np.arange(96).reshape(4, 24) * 2 - 90


def cuba(**keys):
    return dense(neuron=CUBA | keys)


READ_WITHOUT_A_WORD = {
    "dense": [dense()],
    "LOIHI and its legacy keys": [dense(neuron=LOIHI)],
    "weights in a row": [dense(weight=MATRIX.ravel())],
    "floats that are whole": [dense(weight=MATRIX.astype("f4"), bias=np.array([1, 2, 3, 4], "f4"))],
    "three axes": [dense(shape=[4, 1, 1])],
    "decays in arrays of one": [cuba(iDecay=[1024], vDecay=[128], vThMant=[5])],
    "one bias for all": [dense(bias=[3])],
    "a delay": [dense(delay=3)],
    "a delay for each output": [dense(delay=[3.0, 1.0, 9.0, 2.0])],
    "a delay for each input": [dense(delay=[3.0, 1.0, 2.0])],
    "a delay for each weight": [dense(delay=np.arange(12).reshape(4, 3))],
    "recurrence": [dense(type="dense_rec", weight_rec=2 * np.arange(16).reshape(4, 4) - 14)],
    "a convolution": [IMAGE, conv()],
    "one number for height and width": [IMAGE, conv(stride=1, padding=0, dilation=1)],
    "five axes": [IMAGE, conv(weight=KERNEL[..., None])],
    "a bias for each channel": [IMAGE, conv(bias=[30, -3])],
    "a bias for each neuron": [IMAGE, conv(bias=np.arange(24).reshape(4, 3, 2))],
    "flattening": [IMAGE, conv(), {"type": "flatten", "shape": [24, 1, 1]}, dense(weight=WIDE)],
    "sigma delta": [{"type": "input", "shape": [3], "neuron": SDNN}, dense(neuron=SDNN, bias=[1, 2, 3, 4])],
    "a sigma at the end": [
        {"type": "input", "shape": [3], "neuron": SDNN},
        dense(neuron=SDNN | {"sigma_output": True}),
    ],
    "RF": [complex_dense(neuron=RF | {"sinDecay": 900.25, "cosDecay": 3800.25})],
}


def without_neuron(layer):
    return {key: value for key, value in layer.items() if key != "neuron"}


REMARKS = {
    "layer 0, weight: 12 fractions cut off, the first 100.5 at [0, 0]": [dense(weight=MATRIX + 0.5)],
    "layer 0, bias: 1 fractions cut off, the first 1.5 at [0]": [dense(bias=[1.5, 2, 3, 4])],
    "layer 0, weight: 12 of 12 weights become others, 302 at [0, 0] becomes 0": [
        dense(weight=np.abs(MATRIX) % 9 + 301)
    ],
    "layer 0, weight: 1 of 12 weights become others, 508 at [3, 2] becomes 254": [
        dense(weight=MATRIX + (MATRIX > 250) * 254)
    ],
    "layer 0, weight: 12 of 12 weights become others, -2 at [0, 0] becomes 0": [dense(weight=MATRIX * 0 - 2)],
    "layer 0, weight: odd weights beyond 127": [dense(weight=MATRIX - 1)],
    "layer 1, weight: -500..550: Lava's simulator takes them": [IMAGE, conv(weight=KERNEL * 10)],
    "layer 0, delay: 99 steps: the loader takes 62": [dense(delay=[99, 1, 2, 3])],
    "layer 0, delay: fractions of steps are cut off": [dense(delay=2.7)],
    "layer 0, delay: with it the loader forgets the exponent of a recurrent layer: all weights count 16 times": [
        dense(type="dense_rec", shape=[3], weight=np.eye(3) * 10 - 1, weight_rec=np.eye(3) * 10, delay=2)
    ],
    "layer 1, delay: ignored by the loader": [IMAGE, conv(delay=[3, 4])],
    "layer 0, weight_rec: ignored by the loader": [dense(weight_rec=np.eye(4))],
    "layer 0, neuron/refDelay: 3 is ignored": [cuba(refDelay=3)],
    "layer 0, neuron/gradedSpike: 1 is ignored": [cuba(gradedSpike=True)],
    "layer 0, neuron/weight_exp: 2 is ignored": [cuba(weight_exp=2)],
    "layer 0, neuron/other: ignored by the loader": [cuba(other=2)],
    "layer 0, neuron/vDecay: several values: Lava's simulator takes them": [cuba(vDecay=[1, 2, 3, 4])],
    "layer 0, neuron: missing: the loader takes neurons without memory": [without_neuron(dense())],
    "layer 0, neuron/vThMant: 262143 is beyond the register's 131071": [cuba(vThMant=(1 << 18) - 1)],
    "layer 0, neuron/activation: 'tanh' is ignored": [dense(neuron=SDNN | {"activation": "tanh"})],
    "layer 0, neuron/type: 'ADRF_PHASE' is read as if it did not adapt": [
        complex_dense(neuron=RF | {"type": "ADRF_PHASE"})
    ],
    "layer 0, neuron/thDecay: ignored by the loader": [complex_dense(neuron=RF | {"thDecay": 4})],
    "layer 0, neuron/sinDecay: the loader computes the decays anew in floating point": [complex_dense()],
    "layer 0, bias: ignored: RF neurons get none": [complex_dense(bias=[1, 2, 3, 4])],
    "layer 0, delay: ignored: the loader reads complex weights alone": [complex_dense(delay=3)],
    "layer 0, weight and bias: x·36 + 34 is the caller's to compute": [
        {"type": "input", "shape": [3], "neuron": CUBA, "weight": [36.0], "bias": [34.0]},
        dense(),
    ],
    "layer 2: the loader's network takes the input flattened": [
        {"type": "input", "shape": [1, 1, 3]},
        {"type": "flatten"},
        dense(),
    ],
    "layer 1, type: 'odd' is not known to the loader": [dense(), {"type": "odd"}],
    "layer 1: nothing follows it": [dense(), {"type": "flatten"}],
}


FAILS = {
    "layer 0, weight: all weights are zero, on which lava-dl's loader fails": [dense(weight=MATRIX * 0)],
    "layer 0, weight: shape [4,3,1]; lava-dl's loader fails on it; expected [4, inputs]": [
        dense(weight=MATRIX[:, :, None])
    ],
    "layer 0, weight: shape [4,3]; lava-dl's loader fails on it; expected [5, inputs]": [dense(shape=[5])],
    "layer 0, shape: missing; lava-dl's loader fails on it": [{"type": "dense", "weight": MATRIX, "neuron": CUBA}],
    "layer 0, iDecay: numbers of type float64; lava-dl's loader fails on it": [cuba(iDecay=1024.0)],
    "layer 0, neuron/iDecay: shape [3] for neurons of shape [4]": [cuba(iDecay=[1, 2, 3])],
    "layer 0, neuron, voltage_decay: 5000..5000; expected 0..4096": [cuba(vDecay=5000)],
    "layer 0, neuron/messageBits: there; lava-dl's loader fails on it": [cuba(messageBits=8)],
    "layer 0, neuron/type: 'ALIF'; lava-dl's loader fails on it": [cuba(type="ALIF")],
    "layer 0, bias: shape [2]; lava-dl's loader fails on it; expected [4]": [dense(bias=[3, 4])],
    "layer 1, bias: shape [1]; lava-dl's loader fails on it; expected [2]": [IMAGE, conv(bias=[3])],
    "layer 0, delay: 1 values; lava-dl's loader fails on it": [dense(delay=[3])],
    "layer 0, delay: -1 steps; lava-dl's loader fails on it; expected 0 or more": [dense(delay=[-1, 0, 0, 0])],
    "layer 0, delay: shape [4,1]; lava-dl's loader fails on it; expected [4,3]": [dense(delay=np.ones((4, 1)))],
    "layer 0, delay: shape [4,3]; lava-dl's loader fails on it; expected a square weight matrix": [
        dense(type="dense_rec", weight_rec=np.eye(4), delay=2)
    ],
    "layer 0, weight_rec: missing; lava-dl's loader fails on it": [dense(type="dense_rec")],
    "layer 1, stride: shape [1]; lava-dl's loader fails on it": [IMAGE, conv(stride=[1])],
    "layer 1, groups: shape [1]; lava-dl's loader fails on it": [IMAGE, conv(groups=[1])],
    "layer 1, groups: 200, which Lava keeps in 8 bits": [IMAGE, conv(groups=200)],
    "layer 1, shape: [2,4,3]; lava-dl's loader fails on it; expected [2,3,4]": [IMAGE, conv(shape=[2, 4, 3])],
    "layer 1, neuron: missing; lava-dl's loader fails on it": [IMAGE, without_neuron(conv())],
    "layer 0: a convolution whose input has no known shape": [conv()],
    "layer 2, weight: 24 inputs, from a layer of shape [2,3,4]; lava-dl's loader fails on it; expected [2,3,4] with": [
        IMAGE, conv(), dense(weight=WIDE),
    ],
    "layer 2: it reads [4] flattened by layer 1; lava-dl's loader fails": [dense(), {"type": "flatten"}, dense()],
    "layer 1, type: an input after other layers": [dense(), {"type": "input", "shape": [4], "neuron": CUBA}],
    "layer 0, weight: 2 values; lava-dl's loader fails on it; expected one": [
        {"type": "input", "shape": [3], "neuron": CUBA, "weight": [3, 4]}, dense(),
    ],
    "layer 0, bias: a bias for a Sigma": [dense(neuron=SDNN | {"sigma_output": True}, bias=[1, 2, 3, 4])],
    "layer 0, neuron/type: 'RF_IZHIKEVICH' without complex weights; lava-dl's loader fails": [dense(neuron=RF)],
    "layer 0, weight/imag: complex weights for neurons that are not RF": [complex_dense(neuron=CUBA)],
    "layer 0, type: 'pool', which lava-dl's loader does not know": [{"type": "pool"}],
    "Read the layers before it alone, as the loader does with num_layers=1": [dense(), {"type": "average"}],
    "layer 0, type: 'odd'; lava-dl's loader fails on it": [{"type": "odd"}, dense()],
    "no layer with neurons": [IMAGE],
}  # fmt: skip


STRICTER = ("voltage_decay: 5000", "an input after other layers", "groups: 200")
"""Where the loader does not fail, but builds what no chip graph can be."""
