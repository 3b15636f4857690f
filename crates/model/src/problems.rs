//! Several problems as one error: who mends the first should not meet the second by the next run.
//!
//! Key type: [`Problems`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// Problems that one message lists.
const MOST_LINES: usize = 20;

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

/// Each line once; one of them alone as it is.
impl<E: fmt::Display> fmt::Display for Problems<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = vec![self.first.to_string()];
        for problem in &self.others {
            let line = problem.to_string();
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        if let [line] = &lines[..] {
            return f.write_str(line);
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
}
