"""The room of kernels: the vectorised functions of C, checked and measured one by one."""
