"""Neural networks on scalar Values: neurons, layers and their training, in code that reads like the blackboard."""

import autograd

if not hasattr(autograd, "Value"):
    raise ImportError(
        f"nn needs the package scalar-autograd, but `import autograd` found {autograd.__file__ or 'what is left of it'}; "
        "the PyPI package autograd cannot be installed beside it: run `pip uninstall autograd scalar-autograd`, "
        "then install scalar-autograd in a virtual environment of its own"
    )

from nn import init, schedules
from nn.attention import CausalSelfAttention
from nn.conv import AvgPool1d, AvgPool2d, Conv1d, Conv2d, MaxPool1d, MaxPool2d
from nn.drawing import Drawing, draw_network, explore_network
from nn.history import History
from nn.layers import MLP, Layer, Neuron
from nn.linear import Dropout, Embedding, Linear, Sequential, flatten
from nn.losses import bce_with_logits, cross_entropy, hinge_loss, huber_loss, l2_penalty, mae_loss, mse_loss
from nn.module import Module
from nn.norm import LayerNorm, RMSNorm
from nn.optim import SGD, Adam, AdamW, Optimizer, RMSprop, clip_grad_norm, clip_grad_value
from nn.plots import plot_boundary, plot_confusion, plot_histograms, plot_images, plot_loss, plot_metrics
from nn.recorder import Recorder
from nn.recurrent import GRU, LSTM, RNN, GRUCell, LSTMCell, Recurrent, RNNCell
from nn.saving import load, save
from nn.training import fit

__all__ = [
    "GRU", "LSTM", "MLP", "RNN", "SGD", "Adam", "AdamW", "AvgPool1d", "AvgPool2d", "CausalSelfAttention", "Conv1d", "Conv2d",
    "Drawing", "Dropout", "Embedding", "GRUCell", "History", "LSTMCell", "Layer", "LayerNorm", "Linear", "MaxPool1d",
    "MaxPool2d", "Module", "Neuron", "Optimizer", "RMSNorm", "RMSprop", "RNNCell", "Recorder", "Recurrent", "Sequential",
    "bce_with_logits", "clip_grad_norm", "clip_grad_value", "cross_entropy", "draw_network", "explore_network", "fit",
    "flatten", "hinge_loss", "huber_loss", "init", "l2_penalty", "load", "mae_loss", "mse_loss", "plot_boundary",
    "plot_confusion", "plot_histograms", "plot_images", "plot_loss", "plot_metrics", "save", "schedules",
]  # fmt: skip
