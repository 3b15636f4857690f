//! Several problems as one error: who mends the first should not meet the second by the next run.
//!
//! Key type: [`Problems`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// Problems that one message lists.
const MOST_LINES: usize = 20;
/// Stores that a line names of which the same is said.
const MOST_STORES: usize = 20;

/// One problem or more, in the order in which they were found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problems<E> {
    first: E,
    others: Vec<E>,
}

impl<E> Problems<E> {
    /// All of `problems` as one.
    ///
    /// # Errors
    /// If there is any.
    pub fn together(problems: impl IntoIterator<Item: Into<E>>) -> Result<(), Self> {
        let mut problems = problems.into_iter().map(Into::into);
        let Some(first) = problems.next() else {
            return Ok(());
        };
        let others = problems.collect();
        Err(Self { first, others })
    }

    /// All of them behind `first`, which explains them.
    #[must_use]
    pub fn explained_by(self, first: E) -> Self {
        let others = self.into_iter().collect();
        Self { first, others }
    }

    /// The first of them.
    pub fn into_first(self) -> E {
        self.first
    }

    /// The first of them.
    pub fn first(&self) -> &E {
        &self.first
    }

    /// The one problem that it is.
    ///
    /// # Errors
    /// All of them, if there are more.
    pub fn alone(self) -> Result<E, Self> {
        if self.others.is_empty() {
            Ok(self.first)
        } else {
            Err(self)
        }
    }

    /// The same problems as another room calls them.
    pub fn map<F: From<E>>(self) -> Problems<F> {
        Problems {
            first: self.first.into(),
            others: self.others.into_iter().map(Into::into).collect(),
        }
    }
}

impl<E> From<E> for Problems<E> {
    fn from(first: E) -> Self {
        let others = Vec::new();
        Self { first, others }
    }
}

impl<E> IntoIterator for Problems<E> {
    type Item = E;
    type IntoIter = std::iter::Chain<std::iter::Once<E>, std::vec::IntoIter<E>>;

    fn into_iter(self) -> Self::IntoIter {
        std::iter::once(self.first).chain(self.others)
    }
}

/// Each line once, and once for all stores of which the same is said; one of them alone as it is.
impl<E: fmt::Display> fmt::Display for Problems<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: Vec<SharedLine> = Vec::new();
        for problem in std::iter::once(&self.first).chain(&self.others) {
            let line = SharedLine::new(problem.to_string());
            match lines
                .iter_mut()
                .find(|known| known.template == line.template)
            {
                Some(known) => known.join(line.stores),
                None => lines.push(line),
            }
        }
        if let [line] = &lines[..] {
            return write!(f, "{line}");
        }
        write!(f, "{} problems:", lines.len())?;
        for line in lines.iter().take(MOST_LINES) {
            write!(f, "\n  {line}")?;
        }
        match lines.len().saturating_sub(MOST_LINES) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

/// A line that may be said of several stores.
struct SharedLine {
    /// As it is said of the first of them.
    text: String,
    /// The same, without the names of the store and its variable.
    template: String,
    stores: Vec<String>,
}

impl SharedLine {
    fn new(text: String) -> Self {
        let named = text
            .split_once("store '")
            .and_then(|(_, behind)| behind.split_once('\''));
        let Some((store, _)) = named else {
            return Self {
                template: text.clone(),
                text,
                stores: Vec::new(),
            };
        };
        let store = store.to_owned();
        let name = store.rsplit('/').next().unwrap_or_default();
        let variable = name.strip_suffix(".zarr").unwrap_or(name);
        let template = text.replace(&store, "\0");
        Self {
            template: template.replace(&format!("'{variable}'"), "'\0'"),
            text,
            stores: vec![store],
        }
    }

    fn join(&mut self, stores: Vec<String>) {
        for store in stores {
            if !self.stores.contains(&store) {
                self.stores.push(store);
            }
        }
    }
}

impl fmt::Display for SharedLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        let others = self.stores.get(1..).unwrap_or_default();
        if others.is_empty() {
            return Ok(());
        }
        let shown = others.iter().take(MOST_STORES).map(String::as_str);
        let shown = shown.collect::<Vec<_>>().join(", ");
        write!(f, "; the same of {} more: {shown}", others.len())?;
        match others.len().saturating_sub(MOST_STORES) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for Problems<E> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_itself_and_many_are_counted_once_each() {
        let said = |all: &[&str]| Problems::<String>::together(all.iter().copied());
        assert_eq!(said(&[]), Ok(()));
        assert_eq!(said(&["a", "a"]).unwrap_err().to_string(), "a");
        let two = said(&["a", "b", "a"]).unwrap_err();
        assert_eq!(two.to_string(), "2 problems:\n  a\n  b");
        let many: Vec<String> = (0..30).map(|n| n.to_string()).collect();
        let many = Problems::<String>::together(many).unwrap_err().to_string();
        assert!(many.starts_with("30 problems:\n  0\n"), "{many}");
        assert!(many.ends_with("\n  19\n  and 10 more"), "{many}");
    }

    #[test]
    fn what_is_said_of_several_stores_is_said_once() {
        let of = |store: &str, variable: &str, steps: u32| {
            format!("store 'T1m/{store}.zarr': array '{variable}' has {steps} steps")
        };
        let said = |all: Vec<String>| Problems::<String>::together(all).unwrap_err().to_string();
        let both = said(vec![
            of("tos", "tos", 3),
            of("sos", "sos", 3),
            of("sos", "sos", 3),
        ]);
        let first = of("tos", "tos", 3);
        assert_eq!(both, format!("{first}; the same of 1 more: T1m/sos.zarr"));
        let differ = said(vec![
            of("tos", "tos", 3),
            of("sos", "sos", 4),
            of("zos", "mask", 3),
        ]);
        assert_eq!(differ.matches("store '").count(), 3, "{differ}");
        let many = (0..30).map(|n| of(&format!("v{n}"), "e3t", 3)).collect();
        let many = said(many);
        assert!(many.starts_with(
            "store 'T1m/v0.zarr': array 'e3t' has 3 steps; the same of 29 more: T1m/v1.zarr, "
        ));
        assert!(many.ends_with("T1m/v20.zarr and 9 more"), "{many}");
    }
}
