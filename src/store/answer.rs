//! What a server, TLS or the network said, in words that hold no secret.
//!
//! Key functions: [`said`], the cause of a failed request; [`scrub`]; [`distrust`], what TLS refuses.

use std::error::Error;

use object_store::client::{HttpError, HttpErrorKind};

use super::fence::FencedRequest;

/// What the server or the network said: the S3 error's code and message where there is one, else the innermost cause.
pub(super) fn said(error: &object_store::Error) -> String {
    let text = error.to_string();
    let element = |name: &str| {
        let start = text.find(&format!("<{name}>"))? + name.len() + 2;
        let end = text[start..].find(&format!("</{name}>"))? + start;
        Some(text[start..end].to_owned())
    };
    match (element("Code"), element("Message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code,
        _ => innermost(error),
    }
}

/// The cause of all causes.
pub(super) fn innermost(error: &(dyn Error + 'static)) -> String {
    chain(error)
        .last()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

/// The codes by which S3 servers refuse access.
const REFUSALS: [&str; 7] = [
    "AccessDenied",
    "AllAccessDisabled",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
];

/// Does the server refuse access? `said` is what it said.
pub(super) fn is_refusal(said: &str) -> bool {
    let code = said.split(':').next().unwrap_or_default();
    REFUSALS.contains(&code)
}

/// The codes by which servers say that a body is not what was announced.
const GARBLED: [&str; 4] = [
    "BadDigest",
    "IncompleteBody",
    "XAmzContentChecksumMismatch",
    "XAmzContentSHA256Mismatch",
];

/// Did a body come to the server as another than it left? `said` is what it said.
pub(super) fn is_garbled(said: &str) -> bool {
    let code = said.split(':').next().unwrap_or_default();
    GARBLED.contains(&code)
}

/// The HTTP status of the server's answer, if it gave one.
pub(super) fn status(error: &object_store::Error) -> Option<u16> {
    let text = error.to_string();
    let (_, after) = text.split_once("status code: ")?;
    after.get(..3)?.parse().ok()
}

/// Did the request, or its answer, get lost on the way?
pub(super) fn is_transport(error: &object_store::Error) -> bool {
    chain(error).any(<dyn Error>::is::<HttpError>)
}

/// Did the fence keep the request back, or cut it off?
pub(super) fn is_fenced(error: &object_store::Error) -> bool {
    chain(error).any(<dyn Error>::is::<FencedRequest>)
}

/// Did no connection come about?
pub(super) fn is_unreachable(error: &object_store::Error) -> bool {
    let connect =
        |e: &HttpError| matches!(e.kind(), HttpErrorKind::Connect | HttpErrorKind::Timeout);
    chain(error).any(|cause| cause.downcast_ref::<HttpError>().is_some_and(connect))
}

/// What to do when it is TLS that refuses the server; `said` are rustls's words for it.
pub(super) fn distrust(said: &str) -> Option<&'static str> {
    if said.contains("InvalidContentType") {
        return Some(
            "the server does not speak TLS there: check https and the port in endpoint_url",
        );
    }
    if !said.contains("invalid peer certificate") {
        return None;
    }
    // A bad signature is that of another authority of the same name.
    Some(
        if said.contains("UnknownIssuer") || said.contains("BadSignature") {
            "no authority this machine trusts has signed it: if a private one has, give that authority's certificate \
         with --ca-bundle FILE"
        } else if said.contains("not valid for name") || said.contains("NotValidForName") {
            "it is for another host: check endpoint_url; --ca-bundle does not help here"
        } else if said.contains("expired") || said.contains("Expired") {
            "it has expired: check this machine's clock, or ask who runs the server; --ca-bundle does not help here"
        } else {
            "check the server's certificate, and the one given with --ca-bundle if there is one"
        },
    )
}

/// The error and its causes, the innermost last.
pub(super) fn chain<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

/// `text` without any of the secrets, be they as they are or as URLs and XML write them.
pub(super) fn scrub(text: &str, secrets: &[String]) -> String {
    let mut forms: Vec<String> = Vec::new();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        let in_url = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let in_xml = secret
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        forms.extend([secret.clone(), in_url, in_xml]);
    }
    // Longest first: a secret within another must not leave the rest of it.
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms.iter().fold(text.to_owned(), |text, form| {
        text.replace(form.as_str(), "***")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_form_of_a_secret_is_left() {
        let secrets = ["ab", "ab/c+d&e=", ""].map(str::to_owned);
        let text = "raw ab/c+d&e= url ab%2Fc%2Bd%26e%3D xml ab/c+d&amp;e= short ab end";
        assert_eq!(
            scrub(text, &secrets),
            "raw *** url *** xml *** short *** end"
        );
        assert_eq!(scrub("nothing", &[]), "nothing");
    }
    #[test]
    fn refusals_are_told_by_their_codes() {
        for said in ["AccessDenied: Signature is required", "InvalidToken"] {
            assert!(is_refusal(said), "{said}");
        }
        for said in ["SlowDown: AccessDenied", "", "connection reset"] {
            assert!(!is_refusal(said), "{said}");
        }
    }
}
