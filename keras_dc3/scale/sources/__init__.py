"""Where the images of a run come from, in an order that never changes."""
