"""Neural networks on scalar Values: neurons, layers and their training, in code that reads like the blackboard."""

from nn import init
from nn.layers import MLP, Layer, Neuron
from nn.losses import hinge_loss, l2_penalty, mse_loss
from nn.module import Module
from nn.optim import SGD
from nn.training import History, fit

__all__ = ["MLP", "SGD", "History", "Layer", "Module", "Neuron", "fit", "hinge_loss", "init", "l2_penalty", "mse_loss"]
