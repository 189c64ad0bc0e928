"""LoRA adapters that cost little: low-rank additions to linear layers, each on its own stretch of the packed tokens.

PEFT's own layer checks dtypes, dropout, variants and merge state on every call, which on a CPU costs about as much as
the low-rank products themselves. This module reads ordinary PEFT folders and computes the same sum, nothing else; and
layers that read the same input (q, k and v; gate and up) do so with one product, theirs and their adapters'. Or an
adapter is merged into a copy of the layers it adapts, which costs no time and the memory of the copies. Training uses
PEFT; this is for inference.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn
from torch.nn.functional import linear

from alpha_umi.errors import ModelError
from alpha_umi.nn.peft_folder import check_whole, read_pairs

SIBLINGS = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))
"""Layers of one module that most architectures give the same input."""

FEW = 8
"""Tokens up to which an adapter multiplies in fp32 on a CPU."""


class Stretch(NamedTuple):
    """Packed tokens `start` to `stop` that an adapter acts on."""

    adapter: str
    start: int
    stop: int


class LowRank(NamedTuple):
    """y += up (down x), for the outputs of a whole stack.

    What acts on a few tokens is kept apart: of these sizes a bf16 product costs a CPU several times an fp32 one, and
    where the layers are alike their blocks need not be multiplied with the zeros between them.
    """

    down: torch.Tensor
    """(rank, in), the ranks of the adapted layers on end."""
    up: torch.Tensor
    """(out, rank), a block for each adapted layer, scaled."""
    few_down: torch.Tensor
    few_up: torch.Tensor
    """As `up`; of several layers of one size and rank, all adapted: (layers, rank of each, out of each)."""

    def of_one(self, x: torch.Tensor) -> torch.Tensor:
        """What is added to the output of one token, (out,) for (in,)."""
        inner = torch.mv(self.few_down, x.to(self.few_down.dtype))  # (rank,): of all layers on end
        if self.few_up.dim() == 2:
            return torch.mv(self.few_up, inner)
        layers, rank, _ = self.few_up.shape
        return torch.bmm(inner.view(layers, 1, rank), self.few_up).view(-1)  # (layers, 1, out of each) -> (out,)

    def add_to(self, outputs: torch.Tensor, x: torch.Tensor) -> None:
        """Add to the outputs of several tokens, (tokens, out), what belongs to their inputs, (tokens, in)."""
        if len(x) > FEW:
            outputs.addmm_(linear(x, self.down), self.up.t())  # in place: a sum of its own is a pass over the outputs
            return
        inner = linear(x.to(self.few_down.dtype), self.few_down)  # (tokens, rank)
        if self.few_up.dim() == 2:
            outputs.add_(linear(inner, self.few_up))
            return
        layers, rank, _ = self.few_up.shape
        each = torch.bmm(inner.view(-1, layers, rank).transpose(0, 1), self.few_up)  # (layers, tokens, out of each)
        outputs.add_(each.transpose(0, 1).reshape(len(x), -1))  # (tokens, out)


class Merged(NamedTuple):
    """A stack's weight with an adapter's products added, rounded to the weight's type."""

    weight: torch.Tensor


class Stack:
    """Linear layers that read the same input, computed as one. Their weights become views of one tensor."""

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        self.sizes = [layer.out_features for layer in layers]
        self.weight, self.bias = layers[0].weight.data, None if layers[0].bias is None else layers[0].bias.data
        if len(layers) > 1:
            self.weight = torch.cat([layer.weight.data for layer in layers])  # (out of all, in)
            if self.bias is not None:
                self.bias = torch.cat([layer.bias.data for layer in layers])
        self.adapters: dict[str, LowRank | Merged] = {}
        self.active: list[tuple[LowRank | Merged, int, int]] = []
        self._input: torch.Tensor | None = None
        self._outputs: tuple[torch.Tensor, ...] = ()

    def part(self, x: torch.Tensor, index: int) -> torch.Tensor:
        """The output of one layer; the others' are kept until they are asked for with the same input."""
        if len(self.sizes) == 1:
            return self._compute(x)
        # By identity: the layers of a stack are handed the very same tensor, one after the other, and comparing values
        # would cost a pass over them. The last layer lets go of it, so that the next forward pass, whose input may lie
        # at the same address, never meets an old one.
        if self._input is not x:
            # (..., out of all) -> (..., out of each)
            self._input, self._outputs = x, self._compute(x).split_with_sizes(self.sizes, dim=-1)
        output = self._outputs[index]
        if index == len(self.sizes) - 1:
            self._input, self._outputs = None, ()
        return output

    def _compute(self, x: torch.Tensor) -> torch.Tensor:
        if not self.active:
            return linear(x, self.weight, self.bias)
        if x.numel() == x.shape[-1]:  # one token: the case that decides how fast a role writes
            adapter = self.active[0][0]
            if isinstance(adapter, Merged):
                return linear(x, adapter.weight, self.bias)
            y = linear(x, self.weight, self.bias)
            y.view(-1).add_(adapter.of_one(x.view(-1)))
            return y
        rows = x.view(-1, x.shape[-1])  # (tokens, in)
        if all(isinstance(adapter, Merged) for adapter, _, _ in self.active):
            return self._by_stretch(rows).view(*x.shape[:-1], -1)
        y = linear(x, self.weight, self.bias)
        outputs = y.view(-1, y.shape[-1])  # (tokens, out), the same memory as y
        for adapter, start, stop in self.active:
            if isinstance(adapter, Merged):
                outputs[start:stop] = linear(rows[start:stop], adapter.weight, self.bias)
            elif stop - start == 1:
                outputs[start].add_(adapter.of_one(rows[start]))
            else:
                adapter.add_to(outputs[start:stop], rows[start:stop])
        return y

    def _by_stretch(self, rows: torch.Tensor) -> torch.Tensor:
        """Each stretch by its own merged weights, what lies between them by the plain ones."""
        pieces = []
        end = 0
        for adapter, start, stop in self.active:
            assert isinstance(adapter, Merged)
            if start > end:
                pieces.append(linear(rows[end:start], self.weight, self.bias))
            pieces.append(linear(rows[start:stop], adapter.weight, self.bias))
            end = stop
        if end < len(rows):
            pieces.append(linear(rows[end:], self.weight, self.bias))
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces)


class Stacked(nn.Linear):
    """One layer of a stack, in the place of the plain linear layer and with its parameters."""

    def __init__(self, stack: Stack, index: int) -> None:
        start = sum(stack.sizes[:index])
        stop = start + stack.sizes[index]
        bias = stack.bias is not None
        super().__init__(stack.weight.shape[1], stack.sizes[index], bias=bias, device="meta")
        self.weight = nn.Parameter(stack.weight[start:stop], requires_grad=False)
        if stack.bias is not None:
            self.bias = nn.Parameter(stack.bias[start:stop], requires_grad=False)
        self.stack, self.index = stack, index

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the layer; x is (..., in_features)."""
        return self.stack.part(x, self.index)


def stack_siblings(model: nn.Module) -> None:
    """Let layers that read the same input share one product. The model must not be moved or cast afterwards."""
    for module in list(model.modules()):
        for names in SIBLINGS:
            layers = [getattr(module, name, None) for name in names]
            plain = [layer for layer in layers if type(layer) is nn.Linear]
            if len(plain) == len(names) and len({(p.in_features, p.bias is None, p.weight.dtype) for p in plain}) == 1:
                _replace(module, names, plain)


def _replace(parent: nn.Module, names: Sequence[str], layers: Sequence[nn.Linear]) -> None:
    stack = Stack(layers)
    for index, name in enumerate(names):
        setattr(parent, name, Stacked(stack, index))


class Adapters:
    """The adapters that one model holds."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._stacks: list[Stack] = []
        self._head: Stack | None = None
        self._active: tuple[tuple[Stretch, ...], tuple[Stretch, ...]] | None = None
        """What was said last; None where that is not known to all layers."""
        self.names: set[str] = set()

    def add(self, folder: Path, name: str, *, invocation: Sequence[int] = (), merged: bool = False) -> None:
        """Load an adapter from a PEFT folder.

        Args:
            folder: `adapter_config.json` and `adapter_model.safetensors`.
            name: what to call it by.
            invocation: ids of the tag from which on it is going to act. An activated LoRA must name the same.
            merged: whether to keep a merged copy of each adapted layer instead of the low-rank products.

        Raises:
            ModelError: more than low-rank products on linear layers, products that do not fit, or another tag.
        """
        parts: dict[Stack, list[tuple[int, torch.Tensor, torch.Tensor]]] = {}
        pairs = read_pairs(folder, invocation=invocation)
        for pair in pairs:
            layer = self._layer(pair.path, folder)
            pair.check_fits(layer.weight, folder)
            parts.setdefault(layer.stack, []).append((layer.index, pair.down, pair.up * pair.scale))
        check_whole(self._model, pairs, folder)
        for stack, pieces in parts.items():
            stack.adapters[name] = _merged(stack, pieces) if merged else _low_rank(stack, pieces)
        self.names.add(name)

    def activate(self, stretches: Sequence[Stretch], asked: Sequence[Stretch]) -> None:
        """Say which adapter acts where in the next forward pass.

        Args:
            stretches: over the packed tokens.
            asked: over the tokens whose logits are asked, which alone reach the output layer.
        """
        wanted = (tuple(stretches), tuple(asked))
        if wanted == self._active:
            return
        for stack in self._stacks:
            where = asked if stack is self._head else stretches
            stack.active = [(stack.adapters[s.adapter], s.start, s.stop) for s in where if s.adapter in stack.adapters]
        self._active = wanted

    def _layer(self, path: str, folder: Path) -> Stacked:
        parent_path, _, leaf = path.rpartition(".")
        try:
            parent = self._model.get_submodule(parent_path)
            found = getattr(parent, leaf)
        except AttributeError as error:
            raise ModelError(f"{folder} does not fit the model: it has no layer {path}") from error
        if type(found) is nn.Linear:
            is_head = found is self._model.get_output_embeddings()  # type: ignore[operator]
            _replace(parent, [leaf], [found])
            found = getattr(parent, leaf)
            if is_head:
                self._head = found.stack
        if not isinstance(found, Stacked):
            raise ModelError(f"{folder} adapts {path}, which is not a linear layer")
        if found.stack not in self._stacks:
            self._stacks.append(found.stack)
            self._active = None
        return found


def _low_rank(stack: Stack, pieces: Sequence[tuple[int, torch.Tensor, torch.Tensor]]) -> LowRank:
    """One pair of products for a stack, of each adapted layer's index, A (rank, in) and B (out, rank)."""
    weight = stack.weight
    pieces = sorted(pieces, key=lambda piece: piece[0])
    down = torch.cat([piece for _, piece, _ in pieces])  # (rank of all, in)
    up = torch.zeros(weight.shape[0], down.shape[0])  # (out of all, rank of all): a block of its own for each layer
    column = 0
    for index, _, block in pieces:
        row = sum(stack.sizes[:index])
        up[row : row + block.shape[0], column : column + block.shape[1]] = block
        column += block.shape[1]
    few = torch.float32 if weight.device.type == "cpu" else weight.dtype
    few_up = up
    alike = len(set(stack.sizes)) == 1 and len({piece.shape for _, piece, _ in pieces}) == 1
    if alike and len(pieces) == len(stack.sizes) > 1:
        few_up = torch.stack([block.T for _, _, block in pieces])  # (layers, rank of each, out of each)
    return LowRank(
        down.to(weight.device, weight.dtype),
        up.to(weight.device, weight.dtype),
        down.to(weight.device, few),
        few_up.to(weight.device, few),
    )


def _merged(stack: Stack, pieces: Sequence[tuple[int, torch.Tensor, torch.Tensor]]) -> Merged:
    """The stack's weight with the products added; arguments as of `_low_rank`."""
    weight = stack.weight.to(torch.float32, copy=True)  # (out of all, in); summed in fp32, rounded once
    for index, down, up in pieces:
        row = sum(stack.sizes[:index])
        weight[row : row + up.shape[0]] += (up @ down).to(weight.device)  # (out of this layer, in)
    return Merged(weight.to(stack.weight.dtype))
