//! A report as text for people.

use std::fmt;

use super::Report;
use crate::kpi::{EtaFigures, Quantiles, ToldFigures};

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kpis = &self.kpis;
        let (orders, offers, drivers) = (kpis.orders, kpis.offers, kpis.drivers);
        writeln!(
            out,
            "{}, seed {}: {:.0} minutes, {} restaurants, {} customers, {} drivers\n",
            self.scenario, self.seed, self.minutes, self.restaurants, self.customers, drivers.count
        )?;
        writeln!(out, "orders                      {:>8}", orders.placed)?;
        writeln!(out, "  delivered                 {:>8}", orders.delivered)?;
        writeln!(out, "  cancelled by customers    {:>8}", orders.cancelled)?;
        writeln!(out, "  rejected by restaurants   {:>8}", orders.rejected)?;
        writeln!(out, "  without a driver          {:>8}", orders.no_driver)?;
        writeln!(out, "  open at the end           {:>8}", orders.open)?;
        row(out, "undelivered", kpis.undelivered_share * 100.0, "%")?;
        row(out, "later than 40 min", kpis.late_share * 100.0, "%")?;
        writeln!(
            out,
            "\nminutes                         mean      p50      p90"
        )?;
        quantiles(out, "click to door", kpis.click_to_door_min)?;
        quantiles(out, "ready to pickup", kpis.ready_to_pickup_min)?;
        quantiles(out, "accepted to assigned", kpis.accepted_to_assigned_min)?;
        writeln!(out)?;
        etas(out, kpis.etas)?;
        writeln!(out)?;
        row(out, "drivers' hours on duty", drivers.on_duty_hours, "h")?;
        row(out, "utilization", drivers.utilization * 100.0, "%")?;
        row(
            out,
            "orders per driver hour",
            drivers.orders_per_driver_hour,
            "",
        )?;
        writeln!(
            out,
            "offers                      {:>8}   accepted {}, declined {}, expired {}, revoked {}",
            offers.made, offers.accepted, offers.declined, offers.expired, offers.revoked
        )?;
        writeln!(out, "pings                       {:>8}", kpis.pings)?;
        for (reason, count) in &self.rejections {
            writeln!(out, "refused by dispatch: {reason}, {count} times")?;
        }
        for violation in &self.violations {
            writeln!(out, "VIOLATION {violation}")?;
        }
        writeln!(out, "\ndigest {}", self.digest)
    }
}

fn row(out: &mut fmt::Formatter<'_>, name: &str, value: f64, unit: &str) -> fmt::Result {
    let line = format!("{name:<28}{value:>8.2} {unit}");
    writeln!(out, "{}", line.trim_end())
}

fn quantiles(out: &mut fmt::Formatter<'_>, name: &str, values: Quantiles) -> fmt::Result {
    let Quantiles { mean, p50, p90, .. } = values;
    writeln!(out, "{name:<28}{mean:>8.2} {p50:>8.2} {p90:>8.2}")
}

fn etas(out: &mut fmt::Formatter<'_>, figures: EtaFigures) -> fmt::Result {
    writeln!(
        out,
        "dropoff as told           in band  earlier    later    width    error"
    )?;
    told(out, "with the driver's yes", figures.at_assignment)?;
    told(out, "with the food in hand", figures.at_pickup)?;
    writeln!(
        out,
        "{:<28}{:>8.2} %   of {:.0} %",
        "promises kept",
        figures.promises_kept_share * 100.0,
        figures.promises_nominal_share * 100.0
    )
}

fn told(out: &mut fmt::Formatter<'_>, name: &str, figures: ToldFigures) -> fmt::Result {
    let per_cent = |share: f64| share * 100.0;
    writeln!(
        out,
        "  {name:<22}{:>7.1} %{:>7.1} %{:>7.1} %{:>5.1} min{:>5.1} min",
        per_cent(figures.covered_share),
        per_cent(figures.earlier_share),
        per_cent(figures.later_share),
        figures.width_min,
        figures.absolute_error_min
    )
}
