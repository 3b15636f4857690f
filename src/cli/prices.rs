//! What a store and a machine charge, and what a plan comes to by that. Prices are in whatever money they are stated in.
//!
//! Key types: [`Prices`]; [`Cost`].

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::Serialize;

use crate::verbs::send::{RequestCounts, SendPlan};

/// What has a price: a request of each kind, 10⁹ bytes for a month, and a core for an hour.
const PRICED: [&str; 8] = [
    "put", "get", "copy", "head", "list", "delete", GB_MONTH, CORE_HOUR,
];
const GB_MONTH: &str = "gb-month";
const CORE_HOUR: &str = "core-hour";

/// The price of one of each.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Prices(BTreeMap<&'static str, f64>);

/// What a plan costs. What no price is stated of is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Cost {
    /// The requests that have a price.
    pub requests: Option<f64>,
    /// Kinds of requests that have none.
    pub requests_without_price: Vec<&'static str>,
    /// Keeping what is put for a month, at most: its bytes are decoded ones.
    pub month: Option<f64>,
    /// The ranks' time, if it is estimated.
    pub cores: Option<f64>,
}

/// `put=0.005/1000,gb-month=0.023`
impl FromStr for Prices {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut prices = BTreeMap::new();
        for one in text.split(',') {
            let (name, price) = one
                .split_once('=')
                .ok_or_else(|| format!("'{one}' is no price; expected such as put=0.005/1000"))?;
            let name = { PRICED.iter() }
                .find(|known| **known == name.trim())
                .ok_or_else(|| {
                    format!(
                        "'{name}' has no price; expected one of {}",
                        PRICED.join(", ")
                    )
                })?;
            let (price, count) = price.split_once('/').unwrap_or((price, "1"));
            let number = |text: &str| text.trim().parse::<f64>().ok();
            let each = number(price).zip(number(count));
            let each = each.filter(|(price, count)| *price >= 0.0 && *count > 0.0);
            let each = each.map(|(price, count)| price / count);
            let each = each.filter(|each| each.is_finite()).ok_or_else(|| {
                format!(
                    "'{one}' is no price; expected a number, or a number for so many: 0.005/1000"
                )
            })?;
            if prices.insert(*name, each).is_some() {
                return Err(format!("'{name}' has two prices"));
            }
        }
        Ok(Self(prices))
    }
}

impl Prices {
    /// What `plan` comes to, with the core-hours that it is estimated to take.
    pub(super) fn cost(&self, plan: &SendPlan, core_hours: Option<f64>) -> Cost {
        let price = |name: &str| self.0.get(name).copied();
        let mut cost = Cost {
            month: price(GB_MONTH).map(|price| price * plan.bytes as f64 / 1e9),
            cores: price(CORE_HOUR).zip(core_hours).map(|(a, b)| a * b),
            ..Cost::default()
        };
        for (kind, count) in plan.requests.iter().flat_map(RequestCounts::by_kind) {
            match price(kind) {
                Some(price) => {
                    *cost.requests.get_or_insert_default() += price * count as f64;
                }
                None if count > 0 => cost.requests_without_price.push(kind),
                None => {}
            }
        }
        cost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_price_is_told_and_what_has_none_is_named() {
        let prices: Prices = "put=5/1000, get=0.4/1000,gb-month=0.5,core-hour=2"
            .parse()
            .unwrap();
        let requests = RequestCounts {
            put: 2000,
            get: 5000,
            list: 7,
            ..RequestCounts::default()
        };
        let plan = SendPlan {
            bytes: 3_000_000_000,
            requests: Some(requests),
            ..SendPlan::default()
        };
        let expected = Cost {
            requests: Some(12.0),
            requests_without_price: vec!["list"],
            month: Some(1.5),
            cores: None,
        };
        assert_eq!(prices.cost(&plan, None), expected);
        assert_eq!(prices.cost(&plan, Some(3.0)).cores, Some(6.0));
        let directory = SendPlan::default();
        assert_eq!(prices.cost(&directory, None).requests, None);
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for wrong in [
            "",
            "put",
            "put=",
            "put=x",
            "put=-1",
            "put=1/0",
            "put=nan",
            "put=inf",
            "post=1",
            "put=1,put=2",
            "put=1,",
        ] {
            assert!(wrong.parse::<Prices>().is_err(), "{wrong}");
        }
    }
}
