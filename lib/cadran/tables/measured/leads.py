"""What the measures of leads return. The columns of `by` come before these."""

import dataframely as dy


class LeadVolumes(dy.Schema):
    """Leads by what has become of them."""

    n_leads = dy.Int64(nullable=False, min=0, description="Leads created in the period")
    n_answered = dy.Int64(nullable=False, min=0, description="Of these, leads a human has answered")
    n_qualified = dy.Int64(nullable=False, min=0, description="Of these, leads that became an opportunity")
    n_rejected = dy.Int64(nullable=False, min=0, description="Of these, leads given up without becoming one")
    n_waiting = dy.Int64(nullable=False, min=0, description="Of these, leads neither qualified nor rejected yet")


class LeadConversion(dy.Schema):
    """Share of the leads that became an opportunity in time. Null where none was followed that long."""

    n_leads = dy.Int64(nullable=False, min=1, description="Leads created in the period")
    n_qualified = dy.Int64(nullable=False, min=0, description="Of these, leads that became an opportunity in time")
    n_young = dy.Int64(nullable=False, min=0, description="Of these, undecided leads younger than that time")
    within_days = dy.Int64(nullable=False, min=0, description="The time")
    conversion_rate = dy.Float64(
        nullable=True, min=0, max=1, description="Share that became an opportunity in time (Aalen and Johansen)"
    )
    conversion_rate_low = dy.Float64(
        nullable=True, min=0, max=1, description="Lower end of the 95 % interval (Rothman)"
    )
    conversion_rate_high = dy.Float64(
        nullable=True, min=0, max=1, description="Upper end of the 95 % interval (Rothman)"
    )


class LeadFirstResponse(dy.Schema):
    """Calendar hours from a lead to its first human answer, unanswered leads included. Null where not reached yet."""

    n_leads = dy.Int64(nullable=False, min=1, description="Leads created in the period")
    n_answered = dy.Int64(nullable=False, min=0, description="Of these, leads a human has answered")
    median_hours = dy.Float64(nullable=True, min=0, description="Hours by which half of the leads had their answer")
    median_hours_low = dy.Float64(nullable=True, min=0, description="Lower end of the 95 % interval")
    median_hours_high = dy.Float64(nullable=True, min=0, description="Upper end of the 95 % interval")
    p90_hours = dy.Float64(nullable=True, min=0, description="Hours by which nine leads in ten had their answer")
    p90_hours_low = dy.Float64(nullable=True, min=0, description="Lower end of the 95 % interval")
    p90_hours_high = dy.Float64(nullable=True, min=0, description="Upper end of the 95 % interval")
    within_hour_share = dy.Float64(nullable=True, min=0, max=1, description="Share answered within an hour")
    within_hour_share_low = dy.Float64(nullable=True, min=0, max=1, description="Lower end of the 95 % interval")
    within_hour_share_high = dy.Float64(nullable=True, min=0, max=1, description="Upper end of the 95 % interval")
    within_day_share = dy.Float64(nullable=True, min=0, max=1, description="Share answered within 24 hours")
    within_day_share_low = dy.Float64(nullable=True, min=0, max=1, description="Lower end of the 95 % interval")
    within_day_share_high = dy.Float64(nullable=True, min=0, max=1, description="Upper end of the 95 % interval")
