//! Events of the change that is being taken, as the past that they will be.

use super::{Judged, Rows};
use model::event::Event;
use model::past::{PastQuery, PastStep};

impl Rows {
    /// The events so far that a query of the past asks for.
    pub fn past<'a>(&'a self, query: &'a PastQuery) -> impl Iterator<Item = PastStep> + 'a {
        let steps = self.events.iter().map(|(event, judged)| past_step(event, judged));
        steps.filter(|step| query.wants(step.position.block, step.kind, &step.traits()))
    }
}

/// What the event's row holds of it.
fn past_step(event: &Event, judged: &Judged) -> PastStep {
    PastStep {
        position: event.position,
        tx_hash: event.tx_hash,
        block_time_secs: event.block_time_secs,
        event_time_secs: event.event_time_secs,
        kind: event.kind,
        contract: event.contract,
        token_contract: event.token_contract,
        item: judged.key.clone(),
        lot: judged.lot,
        actor: event.actor,
        from: event.from,
        to: event.to,
        legal: judged.legal,
        tier: judged.tier,
    }
}
