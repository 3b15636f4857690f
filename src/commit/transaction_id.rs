//! Ids of transactions: they sort as the transactions of a store follow each other.

/// The id of a store's transaction of this number: ids sort as the transactions follow each other, and no two are the
/// same, however often a number is tried.
#[must_use]
pub(super) fn new_id(number: u64, token: &str) -> String {
    format!("{number:08}-{token}")
}

/// What comes before the ids of all transactions of this number, and after those of lower ones.
#[must_use]
pub(super) fn before_ids_of(number: u64) -> String {
    format!("{number:08}")
}

/// Is this the id of a transaction: its number, and eight hexadecimal digits?
#[must_use]
pub(crate) fn is_id(text: &str) -> bool {
    text.split_once('-').is_some_and(|(number, rest)| {
        number.len() >= 8
            && number.bytes().all(|b| b.is_ascii_digit())
            && rest.len() == 8
            && rest.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

/// The place of this transaction among those of its store, the create being 1; `None` if this is no id.
#[must_use]
pub(crate) fn number_of(id: &str) -> Option<u64> {
    id.split_once('-')?.0.parse().ok()
}

/// Eight hexadecimal digits that no other run has.
#[must_use]
pub(super) fn token() -> String {
    format!("{:08x}", rand::random::<u32>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_number_and_are_not_repeated() {
        let (a, b) = (token(), token());
        assert_ne!(a, b);
        assert!(new_id(9, &a) < new_id(10, &b));
        assert_eq!(number_of(&new_id(10, &b)), Some(10));
        assert!(is_id(&new_id(10, &b)));
    }
}
