"""Half precision without a GPU: FP16 graphs with every value rounded as written, and what must stay in FP32."""
