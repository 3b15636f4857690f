//! Where the lines read keys: there where this program found them.
//!
//! Key type: [`KeysFrom`].

use std::path::PathBuf;

use super::options::resolved;
use crate::cli::access::variable;
use crate::cli::store::StoreArgs;
use crate::verbs::open::{Reach, Signing};

/// Where keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum KeysFrom {
    /// None are needed.
    Nowhere,
    /// In this JSON file, as `token` and `secret`; perhaps with a `session_token`.
    File {
        /// Its path.
        path: PathBuf,
        /// Has it a session token?
        with_session: bool,
    },
    /// In the `AWS_…` variables of the environment.
    Environment,
    /// In this AWS profile.
    Profile(String),
    /// The cloud gives them to its machines.
    Cloud,
}

impl KeysFrom {
    /// Where the keys are by which the bucket is reached, in the order in which this program asks.
    pub(in crate::cli) fn of(args: &StoreArgs, reach: &Reach) -> Self {
        Self::among(args, reach, &variable)
    }

    fn among(args: &StoreArgs, reach: &Reach, variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let signing = match reach {
            Reach::S3 { signing, .. } => *signing,
            Reach::Directory { .. } => Signing::Anonymous,
        };
        if signing == Signing::Anonymous {
            return Self::Nowhere;
        }
        if let Some(path) = &args.credentials {
            return Self::File {
                // The lines may be run elsewhere.
                path: resolved(path),
                with_session: signing == Signing::SessionKeys,
            };
        }
        if let Some(profile) = &args.profile {
            return Self::Profile(profile.clone());
        }
        if signing == Signing::Cloud {
            return Self::Cloud;
        }
        if variable("AWS_ACCESS_KEY_ID").is_some() {
            return Self::Environment;
        }
        let profile = variable("AWS_PROFILE");
        Self::Profile(profile.map_or_else(|| "default".to_owned(), |name| name.trim().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::open::tests::store_args;

    #[test]
    fn keys_are_where_they_were_found() {
        let args = store_args("-b ocean");
        let with_file = store_args("-b ocean -c /k/c.json");
        let with_profile = store_args("-b ocean --profile lab");
        let reach = |signing| Reach::S3 {
            bucket: "ocean".to_owned(),
            endpoint_url: None,
            region: None,
            virtual_hosted: None,
            ca_bundle: None,
            signing,
        };
        let file = |with_session| KeysFrom::File {
            path: "/k/c.json".into(),
            with_session,
        };
        let profile = |name: &str| KeysFrom::Profile(name.to_owned());
        let (keys, session) = (Signing::Keys, Signing::SessionKeys);
        for (args, signing, environment, expected) in [
            (&with_file, keys, "AWS_ACCESS_KEY_ID", file(false)),
            (&with_file, session, "", file(true)),
            (&with_file, Signing::Anonymous, "", KeysFrom::Nowhere),
            (&with_profile, keys, "AWS_ACCESS_KEY_ID", profile("lab")),
            (&args, session, "AWS_ACCESS_KEY_ID", KeysFrom::Environment),
            (&args, keys, "AWS_PROFILE", profile("AWS_PROFILE's")),
            (&args, keys, "", profile("default")),
            (&args, Signing::Cloud, "", KeysFrom::Cloud),
        ] {
            let variable = |name: &str| (name == environment).then(|| format!("{name}'s"));
            let found = KeysFrom::among(args, &reach(signing), &variable);
            assert_eq!(found, expected, "{signing:?} {environment}");
        }
    }
}
