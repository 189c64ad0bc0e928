"""What runs on tensors: attention, LoRA, KV cache, packing, batching, constrained decoding. Needs torch.

Which runs when:

| when | attention | LoRA | batch |
|---|---|---|---|
| a stage trains alone, on a CPU | `blockwise_attention` | PEFT (`training.trainer`) | padded rows |
| a stage trains alone, on a GPU | transformers' own kernel | PEFT | padded rows |
| roles train together, one frozen backbone | `branch_attention` | `training.role_lora` | packed branches |
| inference on this machine | `attention` | `lora` | `batching` over `packing` and `kv_cache` |
| inference under a grammar | the same | the same | the same; `constrained_decoding` chooses the tokens |

The three attentions compute the same sum over other shapes: whole rows, branches over an encoded conversation,
sequences over cached keys. The three LoRAs compute PEFT's sum: PEFT's own where it trains one adapter,
`training.role_lora` where several train in one pass, `lora` where several speak in one pass. `merging` adds an adapter
to the weights once and for all.
"""
