//! Sizes in bytes as people write them: `2G`, `512M`.

/// Bytes from a number with an optional unit K, M, G or T, of 1024, in upper or lower case, with or without `iB` or `B`.
pub(super) fn parse(text: &str) -> Result<u64, String> {
    let text = text.trim().to_lowercase();
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = text[digits.len()..].trim();
    let bare = unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b'));
    let factor: u64 = match bare.unwrap_or(unit) {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        "t" => 1 << 40,
        unit => {
            return Err(format!(
                "'{unit}' is no unit; expected K, M, G or T, as in 2G"
            ));
        }
    };
    let malformed = || "expected a number of bytes, such as 2G or 1.5G".to_owned();
    if !digits.contains('.') {
        let number: u64 = digits.parse().map_err(|_| malformed())?;
        let bytes = number.checked_mul(factor).filter(|&n| n > 0);
        return bytes.ok_or_else(out_of_range);
    }
    let is_plain = |c: char| c.is_ascii_digit() || c == '.';
    let number: f64 = match digits.parse() {
        Ok(number) if digits.chars().all(is_plain) => number,
        _ => return Err(malformed()),
    };
    // A fraction of a byte is none.
    let bytes = (number * factor as f64).floor();
    if (1.0..u64::MAX as f64).contains(&bytes) {
        Ok(bytes as u64)
    } else {
        Err(out_of_range())
    }
}

fn out_of_range() -> String {
    "expected between 1 byte and 16 EiB".to_owned()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn sizes_with_and_without_units() {
        assert_eq!(parse("1000"), Ok(1000));
        assert_eq!(parse("2G"), Ok(2 << 30));
        assert_eq!(parse("512 MiB"), Ok(512 << 20));
        assert_eq!(parse("100mb"), Ok(100 << 20));
        assert_eq!(parse("1.5g"), Ok(3 << 29));
        for wrong in [
            "",
            "G",
            "1,5G",
            "-1",
            "-1.5G",
            "0",
            "0.0G",
            "2X",
            "100mibbb",
            "1i",
            "1e3.0",
            "99999999999T",
            "99999999999.5T",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
