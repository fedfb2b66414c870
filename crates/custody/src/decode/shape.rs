//! The shape of an event: where each parameter of a signature stands in a log.
//!
//! Made once from a signature; the key (first topic, number of topics) finds it, its sources read from it.

use super::abi_type::{Kind, Scalar, Type};
use super::layout::Layout;
use super::source::{Place, Source, Step};
use alloy_json_abi::Event;
use alloy_primitives::B256;

/// Most parameters of one event. Solidity's stack allows fewer than 17 values.
const MAX_PARAMS: usize = 32;

/// Most topics beside the first.
const MAX_INDEXED: usize = 3;

/// Where the parameters of an event stand.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) name: Box<str>,
    pub(super) topic0: B256,
    /// Topics of a log of this event, the first included.
    pub(super) topics: u8,
    /// The types of indexed parameters that stand in their topic bare, by topic after the first.
    pub(super) bare: [Option<Scalar>; MAX_INDEXED],
    /// The parameters that are not indexed.
    pub(super) layout: Layout,
    params: Vec<Param>,
}

#[derive(Debug, Clone)]
struct Param {
    name: String,
    ty: Type,
    at: At,
}

#[derive(Debug, Clone, Copy)]
enum At {
    Topic(u8),
    Head(usize),
}

/// Why a path names no field of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PathError {
    /// The event has no such field; it has these.
    Unknown(Vec<String>),
    /// The field is there, but has no single value; one sentence.
    NoValue(String),
}

impl Shape {
    /// The shape of `event`.
    ///
    /// # Errors
    /// One sentence: anonymous, too many topics or parameters, or a type that is not ABI.
    pub(super) fn new(event: &Event) -> Result<Self, String> {
        if event.anonymous {
            return Err("an anonymous event has no topic that names it".into());
        }
        if event.inputs.len() > MAX_PARAMS {
            return Err(format!("more than {MAX_PARAMS} parameters"));
        }
        let mut shape = Self {
            name: event.name.as_str().into(),
            topic0: event.selector(),
            topics: 1,
            bare: [None; MAX_INDEXED],
            layout: Layout::default(),
            params: Vec::with_capacity(event.inputs.len()),
        };
        let (mut data, mut head) = (Vec::new(), 0);
        for input in &event.inputs {
            let ty = Type::parse(&input.ty, &input.components)?;
            let at = if input.indexed {
                At::Topic(shape.index(&ty)?)
            } else {
                let at = At::Head(head);
                head += ty.head_bytes;
                data.push((input.name.clone(), ty.clone()));
                at
            };
            shape.params.push(Param { name: input.name.clone(), ty, at });
        }
        shape.layout = Layout::new(data);
        Ok(shape)
    }

    fn index(&mut self, ty: &Type) -> Result<u8, String> {
        let topic = self.topics;
        let bare = self.bare.get_mut(usize::from(topic) - 1);
        let bare = bare.ok_or_else(|| format!("more than {MAX_INDEXED} indexed parameters"))?;
        if let Kind::Scalar(scalar) = ty.kind
            && !ty.dynamic
        {
            *bare = Some(scalar);
        }
        self.topics += 1;
        Ok(topic)
    }

    /// The source that `path` names: a parameter by name or position, its parts after dots; a list stands for
    /// each of its entries.
    ///
    /// # Errors
    /// See [`PathError`].
    pub(super) fn source(&self, path: &str) -> Result<Source, PathError> {
        let mut segments = path.split('.');
        let first = segments.next().unwrap_or_default();
        let names = self.params.iter().map(|param| param.name.as_str());
        let index = position(names, first)?;
        let Param { ty, at, .. } = &self.params[index];
        match *at {
            At::Topic(topic) => indexed_source(path, ty, topic, segments.next()),
            At::Head(head) => data_source(path, ty, head, segments),
        }
    }
}

/// Finds `segment` among `names`, by name or by position.
fn position<'n>(names: impl Iterator<Item = &'n str> + Clone, segment: &str) -> Result<usize, PathError> {
    let by_name = names.clone().position(|name| !name.is_empty() && name == segment);
    let by_position = || segment.parse::<usize>().ok().filter(|index| *index < names.clone().count());
    by_name.or_else(by_position).ok_or_else(|| {
        PathError::Unknown(
            names
                .clone()
                .enumerate()
                .map(|(index, name)| if name.is_empty() { index.to_string() } else { name.into() })
                .collect(),
        )
    })
}

fn indexed_source(path: &str, ty: &Type, topic: u8, part: Option<&str>) -> Result<Source, PathError> {
    if part.is_some() {
        return Err(PathError::NoValue("is indexed: only the hash of the whole is in the log".into()));
    }
    let (place, scalar) = match &ty.kind {
        Kind::Scalar(scalar) if ty.dynamic => (Place::HashedContent(topic), *scalar),
        Kind::Scalar(scalar) => (Place::Topic(topic), *scalar),
        Kind::List(element, _) => match element.kind {
            Kind::Scalar(scalar) if !element.dynamic => (Place::HashedWords(topic), scalar),
            _ => (Place::HashedWhole(topic), Scalar::FixedBytes(32)),
        },
        Kind::Tuple(_) => (Place::HashedWhole(topic), Scalar::FixedBytes(32)),
    };
    Ok(Source::new(path, place, scalar))
}

fn data_source<'p>(
    path: &str,
    ty: &Type,
    head: usize,
    mut segments: impl Iterator<Item = &'p str>,
) -> Result<Source, PathError> {
    let (mut ty, mut steps, mut listed) = (ty, Vec::new(), false);
    let dynamic = ty.dynamic;
    loop {
        match &ty.kind {
            Kind::Scalar(scalar) => {
                return match segments.next() {
                    None => {
                        Ok(Source::new(path, Place::Data { head, dynamic, steps: steps.into() }, *scalar))
                    }
                    Some(part) => Err(PathError::NoValue(format!("has no part '{part}'"))),
                };
            }
            Kind::List(element, count) => {
                if std::mem::replace(&mut listed, true) {
                    return Err(PathError::NoValue("is a list of lists".into()));
                }
                steps.push(Step::Entry {
                    stride: element.head_bytes,
                    dynamic: element.dynamic,
                    count: *count,
                });
                ty = element;
            }
            Kind::Tuple(parts) => {
                let names = parts.iter().map(|(name, _)| name.as_str());
                let part = segments.next().ok_or_else(|| {
                    let known: Vec<&str> = names.clone().collect();
                    PathError::NoValue(format!("is a tuple: name one of its parts ({})", known.join(", ")))
                })?;
                let index = position(names, part)?;
                let offset = parts[..index].iter().map(|(_, part)| part.head_bytes).sum();
                ty = &parts[index].1;
                steps.push(Step::Part { offset, dynamic: ty.dynamic });
            }
        }
    }
}
