"""The room of networks: neurons, layers and their training, over the public names of autograd."""
