"""Changes of an open HDF5 file, for tests of what readers say to them."""

from collections.abc import Callable
from typing import Any

import h5py


def put(key: str, **how: Any) -> Callable[[h5py.File], None]:
    """A dataset in place of what is there, with the arguments of h5py's `create_dataset`."""

    def change(file: h5py.File) -> None:
        if key in file:
            del file[key]
        file.create_dataset(key, **how)

    return change
