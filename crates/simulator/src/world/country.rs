//! The countries of the world: what of each the stories need.

/// A country.
#[derive(Debug)]
pub(crate) struct Country {
    /// ISO 3166-1 alpha-2.
    pub(crate) code: &'static str,
    /// First two digits of its GS1 company prefixes.
    pub(crate) gs1_prefix: u8,
    /// IANA time zone of its companies.
    pub(crate) tz: &'static str,
    /// Offset of that zone in winter, seconds east of UTC: when people come to work.
    pub(crate) utc_offset_secs: i64,
    /// What companies put after their names.
    pub(crate) legal_form: &'static str,
    /// What pharmacies put before their names.
    pub(crate) pharmacy: &'static str,
    /// Cities: name, degrees north, degrees east.
    pub(crate) cities: [(&'static str, f64, f64); 4],
    /// Countries, by code, that its makers' products are licensed in.
    pub(crate) markets: &'static [&'static str],
}

/// Place of a country in [`COUNTRIES`].
pub(crate) type CountryId = usize;

/// United States: every hop is reported.
pub(crate) const US: CountryId = 0;
/// Germany.
pub(crate) const DE: CountryId = 1;
/// France.
pub(crate) const FR: CountryId = 2;
/// Italy.
pub(crate) const IT: CountryId = 3;
/// Switzerland.
pub(crate) const CH: CountryId = 4;
/// Brazil: its registry is a partner's contract.
pub(crate) const BR: CountryId = 5;

/// All of them.
pub(crate) static COUNTRIES: [Country; 6] = [
    Country {
        code: "US",
        gs1_prefix: 3,
        tz: "America/New_York",
        utc_offset_secs: -5 * 3_600,
        legal_form: "Inc.",
        pharmacy: "Corner Drug",
        cities: [
            ("Newark", 40.74, -74.17),
            ("Columbus", 39.96, -83.0),
            ("Atlanta", 33.75, -84.39),
            ("Richmond", 37.54, -77.44),
        ],
        markets: &["US"],
    },
    Country {
        code: "DE",
        gs1_prefix: 40,
        tz: "Europe/Berlin",
        utc_offset_secs: 3_600,
        legal_form: "GmbH",
        pharmacy: "Apotheke",
        cities: [
            ("Hannover", 52.37, 9.73),
            ("Leipzig", 51.34, 12.37),
            ("Mainz", 50.0, 8.27),
            ("Ulm", 48.4, 9.99),
        ],
        markets: &["DE", "FR", "IT"],
    },
    Country {
        code: "FR",
        gs1_prefix: 34,
        tz: "Europe/Paris",
        utc_offset_secs: 3_600,
        legal_form: "SAS",
        pharmacy: "Pharmacie",
        cities: [
            ("Lyon", 45.76, 4.84),
            ("Nantes", 47.22, -1.55),
            ("Lille", 50.63, 3.06),
            ("Tours", 47.39, 0.69),
        ],
        markets: &["FR", "DE"],
    },
    Country {
        code: "IT",
        gs1_prefix: 80,
        tz: "Europe/Rome",
        utc_offset_secs: 3_600,
        legal_form: "S.p.A.",
        pharmacy: "Farmacia",
        cities: [
            ("Bologna", 44.49, 11.34),
            ("Torino", 45.07, 7.69),
            ("Parma", 44.8, 10.33),
            ("Bari", 41.12, 16.87),
        ],
        markets: &["IT"],
    },
    Country {
        code: "CH",
        gs1_prefix: 76,
        tz: "Europe/Zurich",
        utc_offset_secs: 3_600,
        legal_form: "AG",
        pharmacy: "Apotheke",
        cities: [("Basel", 47.56, 7.59), ("Bern", 46.95, 7.45), ("Zug", 47.17, 8.52), ("Chur", 46.85, 9.53)],
        markets: &["CH"],
    },
    Country {
        code: "BR",
        gs1_prefix: 78,
        tz: "America/Sao_Paulo",
        utc_offset_secs: -3 * 3_600,
        legal_form: "Ltda.",
        pharmacy: "Farmácia",
        cities: [
            ("Campinas", -22.91, -47.06),
            ("Curitiba", -25.43, -49.27),
            ("Recife", -8.05, -34.9),
            ("Santos", -23.96, -46.33),
        ],
        markets: &["BR"],
    },
];

/// The country of a code; the first when there is none such.
pub(crate) fn by_code(code: &str) -> CountryId {
    COUNTRIES.iter().position(|country| country.code == code).unwrap_or(US)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_places_hold_their_countries() {
        for (id, code) in [(US, "US"), (DE, "DE"), (FR, "FR"), (IT, "IT"), (CH, "CH"), (BR, "BR")] {
            assert_eq!((COUNTRIES[id].code, by_code(code)), (code, id));
        }
    }
}
