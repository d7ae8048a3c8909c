"""ONNX graphs written node by node: full control of types, names and shared weights."""
