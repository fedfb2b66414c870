//! Parties: who acts, with which key, from which place, under which licence.

use crate::error::Result;
use crate::issue::CompanyPrefix;
use crate::keys::{KeyName, address_of, derive};
use crate::world::country::{COUNTRIES, CountryId};
use alloy_primitives::Address;
use model::gs1::Gln;
use model::registry::{
    Licence, LicenceStatus, LicenceType, Party, Registry, Role, Site, Validity, Wallet, WalletStatus,
};

/// What a story needs to know of someone who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Actor {
    /// Number of its head office.
    pub(crate) gln: Gln,
    /// Number of the place that it works at.
    pub(crate) site: Gln,
    /// Its address on every chain.
    pub(crate) address: Address,
    /// Who signs for it.
    pub(crate) signer: Signer,
    /// What it does.
    pub(crate) role: Role,
    /// Where it is.
    pub(crate) country: CountryId,
    /// Its GS1 company prefix.
    pub(crate) prefix: CompanyPrefix,
}

/// Who signs for an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signer {
    /// One key, whose address is the actor's.
    Key(KeyName),
    /// Two members of a multisig, whose contract's address is the actor's.
    Multisig(KeyName, KeyName),
}

/// Someone to be: everything that [`enrol`] needs.
#[derive(Debug, Clone)]
pub(crate) struct Applicant {
    pub(crate) key: KeyName,
    /// Number of the company in its country, below 100,000.
    pub(crate) company: u32,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) country: CountryId,
    pub(crate) multisig: bool,
    /// When all its rows hold.
    pub(crate) validity: Validity,
}

/// Enters an applicant in the registry: party, site, wallet, and the licences of its role.
pub(crate) fn enrol(seed: u64, applicant: &Applicant, registry: &mut Registry) -> Result<Actor> {
    let actor = introduce(seed, applicant)?;
    let Applicant { name, role, validity, .. } = applicant;
    let country = &COUNTRIES[actor.country];
    let (city, lat, lon) = country.cities[(applicant.company % 4) as usize];
    let spread = f64::from(applicant.company % 97) / 970.0;
    registry.parties.push(Party {
        gln: actor.gln,
        name: format!("{name} ({city})"),
        country: country.code.into(),
        role: *role,
        tz: country.tz.into(),
        validity: *validity,
    });
    registry.sites.push(Site {
        gln: actor.site,
        party: actor.gln,
        kind: site_kind(*role).into(),
        lat: Some(lat + spread),
        lon: Some(lon - spread),
        precision_km: Some(0.5),
        validity: *validity,
    });
    registry.wallets.push(Wallet {
        chain: None,
        address: actor.address,
        party: actor.gln,
        status: WalletStatus::Active,
        validity: *validity,
    });
    for kind in licences_of(*role) {
        registry.licences.push(licence(&actor, *kind, LicenceStatus::Active, *validity));
    }
    Ok(actor)
}

/// The actor that an applicant becomes, without any entry: a stranger is one who stays so.
pub(crate) fn introduce(seed: u64, applicant: &Applicant) -> Result<Actor> {
    let prefix = CompanyPrefix::new(COUNTRIES[applicant.country].gs1_prefix, applicant.company);
    let (address, signer) = match (applicant.multisig, applicant.key) {
        (true, KeyName::Party(n)) => {
            let wallet = Address::from_word(derive(seed, &format!("multisig/{n}")));
            (wallet, Signer::Multisig(KeyName::Member(n, 0), KeyName::Member(n, 1)))
        }
        (_, key) => (address_of(seed, key)?, Signer::Key(key)),
    };
    Ok(Actor {
        gln: prefix.gln(0)?,
        site: prefix.gln(1)?,
        address,
        signer,
        role: applicant.role,
        country: applicant.country,
        prefix,
    })
}

/// A licence of an actor in its own country.
pub(crate) fn licence(
    actor: &Actor,
    kind: LicenceType,
    status: LicenceStatus,
    validity: Validity,
) -> Licence {
    Licence { party: actor.gln, kind, jurisdiction: COUNTRIES[actor.country].code.into(), status, validity }
}

/// The licences that a role needs for everything that the stories let it do; its own first.
pub(crate) fn licences_of(role: Role) -> &'static [LicenceType] {
    match role {
        Role::Manufacturer | Role::ContractMaker => &[LicenceType::Manufacturing, LicenceType::Wholesale],
        Role::Repackager => &[LicenceType::Repackaging, LicenceType::Wholesale],
        Role::Wholesaler => &[LicenceType::Wholesale],
        Role::Logistics => &[LicenceType::Logistics, LicenceType::Wholesale],
        Role::Dispenser => &[LicenceType::Dispensing],
        Role::ReverseDistributor => &[LicenceType::Disposal, LicenceType::Wholesale],
        Role::Authority => &[],
    }
}

fn site_kind(role: Role) -> &'static str {
    match role {
        Role::Manufacturer | Role::ContractMaker | Role::Repackager => "plant",
        Role::Wholesaler | Role::Logistics => "warehouse",
        Role::Dispenser => "pharmacy",
        Role::ReverseDistributor => "disposal plant",
        Role::Authority => "office",
    }
}
