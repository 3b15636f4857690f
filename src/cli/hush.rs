//! Messages without the secrets that URLs can have in them.
//!
//! Key function: [`hushed`].

/// `text` without what its URLs have between `://` and `@`, which can be a password. A password may have `/` and blanks in it: the URL goes
/// on to the end of the line, or of a value that is quoted.
pub(super) fn hushed(text: &str) -> String {
    let mut parts = text.split("://");
    let mut hushed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let ends = ["\n", "' "].into_iter().filter_map(|end| part.find(end));
        let (url, after) = part.split_at(ends.min().unwrap_or(part.len()));
        hushed.push_str("://");
        if let Some((_, behind)) = url.rsplit_once('@') {
            hushed.push_str("****@");
            hushed.push_str(behind);
        } else {
            hushed.push_str(url);
        }
        hushed.push_str(after);
    }
    hushed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_between_the_scheme_and_the_host_is_told() {
        for (text, told) in [
            ("http://u:HUSH@h/x", "http://****@h/x"),
            ("http://HUSH@h", "http://****@h"),
            (
                "'http://u:H/U SH@h' for '--x@y'",
                "'http://****@h' for '--x@y'",
            ),
            ("s3://u:HU@SH@o/a\na@b", "s3://****@o/a\na@b"),
            (
                "'a://HUSH@b' is 'c://HUSH@d'",
                "'a://****@b' is 'c://****@d'",
            ),
            ("s3://ocean/T1y", "s3://ocean/T1y"),
            ("a@b: http://h", "a@b: http://h"),
            ("", ""),
        ] {
            assert_eq!(hushed(text), told);
        }
    }
}
