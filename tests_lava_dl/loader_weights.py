"""What the loader's `optimize_weight_bits` makes of matrices: `python -I loader_weights.py FOLDER`, with lava-dl."""

import sys
import warnings
from pathlib import Path

import numpy as np
from lava.lib.dl.netx.utils import optimize_weight_bits


def main(folder):
    warnings.simplefilter("ignore")
    matrices = np.load(folder / "in.npy")
    weights, numbers = np.zeros_like(matrices), np.zeros((len(matrices), 3), int)
    for index, matrix in enumerate(matrices):
        try:
            weights[index], bits, exponent, _ = optimize_weight_bits(matrix.astype(int))
            numbers[index] = bits, exponent, 1
        except OverflowError:
            numbers[index] = 0, 0, 0
    np.save(folder / "weights.npy", weights)
    np.save(folder / "numbers.npy", numbers)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
