//! What a request asks for, told from its method, path and headers.

use object_store::client::HttpRequest;
use reqwest::Method;
use reqwest::header::HeaderMap;

use crate::events::RequestKind;

/// Does the request change what lies in a bucket? All do that are not known to be others: those that ask for credentials
/// must pass.
pub(super) fn is_changing(request: &HttpRequest) -> bool {
    let (method, uri) = (request.method(), request.uri());
    if [Method::GET, Method::HEAD].contains(method) {
        return false;
    }
    let of_metadata = uri.path() == "/latest/api/token"
        && request
            .headers()
            .contains_key("x-aws-ec2-metadata-token-ttl-seconds");
    let query = uri.query().unwrap_or_default();
    let of_roles = *method == Method::POST && query.contains("Action=AssumeRole");
    !of_metadata && !of_roles
}

/// What the request asks for.
pub(super) fn kind_of(request: &HttpRequest) -> RequestKind {
    let query = request.uri().query().unwrap_or_default();
    let asks = |name: &str| {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.any(|(other, _)| other == name)
    };
    match *request.method() {
        Method::GET if asks("list-type") => RequestKind::List,
        Method::GET => RequestKind::Get,
        Method::HEAD => RequestKind::Head,
        Method::PUT if is_copy(request.headers()) => RequestKind::Copy,
        Method::PUT if request.uri().path() != "/latest/api/token" => RequestKind::Put,
        Method::DELETE => RequestKind::Delete,
        Method::POST if asks("delete") => RequestKind::DeleteMany,
        _ => RequestKind::Other,
    }
}

pub(super) fn is_copy(headers: &HeaderMap) -> bool {
    headers.contains_key("x-amz-copy-source")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn requests_for_credentials_pass() {
        let request = |method: Method, url: &str, header: &'static str| {
            let mut request = HttpRequest::new(Bytes::new().into());
            *request.method_mut() = method;
            *request.uri_mut() = url.parse().unwrap();
            if !header.is_empty() {
                request.headers_mut().insert(header, 1.into());
            }
            request
        };
        let token = "http://169.254.169.254/latest/api/token";
        let ttl = "x-aws-ec2-metadata-token-ttl-seconds";
        let roles = "https://sts.amazonaws.com/?Action=AssumeRoleWithWebIdentity";
        assert!(!is_changing(&request(Method::PUT, token, ttl)));
        assert!(!is_changing(&request(Method::POST, roles, "")));
        assert!(is_changing(&request(Method::PUT, token, "")));
        assert!(is_changing(&request(
            Method::POST,
            "http://s/ocean?delete",
            ""
        )));
        assert!(is_changing(&request(Method::PUT, "http://s/ocean/a", "")));
        assert!(!is_changing(&request(Method::GET, "http://s/ocean/a", "")));
    }
}
