"""What the columns of the Sales process page are called, where no other page has them."""

LABELS = {
    "fact": "Fact",
    "about": "Of",
    "basis": "Compared",
    "at_age_days": "At the age of",
    "unit": "Unit",
    "is_difference": "Differ",
    "candidate": "Model",
    "is_chosen": "Chosen then",
    "n_looks": "Looks at deals",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "auc": "ROC AUC",
    "average_precision": "Average precision",
    "calibration_slope": "Calibration slope",
    "calibration_intercept": "Calibration intercept",
    "difference_to_constant": "Log loss, against the overall rate",
    "predicted": "Probability said",
    "observed": "Share won",
    "skill": "Skill",
    "group": "Group",
    "wins": "Expected wins",
    "wins_more": "Wins more",
    "revenue_more": "Revenue more",
    "value": "Value",
    "is_now": "As things are",
    "by_date": "Won by",
    "at_date": "On",
    "close_date": "Likely close",
    "action_label": "Proposed",
    "side_label": "Waiting on",
    "row": "Place",
    "probability_before": "Probability then",
    "change": "Change",
    "moved_with": "With",
}
#: Columns that are shares, whatever their name ends in.
SHARES = ("probability", "probability_before", "predicted", "observed", "skill", "gain")
#: Columns in which the third decimal tells.
FINE = ("log_loss", "difference_to_constant", "brier", "auc", "average_precision")
