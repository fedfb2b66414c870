//! Reads `[[event]]` tables: a signature, the step that it is, and which field is what.

use super::expiry::ExpiryFormat;
use super::field_toml::{FieldClass, FieldReader};
use super::fields::{Meanings, QuantityField, ReasonField, TimeField, TimeUnit};
use super::identity::IdentityFields;
use super::layout::Trailing;
use super::mapping::{Fields, KindRule, Mapping};
use super::profile_error::{ProfileError, ProfileProblem};
use super::shape::Shape;
use super::toml_section::{At, Document, Section};
use alloy_json_abi::{Event, JsonAbi};
use model::event::{EventKind, Reason};

/// Most events of one profile.
const MAX_EVENTS: usize = 512;

const KEYS: &[&str] = &[
    "signature",
    "step",
    "step_by_enum",
    "token",
    "range_end",
    "token_contract",
    "item",
    "parent",
    "parent_contract",
    "from",
    "to",
    "actor",
    "time",
    "time_unit",
    "time_offset_secs",
    "place",
    "gtin",
    "serial",
    "lot",
    "expiry",
    "expiry_format",
    "sscc",
    "quantity",
    "quantity_scale",
    "reason",
    "enums",
    "detail",
    "metadata",
    "of",
    "trailing_data",
    "named_contracts_only",
];

/// Reads a text that holds nothing but events.
///
/// # Errors
/// The first thing that is wrong.
pub(super) fn parse_events(name: &str, text: &str) -> Result<Vec<Mapping>, ProfileError> {
    let document = Document { name, text };
    let parsed = document.parse()?;
    let root = Section::new(document, 0..0, parsed.get_ref());
    root.only(&["event"])?;
    events(&root, None, &mut Vec::new())
}

/// The inline ABI, where the profile has one.
pub(super) fn signature_abi(root: &Section<'_>) -> Result<Option<JsonAbi>, ProfileError> {
    let Some(abi) = root.text("abi")? else { return Ok(None) };
    let parsed = JsonAbi::from_json_str(abi.value);
    parsed
        .map(Some)
        .map_err(|error| root.document.error(abi.span, ProfileProblem::BadAbi(one_line(&error.to_string()))))
}

/// Reads the events of `root`; names of other contracts that they speak of go to `families`.
pub(super) fn events(
    root: &Section<'_>,
    abi: Option<&JsonAbi>,
    families: &mut Vec<String>,
) -> Result<Vec<Mapping>, ProfileError> {
    let sections = root.sections("event")?;
    if sections.len() > MAX_EVENTS {
        return Err(root.error(ProfileProblem::TooMany { what: "events", max: MAX_EVENTS }));
    }
    let mut mappings: Vec<Mapping> = Vec::with_capacity(sections.len());
    for section in &sections {
        let mapping = event(section, abi, families)?;
        if mappings.iter().any(|other| other.key() == mapping.key()) {
            let signature = section.required_text("signature")?;
            let problem = ProfileProblem::Duplicate(mapping.shape.name.to_string());
            return Err(section.document.error(signature.span, problem));
        }
        mappings.push(mapping);
    }
    Ok(mappings)
}

/// Every kind with its name.
pub(super) fn kinds() -> impl Iterator<Item = (EventKind, &'static str)> {
    EventKind::TABLE.iter().map(|(kind, name, _)| (*kind, *name))
}

/// A message of another library on one line.
pub(super) fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn event(
    section: &Section<'_>,
    abi: Option<&JsonAbi>,
    families: &mut Vec<String>,
) -> Result<Mapping, ProfileError> {
    section.only(KEYS)?;
    let shape = shape(section, abi)?;
    let reader = FieldReader { section, shape: &shape };
    let fields = fields(&reader)?;
    let kind = kind(&reader)?;
    let of = section.text("of")?.map(|of| {
        families.iter().position(|known| known == of.value).unwrap_or_else(|| {
            families.push(of.value.to_owned());
            families.len() - 1
        })
    });
    let trailing =
        section.word("trailing_data", &[(Trailing::Refused, "refused"), (Trailing::Ignored, "ignored")])?;
    let mut hashed_topics: Vec<u8> = fields.sources().filter_map(|source| source.hashed_topic()).collect();
    hashed_topics.sort_unstable();
    hashed_topics.dedup();
    let listed = fields.sources().any(|source| source.is_listed());
    Ok(Mapping {
        kind,
        fields,
        trailing: trailing.unwrap_or(Trailing::Refused),
        named_contracts_only: section.flag("named_contracts_only")?,
        of,
        hashed_topics,
        listed,
        shape,
    })
}

fn shape(section: &Section<'_>, abi: Option<&JsonAbi>) -> Result<Shape, ProfileError> {
    let signature = section.required_text("signature")?;
    let bad = |why: String| {
        let problem = ProfileProblem::BadSignature { signature: signature.value.to_owned(), why };
        section.document.error(signature.span.clone(), problem)
    };
    if signature.value.contains('(') {
        let event = Event::parse(signature.value).map_err(|error| bad(one_line(&error.to_string())))?;
        return Shape::new(&event).map_err(bad);
    }
    let abi =
        abi.ok_or_else(|| bad("a name alone needs the key 'abi'; else write the parameters too".into()))?;
    match abi.event(signature.value).map(Vec::as_slice) {
        Some([event]) => Shape::new(event).map_err(bad),
        Some(events) => {
            Err(bad(format!("the abi has {} events of that name: write the parameters too", events.len())))
        }
        None => Err(bad("the abi has no such event".into())
            .suggest(signature.value, abi.events.keys().map(String::as_str))),
    }
}

fn kind(reader: &FieldReader<'_, '_>) -> Result<KindRule, ProfileError> {
    let section = reader.section;
    let known: Vec<_> = kinds().collect();
    let step = section.word("step", &known)?;
    let Some(by_value) = section.section("step_by_enum")? else {
        return step.map(KindRule::Fixed).ok_or_else(|| section.error(ProfileProblem::MissingKey("step")));
    };
    by_value.only(&["field", "values"])?;
    let field = by_value.required_text("field")?;
    let source = reader.source("step_by_enum", &field, FieldClass::Enum)?;
    let meanings = reader.meanings(&by_value, "values", &source, &known)?;
    Ok(KindRule::ByValue { source: Box::new(source), meanings, otherwise: step })
}

fn fields(reader: &FieldReader<'_, '_>) -> Result<Fields, ProfileError> {
    let detail = reader.section.texts("detail")?;
    let detail = detail.iter().map(|field| reader.source("detail", field, FieldClass::Any));
    Ok(Fields {
        token: reader.field("token", FieldClass::Id)?,
        range_end: reader.field("range_end", FieldClass::Number)?,
        token_contract: reader.field("token_contract", FieldClass::Address)?,
        parent: reader.field("parent", FieldClass::Id)?,
        parent_contract: reader.field("parent_contract", FieldClass::Address)?,
        from: reader.field("from", FieldClass::Address)?,
        to: reader.field("to", FieldClass::Address)?,
        actor: reader.field("actor", FieldClass::Address)?,
        time: time(reader)?,
        place: reader.field("place", FieldClass::Key)?,
        identity: identity(reader)?,
        quantity: quantity(reader)?,
        reason: reason(reader)?,
        detail: detail.collect::<Result<_, _>>()?,
        metadata: reader.field("metadata", FieldClass::Text)?,
    })
}

fn time(reader: &FieldReader<'_, '_>) -> Result<Option<TimeField>, ProfileError> {
    let section = reader.section;
    let unit = section.word("time_unit", TimeUnit::TABLE)?;
    let offset_secs = section.integer("time_offset_secs")?;
    let Some(source) = reader.field("time", FieldClass::Number)? else {
        reader.refuse_without("time", &["time_unit", "time_offset_secs"])?;
        return Ok(None);
    };
    let unit = unit.unwrap_or(TimeUnit::Seconds);
    Ok(Some(TimeField { source, unit, offset_secs: offset_secs.map_or(0, |offset| offset.value) }))
}

fn identity(reader: &FieldReader<'_, '_>) -> Result<Option<Box<IdentityFields>>, ProfileError> {
    let format = reader.section.word("expiry_format", ExpiryFormat::TABLE)?;
    let expiry = reader.field("expiry", FieldClass::Key)?;
    if expiry.is_none() {
        reader.refuse_without("expiry", &["expiry_format"])?;
    }
    let fields = IdentityFields {
        item: reader.field("item", FieldClass::Text)?,
        gtin: reader.field("gtin", FieldClass::Key)?,
        serial: reader.field("serial", FieldClass::Key)?,
        lot: reader.field("lot", FieldClass::Key)?,
        sscc: reader.field("sscc", FieldClass::Key)?,
        expiry: expiry.map(|source| (source, format.unwrap_or(ExpiryFormat::YearMonthDay))),
    };
    let some = fields.sources().next().is_some();
    Ok(some.then(|| Box::new(fields)))
}

fn quantity(reader: &FieldReader<'_, '_>) -> Result<Option<QuantityField>, ProfileError> {
    let Some(source) = reader.field("quantity", FieldClass::Quantity)? else {
        reader.refuse_without("quantity", &["quantity_scale"])?;
        return Ok(None);
    };
    let (multiply, divide) = match reader.section.text_or_integer("quantity_scale")? {
        None => (1, 1),
        Some(scale) => scale_of(reader.section, &scale)?,
    };
    Ok(Some(QuantityField { source, multiply, divide }))
}

/// `12` or `1/1000`: units = value × scale.
fn scale_of(section: &Section<'_>, scale: &At<String>) -> Result<(u64, u64), ProfileError> {
    let (multiply, divide) = scale.value.split_once('/').unwrap_or((scale.value.as_str(), "1"));
    let part = |text: &str| text.trim().parse::<u64>().ok().filter(|part| *part > 0);
    part(multiply).zip(part(divide)).ok_or_else(|| {
        let (key, given) = ("quantity_scale".to_owned(), scale.value.clone());
        let why = "expected a whole number above 0, or two with a stroke between (12, \"1/1000\")".into();
        section.document.error(scale.span.clone(), ProfileProblem::BadNumber { key, given, why })
    })
}

fn reason(reader: &FieldReader<'_, '_>) -> Result<Option<ReasonField>, ProfileError> {
    let enums = reader.section.section("enums")?;
    if let Some(enums) = &enums {
        enums.only(&["reason"])?;
    }
    let Some(source) = reader.field("reason", FieldClass::Enum)? else {
        reader.refuse_without("reason", &["enums"])?;
        return Ok(None);
    };
    let known: Vec<_> = Reason::TABLE.to_vec();
    let meanings = match enums {
        Some(enums) => reader.meanings(&enums, "reason", &source, &known)?,
        // A text speaks for itself.
        None if source.scalar.is_dynamic() => Meanings {
            numbers: Vec::new(),
            texts: known.iter().map(|(reason, name)| ((*name).to_owned(), *reason)).collect(),
        },
        None => {
            let why = "a number needs its meanings in 'enums.reason'".into();
            return Err(reader.section.error(ProfileProblem::BadEnum { key: "reason".into(), why }));
        }
    };
    Ok(Some(ReasonField { source, meanings }))
}
