//! Texts within SVG and HTML, and on a terminal.

/// `text` in one line without what is not seen but changes how the rest is: control characters, which a terminal obeys and XML cannot
/// hold, and those that turn the direction of letters. Each becomes U+FFFD.
#[must_use]
pub fn harmless(text: &str) -> String {
    let shown = |character| match character {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
        character if is_hidden(character) => '\u{fffd}',
        character => character,
    };
    text.chars().map(shown).collect()
}

/// The same of several lines, which stay lines.
#[must_use]
pub fn harmless_lines(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(harmless).collect();
    lines.join("\n")
}

/// A document of JSON that says the same and has nothing of that kind.
#[must_use]
pub fn harmless_json(document: &str) -> String {
    escaped_hidden(document, |character| {
        let mut units = [0; 2];
        let units = character.encode_utf16(&mut units).iter();
        units.map(|unit| format!("\\u{unit:04x}")).collect()
    })
}

/// `text` with what `escape` makes of each character of that kind, but for the ends of lines.
#[must_use]
pub fn escaped_hidden(text: &str, escape: impl Fn(char) -> String) -> String {
    let mut all = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hidden(character) && character != '\n' {
            all.push_str(&escape(character));
        } else {
            all.push(character);
        }
    }
    all
}

/// Is it a control character, or one of Unicode that is not seen and changes what is? Joiners, which some scripts need, are none.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{061c}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{fffe}'
                | '\u{ffff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// `text` as it stands between tags or in quotes, in SVG and HTML alike: nothing in it is markup, and all is [`harmless`].
pub(crate) fn escaped(text: &str) -> String {
    let mut all = String::with_capacity(text.len());
    for character in harmless(text).chars() {
        match character {
            '&' => all.push_str("&amp;"),
            '<' => all.push_str("&lt;"),
            '>' => all.push_str("&gt;"),
            '"' => all.push_str("&quot;"),
            '\'' => all.push_str("&#39;"),
            character => all.push(character),
        }
    }
    all
}

/// Three parts of a text as `escaped`, of which the middle one comes from a file: whatever direction its letters run in, the others keep
/// theirs. It stands between Unicode's isolates, as references, for what has no markup; HTML has `bdi`.
#[must_use]
pub fn escaped_apart(parts: &[String; 3]) -> String {
    let [before, name, after] = parts.each_ref().map(|part| escaped(part));
    format!("{before}&#x2068;{name}&#x2069;{after}")
}

/// As much of `text` as fits into `width` pixels at this size of the letters.
pub(crate) fn fitting(text: &str, width: f64, size: f64) -> String {
    if width_of(text, size) <= width {
        return text.to_owned();
    }
    let mut room = width - size * LETTER;
    let cut = text.chars().take_while(|character| {
        room -= letter(*character) * size;
        room >= 0.0
    });
    let cut: String = cut.collect();
    format!("{}…", cut.trim_end())
}

/// How wide a letter of a sans-serif font is as a part of its size, in the mean.
const LETTER: f64 = 0.6;

/// The same of capital letters.
const CAPITAL: f64 = 0.75;

/// About how many pixels `text` takes at this size of the letters.
pub(crate) fn width_of(text: &str, size: f64) -> f64 {
    text.chars().map(letter).sum::<f64>() * size
}

/// Those of East Asia, what stands for what is no letter, and the widest ones are as wide as they are high.
fn letter(character: char) -> f64 {
    match character {
        'M' | 'W' | 'm' | 'w' | '%' | '@' | '…' | '—' | '\u{2e80}'.. => 1.0,
        character if character.is_uppercase() => CAPITAL,
        _ => LETTER,
    }
}
