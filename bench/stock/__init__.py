"""The stock way of each work: as an ordinary competent team would write it from the manuals."""
