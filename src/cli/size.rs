//! Sizes in bytes as people write them: `2G`, `512M`.

/// Bytes from a whole number with an optional unit K, M, G or T, of 1024, with or without `iB`.
pub(super) fn parse(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let factor: u64 = match text[digits.len()..]
        .trim()
        .trim_end_matches("iB")
        .trim_end_matches('B')
    {
        "" => 1,
        "K" | "k" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        "T" => 1 << 40,
        unit => {
            return Err(format!(
                "'{unit}' is no unit; expected K, M, G or T, as in 2G"
            ));
        }
    };
    let number: u64 = digits
        .parse()
        .map_err(|_| "expected a whole number of bytes, such as 2G".to_owned())?;
    number
        .checked_mul(factor)
        .filter(|&n| n > 0)
        .ok_or_else(|| "expected between 1 byte and 16 EiB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn sizes_with_and_without_units() {
        assert_eq!(parse("1000"), Ok(1000));
        assert_eq!(parse("2G"), Ok(2 << 30));
        assert_eq!(parse("512 MiB"), Ok(512 << 20));
        for wrong in ["", "G", "1.5G", "-1", "0", "2X", "99999999999T"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
