//! Texts within SVG and HTML.

/// `text` as it stands between tags or in quotes, in SVG and HTML alike: nothing in it is markup. Control characters, which XML cannot
/// hold, become U+FFFD.
pub(crate) fn escaped(text: &str) -> String {
    let mut all = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => all.push_str("&amp;"),
            '<' => all.push_str("&lt;"),
            '>' => all.push_str("&gt;"),
            '"' => all.push_str("&quot;"),
            '\'' => all.push_str("&#39;"),
            '\n' | '\r' | '\t' => all.push(' '),
            '\u{fffe}' | '\u{ffff}' => all.push('\u{fffd}'),
            character if character.is_control() => all.push('\u{fffd}'),
            character => all.push(character),
        }
    }
    all
}

/// As much of `text` as fits into `width` pixels at this size of the letters.
pub(crate) fn fitting(text: &str, width: f64, size: f64) -> String {
    // A letter of a sans-serif font is 0.6 times as wide as its size, in the mean.
    let most = (width / (size * 0.6)).max(1.0) as usize;
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let cut: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end())
}
