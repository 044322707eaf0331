"""One module for each type of resource."""
