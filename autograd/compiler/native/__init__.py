"""The room of the native back end: instructions as C for speed, compiled, loaded and kept."""
