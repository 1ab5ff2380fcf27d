"""Compiled code of libraries, kept from process to process.

umap-learn and pynndescent compile most of their functions anew in every process: six seconds before the smallest tree,
twenty more beyond 16,384 items. Numba can keep the outcome beside their source, or in ``NUMBA_CACHE_DIR``.
"""

import functools
import sys
import warnings


@functools.cache
def keep_compiled(package: str) -> None:
    """Let numba keep what it compiles of a package that is imported; what it cannot keep is compiled as before."""
    from numba.core.dispatcher import Dispatcher
    from numba.core.errors import NumbaWarning

    warnings.filterwarnings("ignore", message="Cannot cache compiled function", category=NumbaWarning)
    modules = [module for name, module in list(sys.modules.items()) if name.partition(".")[0] == package]
    for function in (value for module in modules for value in list(vars(module).values())):
        if isinstance(function, Dispatcher):
            try:
                function.enable_caching()
            except RuntimeError:  # there is no folder to write to
                return
