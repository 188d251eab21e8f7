"""The room of the explorer: a page that steps through one's own graph."""

from autograd.explorer.page import Page, explore

__all__ = ["Page", "explore"]
