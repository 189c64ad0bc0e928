"""One stage: rows -> weights, by a thin subclass of transformers' Trainer.

It adds three things: batches of rows of like length in an order that depends on seed and epoch alone (so a resumed run
sees the same batches), logits only where something is learned, and counts for the metrics. DeepSpeed, checkpoints,
optimisers and schedules are transformers' own.
"""

from __future__ import annotations

import math
import os
import socket
import sys
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import Sampler
from transformers import PreTrainedModel, PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from alpha_umi.data.tokens import IGNORED, collate
from alpha_umi.errors import WorkError
from alpha_umi.model_card import ADAPTER
from alpha_umi.training.buckets import LengthBuckets
from alpha_umi.training.recipe import Recipe
from alpha_umi.training.stage import Stage
from alpha_umi.training.warm_start import tensors_of

if TYPE_CHECKING:
    from datasets import Dataset


def warmup_updates(ratio: float, updates: int) -> int:
    """Updates of a warm-up, whose first has the rate 0: never all of a stage, which would learn nothing."""
    return min(math.ceil(updates * min(ratio, 0.999)), updates - 1)


class StageTrainer(Trainer):
    """transformers' Trainer for rows of `data.tokens`."""

    tokens_seen = 0
    """Tokens of this process since it started, padding left out."""
    targets_seen = 0
    """Tokens learned by this process since it started."""
    buckets_seed = 0
    title = ""
    """The stages that train, for messages."""
    _broken: torch.Tensor | None = None
    """Whether a loss since the last update was not finite."""

    def create_scheduler(self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None) -> LambdaLR:
        """The stage's schedule, whose warm-up leaves at least its last update to learn from."""
        if isinstance(ratio := self.args.warmup_steps, float):
            self.args.warmup_steps = warmup_updates(ratio, num_training_steps)
        made: Any = super().create_scheduler(num_training_steps, optimizer)
        found: LambdaLR = made
        return found

    def training_step(self, *args: Any, **more: Any) -> torch.Tensor:
        """One micro-batch forward and backward.

        Raises:
            WorkError: its loss is not finite; a GPU, which would have to be waited for, tells at the update.
        """
        loss: torch.Tensor = super().training_step(*args, **more)
        odd = ~torch.isfinite(loss)
        self._broken = odd if self._broken is None else self._broken | odd
        if loss.device.type == "cpu":
            self._stop_if_broken()
        return loss

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> Any:
        """The gradient's norm; called once an update, before the weights change (of DeepSpeed's, after)."""
        self._stop_if_broken()
        parent: Any = super()
        norm = parent._get_grad_norm(model, grad_norm=grad_norm)
        # DeepSpeed says -1 of a norm that is not finite.
        if norm is not None and not 0 <= float(norm) < math.inf:
            raise self._not_finite(f"gradient norm is {float(norm)}")
        return norm

    def _stop_if_broken(self) -> None:
        if self._broken is not None and bool(self._broken):
            raise self._not_finite("loss is not finite")
        self._broken = None

    def _not_finite(self, what: str) -> WorkError:
        update = f"update {self.state.global_step + 1} of {self.state.max_steps}"
        return WorkError(
            f"{self.title}: the {what} in {update}, so training stopped and no card was written: lower learning_rate, "
            "or see whether the weights it began with are finite"
        )

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        found: Any = train_dataset if train_dataset is not None else self.train_dataset
        lengths = found["length"]
        return LengthBuckets(list(lengths), batch=self._rows_in_update(), seed=self.buckets_seed)

    def updates_of(self, _: str) -> int:
        """Updates made when a role has seen its epochs."""
        return int(self.state.global_step)

    def _rows_in_update(self) -> int:
        args = self.args
        rows: int = args.per_device_train_batch_size * args.gradient_accumulation_steps * max(args.world_size, 1)
        return rows

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Cross-entropy summed over the targets of the batch and divided by the targets of the whole update.

        Args:
            model: the wrapped model.
            inputs: `input_ids`, `attention_mask`, `labels`, each (rows, length).
            return_outputs: also return the model's outputs.
            num_items_in_batch: targets in all micro-batches of this update on all devices.
        """
        labels = inputs.pop("labels")[:, 1:]
        learned = labels != IGNORED
        self.tokens_seen += int(inputs["attention_mask"].sum())
        self.targets_seen += int(learned.sum())
        # The vocabulary is a fifth of a small model's work: compute logits only at positions some row learns from.
        keep = learned.any(dim=0).nonzero().squeeze(-1)
        outputs = model(**inputs, use_cache=False, logits_to_keep=keep)
        wanted = learned[:, keep]
        total = cross_entropy(outputs.logits[wanted].float(), labels[:, keep][wanted], reduction="sum")
        if num_items_in_batch is None:
            loss = total / learned.sum()
        else:
            loss = total / num_items_in_batch
            if self.args.average_tokens_across_devices:
                loss = loss * self.accelerator.num_processes
        return (loss, outputs) if return_outputs else loss


def arguments(
    recipe: Recipe,
    stage: Stage,
    folder: Path,
    *,
    seed: int,
    deepspeed: dict[str, Any] | None,
    world: int,
    shares: bool = False,
) -> TrainingArguments:
    """Training arguments of one stage; `folder` receives its checkpoints. Roles that share a context make their own
    optimiser and checkpoint their own activations."""
    on_gpu = torch.cuda.is_available()
    checkpointing = stage.gradient_checkpointing and not shares
    if deepspeed is not None and shares:
        deepspeed = {key: value for key, value in deepspeed.items() if key != "optimizer"}
    if deepspeed is not None and "WORLD_SIZE" not in os.environ:
        os.environ.setdefault("MASTER_PORT", str(_free_port()))  # two runs on one machine must not meet
    made = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=stage.epochs,
        learning_rate=stage.learning_rate,
        lr_scheduler_type=stage.schedule,
        warmup_steps=min(float(stage.warmup_ratio), 0.999),  # transformers 5 reads < 1 as a ratio
        weight_decay=stage.weight_decay,
        max_grad_norm=stage.max_grad_norm,
        per_device_train_batch_size=stage.micro_batch,
        gradient_accumulation_steps=stage.batch_size // (stage.micro_batch * world),
        activation_checkpointing=checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False} if checkpointing else None,
        bf16=recipe.precision == "bf16",
        use_cpu=not on_gpu,
        dataloader_pin_memory=on_gpu,
        optim="adamw_torch",
        logging_steps=recipe.log_steps,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=recipe.save_steps,
        save_total_limit=recipe.keep_checkpoints,
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        seed=seed,
        data_seed=seed,
        deepspeed=deepspeed,
        ddp_find_unused_parameters=False,
    )
    # Without a launcher transformers would split each micro-batch over all GPUs it sees, and train another recipe.
    made._n_gpu = min(made.n_gpu, 1)
    return made


def adapt(model: PreTrainedModel, stage: Stage, *, begin: Path | None = None) -> Any:
    """A PEFT model for a LoRA stage, its adapter fresh or that of a folder; else the model itself. Ready to train."""
    if stage.method == "full":
        model.requires_grad_(True)
        return model.train()
    from peft import LoraConfig, get_peft_model, set_peft_model_state_dict

    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=stage.lora.r,
        lora_alpha=stage.lora.alpha,
        lora_dropout=stage.lora.dropout,
        target_modules=list(stage.lora.names),
    )
    if stage.gradient_checkpointing:
        model.enable_input_require_grads()
    with warnings.catch_warnings():
        # PEFT still asks transformers under a name that transformers 5 deprecates.
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`", category=FutureWarning)
        adapted = get_peft_model(model, config).train()
    if begin is not None:
        set_peft_model_state_dict(adapted, tensors_of(begin))
    return adapted


def stage_trainer(
    model: Any, rows: Dataset, args: TrainingArguments, pad_id: int, *, kind: type[StageTrainer] = StageTrainer
) -> StageTrainer:
    """The trainer of a stage that learns whole rows."""
    made = kind(model=model, args=args, train_dataset=rows, data_collator=partial(collate, pad_id=pad_id))
    if getattr(model.config, "tie_word_embeddings", False):
        # A checkpoint holds tied weights once; else transformers warns on resuming that the others are missing.
        model._keys_to_ignore_on_save = list(getattr(model, "_tied_weights_keys", None) or ())
    return made


def train_stage(trainer: StageTrainer, callbacks: Sequence[TrainerCallback], checkpoint: str | None) -> None:
    """Train to the end, from a checkpoint when one is given."""
    trainer.remove_callback(PrinterCallback)  # it prints raw dictionaries; the bar and metrics.jsonl say the same
    trainer.buckets_seed = trainer.args.seed
    for callback in callbacks:
        if hasattr(callback, "trainer"):
            callback.trainer = trainer
        trainer.add_callback(callback)
    with warnings.catch_warnings():
        # DeepSpeed still gathers under a name that torch deprecates; nobody who trains can do anything about it.
        warnings.filterwarnings("ignore", message="`torch.distributed.all_gather", category=FutureWarning)
        try:
            trainer.train(resume_from_checkpoint=checkpoint)
        finally:
            for callback in callbacks:
                if hasattr(callback, "close"):
                    callback.close()


def save_stage(trainer: StageTrainer, folder: Path, tokenizer: Any, *, merge: bool) -> None:
    """Write the trained weights: an adapter, or a whole model in bf16 (merged when later stages continue from it)."""
    trainer.accelerator.wait_for_everyone()
    if trainer.is_world_process_zero():
        model = trainer.accelerator.unwrap_model(trainer.model)
        model.config._attn_implementation = None  # how it was trained is not how it must be used
        adapter = hasattr(model, "peft_config")
        if adapter and merge:
            model.save_pretrained(folder / ADAPTER, save_embedding_layers=False)
            (folder / ADAPTER / "README.md").unlink(missing_ok=True)
            # Merged in fp32 and rounded once, so that the sum is as near to the trained one as bf16 allows.
            model = model.float().merge_and_unload()
            adapter = False
        if adapter:
            # An adapted head is no reason to save the head itself.
            model.save_pretrained(folder, save_embedding_layers=False)
            (folder / "README.md").unlink(missing_ok=True)  # PEFT's empty model card; ours is card.json
        else:
            model.to(torch.bfloat16).save_pretrained(folder)
            tokenizer.save_pretrained(folder)
    trainer.accelerator.wait_for_everyone()


def finish_stage(trainer: StageTrainer) -> None:
    """Free the engine and the process-wide state it left, so that the next stage may set up its own."""
    from accelerate.state import AcceleratorState

    trainer.accelerator.wait_for_everyone()
    trainer.accelerator.free_memory()
    # accelerate keeps the first DeepSpeed configuration it sees for the life of the process.
    AcceleratorState._reset_state()
    if "wandb" in sys.modules:
        sys.modules["wandb"].finish()  # else the next stage would write into this one's W&B run
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("", 0))
        port: int = free.getsockname()[1]
        return port
