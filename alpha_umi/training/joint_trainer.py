"""Roles that train over one frozen backbone: the models of the `shared` layout's second stage (docs/shared-cache.md).

For each micro-batch the backbone encodes the conversations once, without gradients; then each role forwards only its
branches. LoRA roles are adapters on that same backbone and go through it together; a role trained in full is a model
of its own that starts as a copy.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import LambdaLR
from transformers import PreTrainedModel, TrainingArguments
from transformers.utils import SAFE_WEIGHTS_NAME

from alpha_umi.data.packed_targets import collate
from alpha_umi.errors import WorkError
from alpha_umi.nn import branch_attention
from alpha_umi.nn.branch_attention import PackedBranch
from alpha_umi.roles import ROLES
from alpha_umi.training.role_lora import RoleLoras
from alpha_umi.training.stage import Stage
from alpha_umi.training.trainer import StageTrainer, warmup_updates

if TYPE_CHECKING:
    from datasets import Dataset


class SharedRoles(nn.Module):
    """The backbone and the roles that train on it."""

    accepts_loss_kwargs = True
    """Tells transformers' Trainer that the loss is already divided by the targets of the whole update."""

    def __init__(
        self,
        backbone: PreTrainedModel,
        stages: Mapping[str, Stage],
        full: Mapping[str, PreTrainedModel],
        *,
        order: Sequence[str] = ROLES,
        seeds: Mapping[str, int] | None = None,
        kernel: str | None = None,
    ) -> None:
        """Make the roles ready to train.

        Args:
            backbone: frozen; what every role continues from.
            stages: how each role trains.
            full: a copy of the backbone's weights, in fp32, for each role trained in full.
            order: the team's roles, as the rows number them.
            seeds: what each role's adapter is drawn from.
            kernel: how branches attend (`branch_attention.use_on`); None chooses.
        """
        super().__init__()
        self.order = tuple(map(str, order))
        self.config = backbone.config
        self.backbone = backbone.requires_grad_(False)
        self._attention = backbone.config._attn_implementation
        self.adapted = [role for role in self.order if role in stages and role not in full]
        lora = {role: stages[role].lora for role in self.adapted}
        drawn = {role: (seeds or {}).get(role, torch.initial_seed()) for role in self.adapted}
        self.loras = RoleLoras(backbone, lora, drawn) if lora else None
        self.full = nn.ModuleDict({role: model.requires_grad_(True) for role, model in full.items()})
        for model in (*([backbone] if lora else []), *full.values()):
            branch_attention.use_on(model, kernel)
        self._roles = [role for role in self.order if role in stages]
        for role, stage in stages.items():
            if stage.gradient_checkpointing:
                speaker: Any = full.get(role, backbone)
                speaker.activation_checkpointing_enable({"use_reentrant": False})

    def parameters_of(self, role: str) -> list[tuple[str, nn.Parameter]]:
        """Names and parameters that a role trains."""
        if role in self.full:
            return list(self.full[role].named_parameters())
        at = f".{role}"
        return [(n, p) for n, p in self.backbone.named_parameters() if p.requires_grad and n.endswith(at)]

    def trained(self) -> dict[str, nn.Parameter]:
        """Everything that is trained, by name."""
        return {name: p for name, p in self.named_parameters() if p.requires_grad}

    def forward(
        self,
        context: torch.Tensor,
        input_ids: torch.Tensor,
        positions: torch.Tensor,
        spans: torch.Tensor,
        active: Collection[str] | None = None,
        **_: Any,
    ) -> torch.Tensor:
        """Cross-entropy summed over each role's targets, (number of the team's roles,), fp32.

        Args:
            context: conversations, (rows, longest).
            input_ids: packed branches, (tokens,).
            positions: where their tokens stand, (tokens,).
            spans: the branches, (branches, 6); each a `nn.branch_attention.PackedBranch`.
            active: roles to train now; None: all.
        """
        found = [PackedBranch(*numbers) for numbers in spans.tolist()]
        wanted = [v for v in self._roles if active is None or v in active]
        sums = torch.zeros(len(self.order), device=input_ids.device)
        if torch.is_grad_enabled() and (_ranks() > 1 or not any(self.order[span.role] in wanted for span in found)):
            sums = sums + self._nothing()
        if any(self.order[span.role] in wanted for span in found):
            lengths = [max((s.context for s in found if s.row == row), default=1) for row in range(len(context))]
            read = self._encode(context, lengths)
            together = [role for role in wanted if role in self.adapted]
            for roles in ([together] if together else []) + [[v] for v in wanted if v not in together]:
                mine = [span for span in found if self.order[span.role] in roles]
                if mine:
                    sums = sums + self._losses(roles, read, mine, input_ids, positions)
        return sums

    def _encode(self, ids: torch.Tensor, lengths: Sequence[int]) -> branch_attention.Context:
        if self.loras is not None:
            self.loras.acting.stretches = ()
        return branch_attention.encode(self.backbone, ids, lengths, attention=self._attention)

    def _losses(
        self,
        roles: Sequence[str],
        read: branch_attention.Context,
        spans: Sequence[PackedBranch],
        ids: torch.Tensor,
        positions: torch.Tensor,
    ) -> torch.Tensor:
        """Summed losses of roles that speak with one model."""
        counts = {role: sum(s.end - s.start for s in spans if self.order[s.role] == role) for role in roles}
        if roles[0] in self.adapted:
            assert self.loras is not None
            self.loras.acting.stretches = [(role, n) for role, n in counts.items() if n]
        chosen, packed = _packed(spans, ids.device)
        ids, positions = ids[chosen], positions[chosen]  # (tokens of these roles,) each
        # (targets,): numbers of packed tokens
        targets = torch.cat([torch.arange(s.words, s.end, device=ids.device) for s in packed])
        # (targets,): their roles
        whose = torch.tensor([s.role for s in packed for _ in range(s.words, s.end)], device=ids.device)
        model: Any = self.backbone if roles[0] in self.adapted else self.full[roles[0]]
        found = branch_attention.logits(
            model, ids, positions, reading=branch_attention.Reading(read, packed), keep=targets - 1
        )
        losses = cross_entropy(found.float(), ids[targets], reduction="none")  # (targets, vocabulary) -> (targets,)
        return torch.zeros(len(self.order), device=ids.device).index_add(0, whose, losses)

    def _nothing(self) -> torch.Tensor:
        """Zero, with a gradient of zero for every parameter: ranks must agree on which gradients they exchange, and a
        micro-batch in which nobody has a target needs something to go back from."""
        trained = list(self.trained().values())
        return sum((p.sum() * 0.0 for p in trained), torch.zeros((), device=trained[0].device))


def _packed(spans: Sequence[PackedBranch], device: torch.device) -> tuple[torch.Tensor, list[PackedBranch]]:
    """The packed tokens that belong to some branches, and the branches among them alone."""
    chosen = torch.cat([torch.arange(s.start, s.end, device=device) for s in spans])
    moved, start = [], 0
    for s in spans:
        moved.append(s._replace(start=start, words=start + s.words - s.start, end=start + s.end - s.start))
        start += s.end - s.start
    return chosen, moved


def _ranks() -> int:
    return torch.distributed.get_world_size() if torch.distributed.is_initialized() else 1


class SharedTrainer(StageTrainer):
    """Trains the roles of `SharedRoles` at once: one pass over the conversations, and for each role a learning rate,
    schedule, number of epochs, weight decay, clipping and mean loss of its own, as if it trained alone.

    A role trained alone would skip updates in which it has no target; here it does too, except under several ranks,
    where its gradients are zeros and its momentum goes on. DeepSpeed clips the norm of all roles together.
    """

    stages: Mapping[str, Stage]
    names: Mapping[str, str]
    """What each role's stage is called in the metrics."""
    _losses: torch.Tensor | None = None
    """Each role's mean losses since the last logged update, added up."""
    _updates: torch.Tensor
    """Updates among them in which a role had targets."""
    _last_update = -1
    _norms: Mapping[str, float] = {}

    @property
    def roles(self) -> SharedRoles:
        """The model without its wrappers."""
        found: SharedRoles = self.accelerator.unwrap_model(self.model)
        return found

    def updates_of(self, role: str) -> int:
        """Updates after which a role has seen its epochs."""
        rows: Any = self.train_dataset
        micro = self.args.per_device_train_batch_size * max(self.args.world_size, 1)
        each = math.ceil(math.ceil(len(rows) / micro) / int(self.args.gradient_accumulation_steps))
        return math.ceil(float(each * self.stages[role].epochs))

    def _active(self) -> list[str]:
        return [role for role in self.stages if self.state.global_step < self.updates_of(role)]

    def _get_num_items_in_batch(self, batch_samples: list[Any], device: torch.device) -> torch.Tensor:
        """Targets of each role in one update, over all ranks, (number of the team's roles,)."""
        counts = torch.zeros(len(self.roles.order), dtype=torch.long)
        for batch in batch_samples:
            for numbers in batch["spans"].tolist():
                span = PackedBranch(*numbers)
                counts[span.role] += span.end - span.words
        counts = counts.to(device)
        if self.args.world_size > 1:
            counts = self.accelerator.gather(counts[None]).sum(0)
        counts *= torch.tensor([int(role in self._active()) for role in self.roles.order], device=device)
        self._targets = counts
        return counts

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The roles' mean losses added up, each divided by that role's targets in the whole update."""
        active = self._active()
        sums = model(**inputs, active=active)
        items = num_items_in_batch.clamp(min=1)
        means = sums / items
        spans = [PackedBranch(*numbers) for numbers in inputs["spans"].tolist()]
        self.tokens_seen += inputs["input_ids"].numel() + sum({s.row: s.context for s in spans}.values())
        self.targets_seen += sum(s.end - s.words for s in spans if self.roles.order[s.role] in active)
        noted = means.detach()
        if self._losses is None:
            self._losses, self._updates = torch.zeros_like(noted), torch.zeros_like(items)
            self._last_update = -1
        if self._last_update != self.state.global_step:
            self._last_update = self.state.global_step
            self._updates += num_items_in_batch > 0
        self._losses += noted
        loss = means.sum() * self.accelerator.num_processes if self.args.world_size > 1 else means.sum()
        return (loss, {"losses": sums}) if return_outputs else loss

    def log(self, logs: dict[str, Any], start_time: float | None = None) -> None:
        """Add each role's own loss, rate and gradient norm: `planner/loss` and so on."""
        if "loss" in logs and self._losses is not None:
            total = self.accelerator.reduce(self._losses, "sum") if self.args.world_size > 1 else self._losses
            for role, name in self.names.items():
                if updates := int(self._updates[self.roles.order.index(role)]):
                    logs[f"{name}/loss"] = float(total[self.roles.order.index(role)]) / updates
                    rate = self._rate_of(role)(self.state.global_step - 1)  # the scheduler is one ahead
                    logs[f"{name}/learning_rate"] = rate * self.stages[role].learning_rate
                    logs[f"{name}/grad_norm"] = self._norms.get(role, logs.get("grad_norm"))
            self._losses = None
        parent: Any = super()
        parent.log(logs, start_time)

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """One AdamW with groups of their own for each role: the same as an optimiser for each."""
        if self.optimizer is None:
            decayed = set(self.get_decay_parameter_names(self.roles))
            names = {id(p): name for name, p in self.roles.named_parameters()}
            kind, options = self.get_optimizer_cls_and_kwargs(self.args)
            groups: list[dict[str, Any]] = []
            for role, stage in self.stages.items():
                for decay in (True, False):
                    mine = [p for _, p in self.roles.parameters_of(role) if (names[id(p)] in decayed) is decay]
                    if mine:
                        settings = {"lr": stage.learning_rate, "weight_decay": stage.weight_decay if decay else 0.0}
                        groups.append({"params": mine, "role": role, **settings})
            self.optimizer = kind(groups, **options)
        found: torch.optim.Optimizer = self.optimizer
        return found

    def create_scheduler(self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None) -> LambdaLR:
        """Each role's own warm-up and schedule over its own updates; nothing after its last."""
        if self.lr_scheduler is None:
            on: Any = optimizer if optimizer is not None else self.optimizer
            self.lr_scheduler = LambdaLR(on, [self._rate_of(group["role"]) for group in on.param_groups])
        found: LambdaLR = self.lr_scheduler
        return found

    def _rate_of(self, role: str) -> Any:
        stage, updates = self.stages[role], self.updates_of(role)
        warm = warmup_updates(stage.warmup_ratio, updates)

        def rate(step: int) -> float:
            if step >= updates:
                return 0.0
            if step < warm:
                return step / max(1, warm)
            done = (step - warm) / max(1, updates - warm)
            shapes = {"constant": 1.0, "linear": 1 - done, "cosine": 0.5 * (1 + math.cos(math.pi * done))}
            return max(0.0, shapes[stage.schedule])

        return rate

    def _clip_grad_norm(self, model: Any) -> Any:
        if self.is_deepspeed_enabled:
            plain: Any = super()
            return plain._clip_grad_norm(model)
        norms: dict[str, float] = {}
        for role, stage in self.stages.items():
            mine = [p for _, p in self.roles.parameters_of(role)]
            if self._targets[self.roles.order.index(role)] == 0:
                for p in mine:
                    p.grad = None
            elif any(p.grad is not None for p in mine):
                norms[role] = float(self.accelerator.clip_grad_norm_(mine, stage.max_grad_norm))
        self._norms = norms
        return math.hypot(*norms.values())

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        """A checkpoint holds what is trained; the backbone is where it was."""
        if self.args.should_save:
            folder = Path(output_dir or str(self.args.output_dir))
            folder.mkdir(parents=True, exist_ok=True)
            tensors = {name: p.detach().cpu().contiguous() for name, p in self.roles.trained().items()}
            save_file(tensors, folder / SAFE_WEIGHTS_NAME, metadata={"format": "pt"})

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        tensors = load_file(Path(resume_from_checkpoint) / SAFE_WEIGHTS_NAME)
        wanted = self.roles.trained()
        if tensors.keys() != wanted.keys():
            raise WorkError(f"{resume_from_checkpoint} is a checkpoint of other roles")
        with torch.no_grad():
            for name, tensor in tensors.items():
                wanted[name].copy_(tensor)


def shared_trainer(
    backbone: PreTrainedModel,
    stages: Mapping[str, tuple[str, Stage]],
    full: Mapping[str, PreTrainedModel],
    rows: Dataset,
    args: TrainingArguments,
    *,
    order: Sequence[str] = ROLES,
    seeds: Mapping[str, int] | None = None,
    begin: Mapping[str, Path] | None = None,
    pad_id: int,
) -> SharedTrainer:
    """The trainer of roles over a frozen backbone.

    Args:
        backbone: what they continue from.
        stages: name and settings of each role's stage.
        full: a copy of the backbone in fp32 for each role trained in full.
        rows: rows of `data.packed_targets.columns`.
        args: the training arguments; epochs are those of the role that has most.
        order: the team's roles, as the rows number them.
        seeds: what each role's adapter is drawn from.
        begin: adapters that LoRA roles begin with in place of fresh ones.
        pad_id: a token to fill up conversations with.
    """
    model = SharedRoles(backbone, {role: stage for role, (_, stage) in stages.items()}, full, order=order, seeds=seeds)
    for role, folder in (begin or {}).items():
        assert model.loras is not None
        model.loras.load(role, folder)
    made = SharedTrainer(model=model, args=args, train_dataset=rows, data_collator=partial(collate, pad_id=pad_id))
    made.stages = {role: stage for role, (_, stage) in stages.items()}
    made.names = {role: name for role, (name, _) in stages.items()}
    return made


def save_role(
    trainer: SharedTrainer, role: str, folder: Path, tokenizer: Any, *, base: str, tag: Sequence[int]
) -> None:
    """Write a role's trained weights: a PEFT folder, or a whole model in bf16."""
    trainer.accelerator.wait_for_everyone()
    if trainer.is_world_process_zero():
        roles = trainer.roles
        folder.mkdir(parents=True, exist_ok=True)
        if role in roles.adapted:
            assert roles.loras is not None
            roles.loras.save(role, folder, base=base, invocation=tag)
        else:
            model: Any = roles.full[role]
            model.config._attn_implementation = None
            model.to(torch.bfloat16).save_pretrained(folder)
            tokenizer.save_pretrained(folder)
    trainer.accelerator.wait_for_everyone()
