"""Events: what happened, who may know what of it, and how it reaches them."""
