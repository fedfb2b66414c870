//! Reads a contract profile from its TOML text: the keys beside its events.

use super::abi_type::Type;
use super::event_toml::{self, signature_abi};
use super::layout::Layout;
use super::mapping::Mapping;
use super::profile::{Call, ContractProfile, Observability, Standard, TransferMeaning};
use super::profile_error::{ProfileError, ProfileProblem};
use super::standards;
use super::toml_section::{At, Document, Section};
use alloy_json_abi::Function;
use alloy_primitives::{B256, keccak256};
use hashbrown::HashMap;
use model::event::EventKind;
use std::sync::Arc;

/// Most functions whose input is read.
const MAX_CALLS: usize = 64;

/// Longest text of a profile: a hundred times the longest that ships.
const MAX_BYTES: usize = 1 << 20;

const KEYS: &[&str] = &["standard", "transfer", "observability", "abi", "calls", "event"];
const OBSERVABILITY_KEYS: &[&str] = &["steps", "complete_history", "times_at_scan", "forcing_role"];

/// Reads the profile `name`.
///
/// # Errors
/// The first thing that is wrong.
pub(super) fn parse(name: &str, text: &str) -> Result<ContractProfile, ProfileError> {
    let document = Document { name, text };
    if text.len() > MAX_BYTES {
        return Err(document.error(0..0, ProfileProblem::TooMany { what: "bytes", max: MAX_BYTES }));
    }
    let parsed = document.parse()?;
    let root = Section::new(document, 0..0, parsed.get_ref());
    root.only(KEYS)?;
    let standard = root.word("standard", Standard::TABLE)?;
    let standard = standard.ok_or_else(|| root.error(ProfileProblem::MissingKey("standard")))?;
    let transfer = root.word("transfer", TransferMeaning::TABLE)?;
    let transfer = transfer.ok_or_else(|| root.error(ProfileProblem::MissingKey("transfer")))?;
    let abi = signature_abi(&root)?;
    let mut families = Vec::new();
    let own = event_toml::events(&root, abi.as_ref(), &mut families)?;
    if own.is_empty() && standard == Standard::None {
        return Err(root.error(ProfileProblem::Empty));
    }
    let calls = calls(&root)?;
    let observability = observability(&root, standard, transfer, &own)?;
    let mut own_topics: Vec<B256> = own.iter().map(|mapping| mapping.shape.topic0).collect();
    own_topics.sort_unstable();
    own_topics.dedup();
    let mut events: HashMap<_, _> =
        standards::mappings(standard).iter().map(|mapping| (mapping.key(), Arc::clone(mapping))).collect();
    events.extend(own.into_iter().map(|mapping| (mapping.key(), Arc::new(mapping))));
    let name = name.to_owned();
    Ok(ContractProfile { name, standard, transfer, observability, events, own_topics, calls, families })
}

fn observability(
    root: &Section<'_>,
    standard: Standard,
    transfer: TransferMeaning,
    own: &[Mapping],
) -> Result<Observability, ProfileError> {
    let mut steps: Vec<EventKind> = own.iter().flat_map(|mapping| mapping.kind.kinds()).collect();
    if transfer == TransferMeaning::Custody && standard != Standard::None {
        steps.extend([EventKind::Commissioning, EventKind::Accepting, EventKind::Decommissioning]);
    }
    let mut read = Observability { steps, complete_history: false, times_at_scan: false, forcing_role: None };
    if let Some(section) = root.section("observability")? {
        section.only(OBSERVABILITY_KEYS)?;
        read.complete_history = section.flag("complete_history")?;
        read.times_at_scan = section.flag("times_at_scan")?;
        read.forcing_role = section.text("forcing_role")?.map(|role| role_hash(role.value));
        if section.has("steps") {
            let known: Vec<_> = event_toml::kinds().filter(|(kind, _)| kind.is_step()).collect();
            let steps = section.texts("steps")?;
            let steps = steps.iter().map(|step| section.word_of("steps", step, &known));
            read.steps = steps.collect::<Result<_, _>>()?;
        }
    }
    read.steps.retain(|step| step.is_step());
    read.steps.sort_unstable();
    read.steps.dedup();
    Ok(read)
}

/// The hash of a role as OpenZeppelin AccessControl has it: given as hash, or by its name.
fn role_hash(role: &str) -> B256 {
    match role.parse() {
        Ok(hash) => hash,
        Err(_) if role == "DEFAULT_ADMIN_ROLE" => B256::ZERO,
        Err(_) => keccak256(role),
    }
}

fn calls(root: &Section<'_>) -> Result<Vec<Call>, ProfileError> {
    let signatures = root.texts("calls")?;
    if signatures.len() > MAX_CALLS {
        return Err(root.error(ProfileProblem::TooMany { what: "calls", max: MAX_CALLS }));
    }
    signatures.iter().map(|signature| call(root, signature)).collect()
}

fn call(root: &Section<'_>, signature: &At<&str>) -> Result<Call, ProfileError> {
    let bad = |why: String| {
        let problem = ProfileProblem::BadSignature { signature: signature.value.to_owned(), why };
        root.document.error(signature.span.clone(), problem)
    };
    let function =
        Function::parse(signature.value).map_err(|error| bad(event_toml::one_line(&error.to_string())))?;
    let param = |param: &alloy_json_abi::Param| {
        let ty = Type::parse(&param.ty, &param.components).map_err(&bad)?;
        Ok((param.name.clone(), ty))
    };
    let params = function.inputs.iter().map(param).collect::<Result<_, ProfileError>>()?;
    Ok(Call { selector: function.selector().0, layout: Layout::new(params) })
}
