//! ST-05: an expired item is dispensed or traded.

use super::{Card, Report, Reported, accuse_actor, item_subject, rank};
use crate::cases::Finding;
use crate::scene::Scene;
use model::alert::{RuleCode, Severity};
use model::event::EventKind;

static CARD: Card = Card {
    code: RuleCode("ST-05"),
    version: 1,
    title: "expired",
    rank: rank::REST,
    severity: "dispensed: CRITICAL; moved: MEDIUM",
    trigger: "dispensed after the end of its last day at the place of dispensing, or moved then and not towards disposal or its maker",
    innocent: "returns to a reverse distributor or the maker, destroying; expiry extended by an authority; the last day itself, wherever on earth",
    source: "GS1 AI (17); Directive 2001/83/EC art. 54; RULES §1, two times",
    parameters: &[],
};

/// The rule.
#[derive(Debug)]
pub(super) struct Rule;

impl super::Rule for Rule {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn past_kinds(&self) -> &'static [EventKind] {
        &[
            EventKind::Shipping,
            EventKind::Accepting,
            EventKind::Dispensing,
            EventKind::PartialDispensing,
        ]
    }

    fn look(&self, scene: &Scene<'_>, report: &mut Report<'_>) {
        let severity = match scene.event.kind {
            EventKind::Dispensing | EventKind::PartialDispensing => Severity::Critical,
            EventKind::Shipping | EventKind::Accepting if !scene.is_return_path() => Severity::Medium,
            _ => return,
        };
        let (Some(subject), true) = (item_subject(scene), scene.believed) else { return };
        let Some(day) = expiry_day(scene) else { return };
        // Nowhere does a day end before it begins in UTC: most items need no time zone.
        if scene.at_secs() < midnight_secs(day) {
            return;
        }
        if scene.at_secs() < end_of_day_secs(day, scene.actor_party.map(|party| party.tz.as_str())) {
            return;
        }
        let mut finding = Finding {
            expected: format!("no supply after its last day {}", super::date(day)),
            came: format!("{} by {} at {}", scene.event.kind.as_str(), super::actor(scene), super::time(scene.at_secs())),
            ..report.finding(severity, subject)
        };
        accuse_actor(scene, &mut finding);
        report.push(Reported::Now(finding));
    }
}

/// The last day of use: as commissioned, else as the registry has the lot; the later one where it was extended.
fn expiry_day(scene: &Scene<'_>) -> Option<i32> {
    let item = scene.state.items.get(scene.item?);
    let declared = item.lot.and_then(|lot| scene.state.lots.get(lot).expiry_day);
    let (gtin, lot, at) = (scene.gtin()?, scene.lot?, scene.at_secs());
    let day = declared.or_else(|| scene.registry.lot(gtin, lot, at).map(|lot| lot.expiry_day))?;
    Some(scene.registry.extended_expiry_day(gtin, lot, at).map_or(day, |extended| extended.max(day)))
}

/// The second at which `day` begins in UTC.
fn midnight_secs(day: i32) -> i64 {
    i64::from(day) * 86_400
}

/// The second at which `day` has ended at a place in time zone `tz`; at an unknown place, where it ends last.
fn end_of_day_secs(day: i32, tz: Option<&str>) -> i64 {
    let midnight = midnight_secs(day) + 86_400;
    let zone = tz.and_then(|tz| jiff::tz::TimeZone::get(tz).ok());
    let local = zone.and_then(|zone| {
        let date = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(i64::from(day) + 1)).ok()?;
        date.to_zoned(zone).ok().map(|zoned| zoned.timestamp().as_second())
    });
    // UTC−12 is the zone in which a day ends last.
    local.unwrap_or(midnight + 12 * 3_600)
}

#[cfg(test)]
mod tests {
    use super::end_of_day_secs;

    #[test]
    fn a_day_ends_when_it_ends_at_the_place() {
        let midnight = 20_000 * 86_400;
        assert_eq!(end_of_day_secs(19_999, Some("UTC")), midnight);
        assert_eq!(end_of_day_secs(19_999, Some("Asia/Tokyo")), midnight - 9 * 3_600);
        assert_eq!(end_of_day_secs(19_999, None), midnight + 12 * 3_600);
        assert_eq!(end_of_day_secs(19_999, Some("Mars/Olympus")), midnight + 12 * 3_600);
    }
}
