"""What training minimises: binary cross entropy for tags; task-aligned assignment, IoU and class loss for boxes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as fn

from training.samples.nets import grid

TOP, SCORE_POWER, IOU_POWER = 9, 0.5, 6.0


def tag_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Mean binary cross entropy, summed over tags; both `(N, 4 + T)`."""
    return fn.binary_cross_entropy_with_logits(logits.float(), truth, reduction="sum") / len(truth)


def iou(a: Tensor, b: Tensor, *, generalised: bool = False) -> Tensor:
    """IoU (or GIoU) of `xyxy` boxes whose leading shapes broadcast."""
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    inside = (high - low).clamp(min=0).prod(-1)
    both = (a[..., 2:] - a[..., :2]).clamp(min=0).prod(-1) + (b[..., 2:] - b[..., :2]).clamp(min=0).prod(-1) - inside
    value = inside / (both + 1e-6)
    if not generalised:
        return value
    hull = (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).prod(-1)
    return value - (hull - both) / (hull + 1e-6)


def box_loss(boxes: Tensor, logits: Tensor, truth: Tensor, side: int) -> Tensor:
    """Class and box loss of a batch of `side` pixels; `truth (N, M, 5)` is class and `xyxy`, class −1 for none."""
    with torch.no_grad():
        wanted, target, owner = assign(boxes, logits, truth, grid(side))
    total = wanted.sum().clamp(min=1)
    class_part = fn.binary_cross_entropy_with_logits(logits, wanted, reduction="sum") / total
    weight = wanted.sum(-1)
    held = owner >= 0
    box_part = ((1 - iou(boxes, target, generalised=True)) * weight)[held].sum() / total
    return class_part + 2.0 * box_part


def assign(boxes: Tensor, logits: Tensor, truth: Tensor, cells: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Which cell answers for which box (TOOD's task alignment).

    Returns wanted class scores `(N, A, C)`, target boxes `(N, A, 4)` and the owner's index `(N, A)`, −1 for none.
    """
    real = truth[..., 0] >= 0
    label = truth[..., 0].clamp(min=0).long()
    corners = truth[..., 1:]
    inside = (cells > corners[:, :, None, :2]).all(-1) & (cells < corners[:, :, None, 2:]).all(-1) & real[..., None]
    score = logits.sigmoid().gather(2, label[:, None, :].expand(-1, logits.shape[1], -1)).transpose(1, 2)
    overlap = iou(corners[:, :, None], boxes[:, None]).clamp(min=0)
    fit = score.pow(SCORE_POWER) * overlap.pow(IOU_POWER) * inside
    best = torch.zeros_like(fit).scatter_(2, fit.topk(TOP, 2).indices, 1.0) * inside
    # A cell serves one box: the one it overlaps most.
    claimed = torch.where(best > 0, overlap + 1e-9, torch.zeros_like(overlap))
    strength, owner = claimed.max(1)
    owner = torch.where(strength > 0, owner, torch.full_like(owner, -1))
    mine = fn.one_hot(owner.clamp(min=0), truth.shape[1]).transpose(1, 2) * (owner >= 0)[:, None]
    fit = fit * mine
    # The best cell of a box is asked for the box's best overlap, the others for proportionally less.
    scaled = fit / (fit.amax(2, keepdim=True) + 1e-9) * (overlap * mine).amax(2, keepdim=True)
    wanted = fn.one_hot(label, logits.shape[2]).float().transpose(1, 2) @ scaled
    target = corners.gather(1, owner.clamp(min=0)[..., None].expand(-1, -1, 4))
    return wanted.transpose(1, 2), target, owner
