//! Which functions a query may call.
//!
//! A list, so that a new release of the engine brings no function that nobody looked at. Left out are those that make
//! much out of little (`repeat`, `lpad`, `range`, …: one call makes gigabytes that no memory pool sees), those that
//! tell about files and versions, and those that give another answer at each call.

use super::functions::Function;
use datafusion::execution::SessionStateDefaults;
use datafusion::execution::session_state::SessionStateBuilder;

const SCALAR: &[&str] = &[
    // Choice and types.
    "arrow_cast",
    "arrow_try_cast",
    "arrow_typeof",
    "coalesce",
    "greatest",
    "least",
    "nullif",
    "nvl",
    "nvl2",
    "get_field",
    "named_struct",
    "struct",
    // Text.
    "ascii",
    "bit_length",
    "btrim",
    "character_length",
    "chr",
    "concat",
    "concat_ws",
    "contains",
    "ends_with",
    "find_in_set",
    "initcap",
    "left",
    "levenshtein",
    "lower",
    "ltrim",
    "octet_length",
    "overlay",
    "regexp_count",
    "regexp_instr",
    "regexp_like",
    "regexp_match",
    "regexp_replace",
    "replace",
    "reverse",
    "right",
    "rtrim",
    "split_part",
    "starts_with",
    "strpos",
    "substr",
    "substr_index",
    "to_hex",
    "translate",
    "upper",
    // Bytes.
    "decode",
    "encode",
    // Time.
    "current_date",
    "current_time",
    "date_bin",
    "date_part",
    "date_trunc",
    "from_unixtime",
    "make_date",
    "make_time",
    "now",
    "to_char",
    "to_date",
    "to_local_time",
    "to_time",
    "to_timestamp",
    "to_timestamp_micros",
    "to_timestamp_millis",
    "to_timestamp_nanos",
    "to_timestamp_seconds",
    "to_unixtime",
    // Lists.
    "array_any_value",
    "array_append",
    "array_concat",
    "array_distinct",
    "array_element",
    "array_except",
    "array_has",
    "array_has_all",
    "array_has_any",
    "array_intersect",
    "array_length",
    "array_max",
    "array_min",
    "array_position",
    "array_positions",
    "array_prepend",
    "array_remove",
    "array_remove_all",
    "array_replace",
    "array_replace_all",
    "array_reverse",
    "array_slice",
    "array_sort",
    "array_to_string",
    "array_union",
    "cardinality",
    "empty",
    "make_array",
    "string_to_array",
];

const AGGREGATE: &[&str] = &[
    "approx_distinct",
    "approx_median",
    "approx_percentile_cont",
    "array_agg",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "covar_pop",
    "covar_samp",
    "first_value",
    "grouping",
    "last_value",
    "max",
    "median",
    "min",
    "nth_value",
    "percentile_cont",
    "stddev",
    "stddev_pop",
    "string_agg",
    "sum",
    "var",
    "var_pop",
];

/// A session with the functions of the lists and our own.
pub(super) fn with_functions(builder: SessionStateBuilder) -> SessionStateBuilder {
    let mut scalar: Vec<_> = SessionStateDefaults::default_scalar_functions();
    scalar.retain(|function| SCALAR.contains(&function.name()));
    scalar.extend(Function::ALL.map(Function::udf));
    let mut aggregate: Vec<_> = SessionStateDefaults::default_aggregate_functions();
    aggregate.retain(|function| AGGREGATE.contains(&function.name()));
    builder
        .with_expr_planners(SessionStateDefaults::default_expr_planners())
        .with_scalar_functions(scalar)
        .with_aggregate_functions(aggregate)
        .with_window_functions(SessionStateDefaults::default_window_functions())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn names<T>(functions: &[Arc<T>], name: impl Fn(&T) -> &str) -> Vec<String> {
        functions.iter().map(|function| name(function).to_owned()).collect()
    }

    #[test]
    fn every_listed_function_exists() {
        let scalar = names(&SessionStateDefaults::default_scalar_functions(), |function| function.name());
        let aggregate =
            names(&SessionStateDefaults::default_aggregate_functions(), |function| function.name());
        let missing = |list: &[&str], known: &[String]| -> Vec<String> {
            list.iter()
                .filter(|name| !known.iter().any(|known| known == *name))
                .map(|name| (*name).to_owned())
                .collect()
        };
        assert_eq!(missing(SCALAR, &scalar), Vec::<String>::new());
        assert_eq!(missing(AGGREGATE, &aggregate), Vec::<String>::new());
    }
}
