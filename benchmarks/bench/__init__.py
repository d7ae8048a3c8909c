"""`hemonode bench`: latency, cost and accuracy of every way to run a bundle, and of torch in the same run."""
