"""What runs on tensors: attention, LoRA, KV cache, packing, batching, constrained decoding. Needs torch.

Which runs when:

| when | attention | LoRA | batch |
|---|---|---|---|
| a stage trains alone, on a CPU | `blockwise_attention` in place of plain sdpa | PEFT, or none | padded rows |
| a stage trains alone, on a GPU | transformers' own kernel | PEFT (`training.trainer`), or none | padded rows |
| roles train together, one frozen backbone | `branch_attention` | `training.role_lora` | packed branches |
| inference on this machine | `attention` | `lora` | `batching` over `packing` and `kv_cache` |
| inference under a grammar | the same | the same | the same; `constrained_decoding` chooses the tokens |

The three attentions compute the same sum over other shapes: whole rows, branches over an encoded conversation,
sequences over cached keys. The three LoRAs compute PEFT's sum: PEFT's own where it trains one adapter,
`training.role_lora` where several train in one pass, `lora` where several speak in one pass. `merging` adds an adapter
to the weights once and for all, `peft_folder` reads one from its files.

Beside them: `sampling` chooses a token from logits, `repetition` sees that a text goes round in circles, `precision`
says in which type a machine computes fastest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alpha_umi.lazy import exports

if TYPE_CHECKING:
    from alpha_umi.nn.batching import Batcher, Forward, Job
    from alpha_umi.nn.constrained_decoding import Guidance, Guide
    from alpha_umi.nn.kv_cache import SharedCache
    from alpha_umi.nn.lora import Adapters
    from alpha_umi.nn.merging import merge_into
    from alpha_umi.nn.precision import running_dtype
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "alpha_umi.nn.batching": ["Batcher", "Forward", "Job"],
            "alpha_umi.nn.constrained_decoding": ["Guidance", "Guide"],
            "alpha_umi.nn.kv_cache": ["SharedCache"],
            "alpha_umi.nn.lora": ["Adapters"],
            "alpha_umi.nn.merging": ["merge_into"],
            "alpha_umi.nn.precision": ["running_dtype"],
        },
    )

__all__ = ["Adapters", "Batcher", "Forward", "Guidance", "Guide", "Job", "SharedCache", "merge_into", "running_dtype"]
