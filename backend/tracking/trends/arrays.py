"""The array types of this package.

Public functions take people x days (x signals). Inside, the days come first, so that one step of a
recursion over the days touches one contiguous row; the last row is the day being judged.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
