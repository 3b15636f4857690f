//! Values of a TOML document, each of the type that is expected; and what is wrong with those that are not.
//!
//! Key types: [`RecipeText`], which collects what is wrong; [`Item`], a value where it stands.

use std::cell::RefCell;
use std::ops::Range;

use msm_model::{Attribute, Number, list, meant};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{RecipeProblem, line_of};

/// A text, and what was found to be wrong with it.
pub(super) struct RecipeText<'a> {
    text: &'a str,
    problems: RefCell<Vec<RecipeProblem>>,
}

/// A value with its key.
#[derive(Clone, Copy)]
pub(super) struct Item<'a> {
    pub key: &'a str,
    key_begin_end: (usize, usize),
    pub value: &'a Spanned<DeValue<'a>>,
}

impl<'a> RecipeText<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            problems: RefCell::default(),
        }
    }

    /// Notes a problem.
    pub(super) fn wrong(&self, span: &Range<usize>, problem: String) {
        let problem = RecipeProblem::new(self.text, span, problem);
        self.problems.borrow_mut().push(problem);
    }

    /// `done`, if nothing was wrong.
    pub(super) fn conclude<T>(self, done: T) -> Result<T, Vec<RecipeProblem>> {
        let mut problems = self.problems.into_inner();
        if problems.is_empty() {
            return Ok(done);
        }
        problems.sort_by_key(|problem| (problem.line, problem.column));
        Err(problems)
    }

    /// The line of a key.
    pub(super) fn line(&self, item: &Item<'_>) -> u32 {
        line_of(self.text, &item.key_span())
    }

    /// The items of `table`, in the order in which they were written; a name may not be empty.
    pub(super) fn items<'b>(&self, table: &'b DeTable<'b>) -> Vec<Item<'b>> {
        let mut items: Vec<Item<'b>> = { table.iter() }
            .map(|(key, value)| Item {
                key: key.get_ref(),
                key_begin_end: (key.span().start, key.span().end),
                value,
            })
            .collect();
        items.sort_by_key(|item| item.key_begin_end);
        for item in items.iter().filter(|item| item.key.is_empty()) {
            self.wrong(&item.key_span(), "a name is empty".to_owned());
        }
        items
    }

    /// That `item` is none of the `known` keys of its `place`.
    pub(super) fn unknown(&self, item: &Item<'_>, place: &str, known: &[&str]) {
        let meant = meant(item.key, known.iter().copied());
        let there = list(known.iter().copied());
        self.wrong(
            &item.key_span(),
            format!(
                "unknown key '{}' {place}; expected one of {there}{meant}",
                item.key
            ),
        );
    }

    /// That `item` is no `expected` value.
    fn expected(&self, item: &Item<'_>, expected: &str) {
        let found = described(item.value.get_ref());
        let problem = format!("{}: expected {expected}, found {found}", item.key);
        self.wrong(&item.value.span(), problem);
    }

    /// The table, if it is one.
    pub(super) fn table<'b>(&self, item: &Item<'b>, expected: &str) -> Option<&'b DeTable<'b>> {
        if let DeValue::Table(table) = item.value.get_ref() {
            return Some(table);
        }
        self.expected(item, expected);
        None
    }

    /// The text, if it is one, and not empty.
    pub(super) fn text(&self, item: &Item<'_>, expected: &str) -> Option<String> {
        match item.value.get_ref() {
            DeValue::String(text) if !text.is_empty() => Some(text.clone().into_owned()),
            _ => {
                self.expected(item, expected);
                None
            }
        }
    }

    /// A name that something gets in the store: attributes list names with blanks between them, and keys are made of them.
    pub(super) fn name(&self, item: &Item<'_>, expected: &str) -> Option<String> {
        let name = self.text(item, expected)?;
        let is_sound = |c: char| !c.is_whitespace() && !c.is_control() && c != '/';
        if name.chars().all(is_sound) && name != "." && name != ".." {
            return Some(name);
        }
        let problem = format!(
            "{}: '{name}' is no name for a store: one has no '/' and no blanks",
            item.key
        );
        self.wrong(&item.value.span(), problem);
        None
    }

    /// The texts of a list, each with its line.
    pub(super) fn texts(&self, item: &Item<'_>, expected: &str) -> Vec<(String, u32)> {
        let DeValue::Array(values) = item.value.get_ref() else {
            self.expected(item, expected);
            return Vec::new();
        };
        let mut texts = Vec::new();
        for value in values {
            match value.get_ref() {
                DeValue::String(text) if !text.is_empty() => {
                    let line = line_of(self.text, &value.span());
                    texts.push((text.clone().into_owned(), line));
                }
                other => {
                    let found = described(other);
                    let problem = format!("{}: expected {expected}, found {found}", item.key);
                    self.wrong(&value.span(), problem);
                }
            }
        }
        texts
    }

    /// The truth value, if it is one.
    pub(super) fn boolean(&self, item: &Item<'_>) -> Option<bool> {
        if let DeValue::Boolean(value) = item.value.get_ref() {
            return Some(*value);
        }
        self.expected(item, "true or false");
        None
    }

    /// The finite number, if it is one.
    pub(super) fn number(&self, item: &Item<'_>) -> Option<f64> {
        let number = number(item.value.get_ref()).map(Number::as_f64);
        let number = number.filter(|number| number.is_finite());
        if number.is_none() {
            self.expected(item, "a number");
        }
        number
    }

    /// The whole number from `least` to `most`, if it is one.
    pub(super) fn whole(&self, item: &Item<'_>, least: u64, most: u64) -> Option<u64> {
        let number = match number(item.value.get_ref()) {
            Some(Number::Int(value)) => u64::try_from(value).ok(),
            _ => None,
        };
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            let up_to = match most {
                u64::MAX => String::new(),
                most => format!(" to {most}"),
            };
            self.expected(item, &format!("a whole number from {least}{up_to}"));
        }
        number
    }

    /// The value of an attribute, if it can be one: a text, a finite number, or a list of either.
    pub(super) fn attribute(&self, item: &Item<'_>) -> Option<Attribute> {
        let one = |value: &DeValue<'_>| number(value).filter(|number| number.as_f64().is_finite());
        let value = match item.value.get_ref() {
            DeValue::String(text) => Some(Attribute::Text(text.clone().into_owned())),
            DeValue::Array(values) if !values.is_empty() => {
                let texts = values.iter().map(|value| match value.get_ref() {
                    DeValue::String(text) => Some(text.clone().into_owned()),
                    _ => None,
                });
                let numbers = values.iter().map(|value| one(value.get_ref()));
                let texts: Option<Vec<String>> = texts.collect();
                let numbers: Option<Vec<Number>> = numbers.collect();
                texts
                    .map(Attribute::Texts)
                    .or(numbers.map(Attribute::Numbers))
            }
            value => one(value).map(|number| Attribute::Numbers(vec![number])),
        };
        if value.is_none() {
            self.expected(item, "a text, a number, or a list of texts or of numbers");
        }
        value
    }
}

impl Item<'_> {
    pub(super) fn key_span(&self) -> Range<usize> {
        self.key_begin_end.0..self.key_begin_end.1
    }
}

/// The number that a value is, if it is one that 64 bits hold.
fn number(value: &DeValue<'_>) -> Option<Number> {
    match value {
        DeValue::Integer(whole) => {
            let whole = i64::from_str_radix(whole.as_str(), whole.radix());
            whole.ok().map(Number::Int)
        }
        DeValue::Float(float) => float.as_str().parse().ok().map(Number::Float),
        _ => None,
    }
}

/// A value in a message's words.
pub(in crate::cli) fn described(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) if text.is_empty() => "an empty text".to_owned(),
        DeValue::String(text) => format!("the text \"{text}\""),
        DeValue::Integer(whole) => whole.to_string(),
        DeValue::Float(float) => float.as_str().to_owned(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(time) => format!("the date {time}"),
        DeValue::Array(values) if values.is_empty() => "an empty list".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
