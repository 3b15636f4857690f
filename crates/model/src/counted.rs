//! Counts in words.

use std::fmt::Display;

/// So many, in words: `1 object`, `2 objects`. The plural ends in an s.
#[must_use]
pub fn counted(count: impl Display, what: &str) -> String {
    let count = count.to_string();
    match what.strip_suffix('s') {
        Some(one) if count == "1" => format!("1 {one}"),
        _ => format!("{count} {what}"),
    }
}

/// What so many do: `is` for one, `are` for others.
#[must_use]
pub fn are(count: impl Display) -> &'static str {
    match count.to_string().as_str() {
        "1" => "is",
        _ => "are",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_no_plural() {
        let told = [0_u64, 1, 2, 21].map(|count| counted(count, "objects"));
        assert_eq!(told, ["0 objects", "1 object", "2 objects", "21 objects"]);
        assert_eq!([0, 1, 21].map(are), ["are", "is", "are"]);
    }
}
