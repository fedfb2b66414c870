//! Noise: what honest chains do all day that looks odd and must raise nothing.

pub(crate) mod making;
pub(crate) mod moving;
pub(crate) mod onchain;
pub(crate) mod recall;
pub(crate) mod retiring;
pub(crate) mod strangers;

use crate::behaviour::{Behaviour, one_chain, two_chains};

/// Every kind of noise.
pub(crate) const ALL: &[Behaviour] = &[
    one_chain("a contract maker mints under delegation", making::under_delegation),
    one_chain("a maker migrates its stock to the new contract", making::migrated),
    two_chains("a pack is bridged to the second chain and sold there", making::bridged),
    one_chain("the sender's upload comes after the receiver's", moving::uploaded_late),
    one_chain("a shipping is voided and made anew", moving::voided),
    one_chain("packs are taken from their case without unpacking", moving::taken_from_case),
    one_chain("a logistics company holds and ships for its principal", moving::held_by_agent),
    one_chain("a logistics company declares for its principal", moving::declared_by_agent),
    one_chain("a pharmacy returns saleable packs, which are sold again", moving::saleable_return),
    one_chain("a new pharmacy gets its licence and its first packs", moving::newcomer),
    one_chain("a licence is renewed in time", moving::renewed_licence),
    one_chain("expired packs go back and are destroyed", retiring::expired),
    one_chain("a lot whose expiry was extended is sold after its first one", retiring::extended),
    one_chain("a pack is decommissioned and reactivated in time", retiring::reactivated),
    one_chain("a pack is dispensed in parts", retiring::in_parts),
    one_chain("damaged packs are withdrawn and destroyed", retiring::damaged),
    one_chain("a theft is reported and the report withdrawn", retiring::not_stolen),
    one_chain("a recalled lot is held, returned and destroyed", recall::whole_lot),
    one_chain("part of a lot is recalled, the rest is sold", recall::serial_range),
    one_chain("a recall in another market does not stop a lot", recall::other_market),
    one_chain("a resolved recall lets packs move again", recall::resolved),
    one_chain("approvals, self-transfers and metadata updates", onchain::token_housekeeping),
    one_chain("plain tokens pass from hand to hand", onchain::vials),
    one_chain("quantities of lots are minted and moved", onchain::lot_quantities),
    one_chain("an unknown registry speaks of unknown products", strangers::other_trade),
    one_chain("unknown contracts log what looks like ours and is not", strangers::junk),
];
