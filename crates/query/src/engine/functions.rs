//! Scalar functions of our own: binary columns shown as people write them.
//!
//! All are total: what does not fit gives null, so that no value can make a query fail.

use datafusion::arrow::array::{Array, ArrayRef, BinaryBuilder, StringBuilder};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::cast::{as_binary_array, as_fixed_size_binary_array, as_string_array};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use model::U256;
use std::sync::Arc;

/// Which function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Function {
    /// `hex(binary)`: `0x` and lower-case digits.
    Hex,
    /// `token_decimal(binary)`: 32 bytes big-endian as a decimal number.
    TokenDecimal,
    /// `unhex(text)`: the bytes of hex digits, with or without `0x`.
    Unhex,
}

impl Function {
    /// Every function.
    pub(super) const ALL: [Self; 3] = [Self::Hex, Self::TokenDecimal, Self::Unhex];

    fn name(self) -> &'static str {
        match self {
            Self::Hex => "hex",
            Self::TokenDecimal => "token_decimal",
            Self::Unhex => "unhex",
        }
    }

    /// The function for a registry or an expression.
    pub(super) fn udf(self) -> Arc<ScalarUDF> {
        Arc::new(ScalarUDF::new_from_impl(Udf {
            function: self,
            signature: Signature::any(1, Volatility::Immutable),
        }))
    }

    /// The function that an expression calls, when it is one of ours.
    pub(super) fn of(udf: &ScalarUDF) -> Option<Self> {
        udf.inner().downcast_ref::<Udf>().map(|udf| udf.function)
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Udf {
    function: Function,
    signature: Signature,
}

impl ScalarUDFImpl for Udf {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        let name = self.name();
        match (self.function, arg_types) {
            (_, [DataType::Null]) => Ok(DataType::Utf8),
            (Function::Hex, [DataType::Binary | DataType::FixedSizeBinary(_)]) => Ok(DataType::Utf8),
            (Function::TokenDecimal, [DataType::FixedSizeBinary(32)]) => Ok(DataType::Utf8),
            (Function::Unhex, [DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8]) => {
                Ok(DataType::Binary)
            }
            (Function::Hex, [other]) => plan_err!("{name} takes binary, not {other}"),
            (Function::TokenDecimal, [other]) => plan_err!("{name} takes binary of 32 bytes, not {other}"),
            (Function::Unhex, [other]) => plan_err!("{name} takes text, not {other}"),
            _ => plan_err!("{name} takes one argument"),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types: Vec<DataType> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        // What is not hex has no bytes; the others show every value.
        let nullable =
            self.function == Function::Unhex || args.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), self.return_type(&types)?, nullable)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [arg] = args.args.as_slice() else { return exec_err!("{} takes one argument", self.name()) };
        let is_scalar = matches!(arg, ColumnarValue::Scalar(_));
        let array = arg.to_array(if is_scalar { 1 } else { args.number_rows })?;
        let out: ArrayRef = match (self.function, array.data_type()) {
            (_, DataType::Null) => Arc::new(text(array.len(), |_, _| false)),
            (Function::Unhex, _) => unhex(&array)?,
            (function, DataType::FixedSizeBinary(_)) => {
                let values = as_fixed_size_binary_array(&array)?;
                Arc::new(text(values.len(), |row, out| {
                    values.is_valid(row) && show(function, values.value(row), out)
                }))
            }
            (function, _) => {
                let values = as_binary_array(&array)?;
                Arc::new(text(values.len(), |row, out| {
                    values.is_valid(row) && show(function, values.value(row), out)
                }))
            }
        };
        if is_scalar {
            return Ok(ColumnarValue::Scalar(datafusion::common::ScalarValue::try_from_array(&out, 0)?));
        }
        Ok(ColumnarValue::Array(out))
    }
}

fn show(function: Function, bytes: &[u8], out: &mut String) -> bool {
    match function {
        Function::TokenDecimal => out.push_str(&U256::from_be_slice(bytes).to_string()),
        Function::Hex | Function::Unhex => {
            out.push_str("0x");
            out.push_str(&hex::encode(bytes));
        }
    }
    true
}

/// A column of text; `write` says whether the row has a value.
fn text(rows: usize, write: impl Fn(usize, &mut String) -> bool) -> datafusion::arrow::array::StringArray {
    let mut builder = StringBuilder::with_capacity(rows, rows * 66);
    let mut value = String::with_capacity(80);
    for row in 0..rows {
        value.clear();
        builder.append_option(write(row, &mut value).then_some(value.as_str()));
    }
    builder.finish()
}

fn unhex(array: &ArrayRef) -> Result<ArrayRef> {
    let array = datafusion::arrow::compute::cast(array, &DataType::Utf8)?;
    let values = as_string_array(&array)?;
    let mut builder = BinaryBuilder::with_capacity(values.len(), values.len() * 32);
    for value in values {
        let digits = value.map(|text| text.strip_prefix("0x").unwrap_or(text));
        builder.append_option(digits.and_then(|digits| hex::decode(digits).ok()));
    }
    Ok(Arc::new(builder.finish()))
}
