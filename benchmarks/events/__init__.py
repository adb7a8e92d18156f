"""Events: from the commit that makes them to the clients that get them."""
