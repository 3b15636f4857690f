//! The HTTP proxy that requests go by, for messages: a proxy that is down looks like a server that is.
//!
//! Key function: [`proxy_of`], which finds it by the very code by which the HTTP client does.

use std::env::VarError;

use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

/// The variables that name one, whatever the endpoint.
const ALL: [&str; 2] = ["ALL_PROXY", "all_proxy"];

/// `the proxy http://gate:3128 that HTTPS_PROXY names`, without the password that may stand there; `None` if requests to this server go by
/// none.
pub(super) fn proxy_of(
    server: &Url,
    variable: impl Fn(&str) -> Result<String, VarError>,
) -> Option<String> {
    let first = |names: [&'static str; 2]| {
        let mut set = names.into_iter();
        set.find_map(|name| Some((name, variable(name).ok()?)))
    };
    let value = |names| first(names).map_or_else(String::new, |(_, value)| value);
    let (http, https) = (["HTTP_PROXY", "http_proxy"], ["HTTPS_PROXY", "https_proxy"]);
    let matcher = Matcher::builder()
        .all(value(ALL))
        .http(value(http))
        .https(value(https))
        .no(value(["NO_PROXY", "no_proxy"]));
    let proxy = matcher.build().intercept(&server.as_str().parse().ok()?)?;
    let own = if server.scheme() == "https" {
        https
    } else {
        http
    };
    let (name, _) = { first(own).filter(|(_, value)| !value.is_empty()) }.or_else(|| first(ALL))?;
    let proxy = proxy.uri().to_string();
    let proxy = proxy.trim_end_matches('/');
    Some(format!("the proxy {proxy} that {name} names"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxy_is_named_with_its_variable_and_without_its_password() {
        let by = |server: &str, set: &[(&str, &str)]| {
            let variable = |name: &str| {
                let found = set.iter().find(|(set, _)| *set == name);
                found.map_or(Err(VarError::NotPresent), |(_, value)| {
                    Ok((*value).to_owned())
                })
            };
            proxy_of(&Url::parse(server).unwrap(), variable).unwrap_or_default()
        };
        let gate = ("https_proxy", "http://me:HUSH@gate:3128");
        let said = "the proxy http://gate:3128 that https_proxy names";
        assert_eq!(by("https://store.ac.uk", &[gate]), said);
        assert_eq!(by("http://store.ac.uk", &[gate]), "");
        let all = ("ALL_PROXY", "gate:80");
        let said = "the proxy http://gate:80 that ALL_PROXY names";
        assert_eq!(by("http://store.ac.uk/s3", &[gate, all]), said);
        let unlisted = [all, ("NO_PROXY", "ac.uk")];
        assert_eq!(by("http://store.ac.uk", &unlisted), "");
        assert_eq!(by("http://store.ac.uk", &[]), "");
    }
}
