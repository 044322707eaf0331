"""The Django project. Imported before numpy is, wherever anything of it is used."""

import os

# Beside other processes the threads of BLAS mostly wait for each other, at full speed: on matrices
# of our size they cost two to three times the CPU and save no time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
