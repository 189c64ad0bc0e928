"""`--scorer brief`: is the answer no longer than the reference's?"""

from __future__ import annotations

from alpha_umi import RoleName
from alpha_umi.evaluation.static import Judgement, Prediction, Scorer, mean, strict_scorer


def judge(prediction: Prediction) -> Judgement:
    """The strict scorer's plan, and one metric more."""
    judged = strict_scorer.judge(prediction)
    scores = {"plan_acc": judged.scores["plan_acc"]}
    if RoleName.SUMMARIZER in prediction.reference:
        answer = prediction.predicted.get(RoleName.SUMMARIZER, "")
        scores["brief"] = float(len(answer) <= len(prediction.reference[RoleName.SUMMARIZER]))
    return judged._replace(scores=scores)


SCORER = Scorer(judge=judge, metrics={"plan_acc": mean, "brief": mean})
