//! Buckets that are named twice: on the line or by one source without a place in it, and by another behind that with one.
//!
//! Key type: [`BucketNames`]. The place goes with its bucket, and so it is lost where the same bucket is named again: what would only be
//! read is shown as it is, but nobody is to change a whole bucket who has one place in it for all commands.

use std::collections::{BTreeMap, BTreeSet};

use clap::{ArgMatches, Command};

use super::{Origin, Setting, flag};
use crate::cli::location::places;

/// The flags that name buckets.
const FLAGS: [&str; 2] = ["bucket", "to-bucket"];

/// What names buckets so far, and which place was left aside.
pub(super) struct BucketNames {
    /// By the flag, without dashes.
    named: BTreeMap<String, String>,
    /// The flag, and why its place does not hold.
    left: Vec<(String, String)>,
}

impl BucketNames {
    /// Those of the line as it was typed.
    pub(super) fn typed(command: &Command, typed: &ArgMatches) -> Self {
        let named = FLAGS.iter().filter_map(|name| {
            let arg = flag(command, name)?;
            let value = typed.get_raw(arg.get_id().as_str())?.next()?;
            Some(((*name).to_owned(), value.to_str()?.to_owned()))
        });
        Self {
            named: named.collect(),
            left: Vec::new(),
        }
    }

    /// A setting holds.
    pub(super) fn hear(&mut self, setting: &Setting) {
        if let Some(text) = setting.text()
            && FLAGS.contains(&&*setting.flag)
        {
            self.named.insert(setting.flag.clone(), text.to_owned());
        }
    }

    /// The place that `origin` says with a `bucket` does not hold.
    pub(super) fn leave(
        &mut self,
        flag: &str,
        bucket: &str,
        of_place: &str,
        place: &str,
        origin: &Origin,
    ) {
        let name = flag.trim_start_matches('-');
        let Some(given) = self.named.get(name) else {
            return;
        };
        // The `/` says that the whole bucket is meant.
        if given.trim_start_matches("s3://") != bucket.trim_start_matches("s3://") {
            return;
        }
        let problem = format!(
            "{flag} {given} is the bucket of {bucket}/{place} ({origin}), without the place in it; give {of_place} {place} as well, or, if \
             another place or the whole bucket is meant, {flag} {bucket}/"
        );
        self.left.push((flag.to_owned(), problem));
    }

    /// Why no place holds, if none of the flags that are `said` is one.
    pub(super) fn lost_place(&self, said: &BTreeSet<String>) -> Option<String> {
        let is_said = |flag: &&str| said.contains(flag.trim_start_matches('-'));
        let lost = { self.left.iter() }.find(|(flag, _)| !places(flag).iter().any(is_said));
        lost.map(|(_, problem)| problem.clone())
    }
}
