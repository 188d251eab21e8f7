"""A scalar reverse-mode autograd engine: write it with scalars, see every node, check every derivative."""

from autograd.calculus import derivative, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from autograd.functions import FUNCTIONS
from autograd.value import Value, topological

globals().update(FUNCTIONS)
