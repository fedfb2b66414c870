//! Contracts of tests/solidity: what was compiled, and calls of their functions with arguments as text.

use super::tools;
use alloy_dyn_abi::{DynSolType, DynSolValue, JsonAbiExt, Specifier};
use alloy_json_abi::{JsonAbi, Param};
use alloy_primitives::{Address, Bytes};
use serde::Deserialize;
use serde_json::{Value, json};

/// More than any transaction of a test uses, and within the limit of a transaction that newer forks have.
const GAS: u64 = 16_000_000;

/// A transaction that is to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Who signs it.
    pub(crate) from: Address,
    /// The contract; `None` makes one.
    pub(crate) to: Option<Address>,
    /// What is asked of it.
    pub(crate) input: Bytes,
    /// Fields beside these: type, prices, access list.
    pub(crate) more: Value,
}

impl Call {
    /// The parameter of `eth_sendTransaction`.
    pub(crate) fn as_json(&self) -> Value {
        let mut call = json!({ "from": self.from, "data": self.input, "gas": format!("{GAS:#x}") });
        if let Some(to) = self.to {
            call["to"] = json!(to);
        }
        for (name, value) in self.more.as_object().into_iter().flatten() {
            call[name] = value.clone();
        }
        call
    }

    /// The same with more fields.
    pub(crate) fn with(self, more: Value) -> Self {
        Self { more, ..self }
    }
}

/// A contract on a chain.
#[derive(Debug, Clone)]
pub(crate) struct Contract {
    pub(crate) address: Address,
    abi: JsonAbi,
}

impl Contract {
    pub(super) fn new(address: Address, abi: JsonAbi) -> Self {
        Self { address, abi }
    }

    /// A call of a function. Arguments are text: numbers, addresses, `[a, b]`, `(a, b)`.
    pub(crate) fn call(&self, from: Address, function: &str, arguments: &[&str]) -> Call {
        let functions = self.abi.function(function).unwrap_or_else(|| panic!("no function {function}"));
        let function = functions.first().expect("a function has a form");
        let values = values(&function.inputs, arguments);
        let input =
            function.abi_encode_input(&values).unwrap_or_else(|error| panic!("{}: {error}", function.name));
        Call { from, to: Some(self.address), input: input.into(), more: json!({}) }
    }
}

/// What the compiler made of a contract: its ABI and its code.
pub(super) fn compiled(name: &str) -> (JsonAbi, Bytes) {
    #[derive(Deserialize)]
    struct Compiled {
        abi: JsonAbi,
        bytecode: Bytes,
    }
    let path = tools().join(format!("build/{name}.json"));
    let text = std::fs::read_to_string(&path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}: tests/run compiles it", path.display()));
    let Compiled { abi, bytecode } = serde_json::from_str(&text).expect("an ABI and code");
    (abi, bytecode)
}

/// The transaction that makes a contract.
pub(super) fn creation(abi: &JsonAbi, code: Bytes, from: Address, arguments: &[&str]) -> Call {
    let inputs =
        abi.constructor.as_ref().map(|constructor| constructor.inputs.as_slice()).unwrap_or_default();
    let values = DynSolValue::Tuple(values(inputs, arguments)).abi_encode_params();
    Call { from, to: None, input: [code.to_vec(), values].concat().into(), more: json!({}) }
}

fn values(params: &[Param], arguments: &[&str]) -> Vec<DynSolValue> {
    assert_eq!(params.len(), arguments.len(), "{params:?} from {arguments:?}");
    let value = |(param, text): (&Param, &&str)| {
        let ty: DynSolType = param.resolve().expect("a type of Solidity");
        ty.coerce_str(text).unwrap_or_else(|error| panic!("{} {}: '{text}': {error}", param.ty, param.name))
    };
    params.iter().zip(arguments).map(value).collect()
}
