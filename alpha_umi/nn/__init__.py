"""Attention, LoRA, KV cache, packing, batching and constrained decoding: what runs on tensors. Needs torch."""
