//! Signing a request anew: when what signed it has been replaced or refused since, or when it has waited for long.
//!
//! Key types: [`Signer`]; [`SignedRequest`], from attempt to attempt.

use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER_PERMISSIVE;
use object_store::CredentialProvider;
use object_store::aws::{AwsAuthorizer, AwsCredential, AwsCredentialProvider};
use object_store::client::{HttpError, HttpErrorKind, HttpRequest, HttpResponse};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode};

use super::access::{Access, Keys};
use super::keyring::{Keyring, LostKeys};
use crate::events::Traffic;

/// What object_store names as the region if nobody names one.
const REGION: &str = "us-east-1";
/// A signature that is older is made again. Servers take those of a quarter of an hour.
const AGE: Duration = Duration::from_secs(300);
/// The codes by which servers say that keys have ended. Some forget such keys, and do not know them any more.
const ENDED: [&str; 6] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "TokenRefreshRequired",
    "InvalidToken",
    "InvalidTokenId",
    "InvalidAccessKeyId",
];

/// What signs the requests of a bucket.
#[derive(Clone, Debug)]
pub(super) struct Signer {
    keys: SigningKeys,
    region: String,
    /// Is told when keys are waited for.
    traffic: Traffic,
}

#[derive(Clone, Debug)]
enum SigningKeys {
    Fixed(Arc<AwsCredential>),
    Renewed(Keyring),
    /// Those that object_store gets itself, once the client is made.
    Cloud(Arc<OnceLock<CloudKeys>>),
}

/// What the client has, which has this in turn.
type CloudKeys = Weak<dyn CredentialProvider<Credential = AwsCredential>>;

impl Signer {
    /// `None` if requests are not signed.
    pub(super) fn new(access: &Access, traffic: Traffic) -> Option<Self> {
        let keys = match &access.keys {
            Keys::Pair {
                token,
                secret,
                session,
            } => SigningKeys::Fixed(Arc::new(AwsCredential {
                key_id: token.clone(),
                secret_key: secret.clone(),
                token: session.clone(),
            })),
            Keys::Renewed(ring) => SigningKeys::Renewed(ring.clone()),
            Keys::Cloud(_) => SigningKeys::Cloud(Arc::default()),
            Keys::Anonymous => return None,
        };
        let region = access.region.clone();
        Some(Self {
            keys,
            region: region.unwrap_or_else(|| REGION.to_owned()),
            traffic,
        })
    }

    /// Tells it who knows the keys of a cloud: the client whose requests it signs.
    pub(super) fn learn(&self, provider: &AwsCredentialProvider) {
        if let SigningKeys::Cloud(known) = &self.keys {
            // Each client of a bucket asks the same cloud.
            known.get_or_init(|| Arc::downgrade(provider));
        }
    }

    /// The same request with a signature that covers headers which came to it since it was signed.
    ///
    /// # Errors
    /// If there are no keys any more.
    pub(super) async fn cover(&self, request: &HttpRequest) -> Result<HttpRequest, HttpError> {
        let unknown = |cause| HttpError::new(HttpErrorKind::Unknown, cause);
        let keys = match &self.keys {
            SigningKeys::Fixed(keys) => Arc::clone(keys),
            SigningKeys::Renewed(ring) => ring.current(&self.traffic).await.map_err(lost)?,
            SigningKeys::Cloud(known) => {
                let provider = known.get().and_then(Weak::upgrade);
                let provider = provider.ok_or_else(|| {
                    let problem = "the keys of the cloud are not known yet".to_owned();
                    lost(LostKeys { problem })
                })?;
                provider.get_credential().await.map_err(unknown)?
            }
        };
        self.sign(request, &keys)
    }

    /// The same request with a signature of now, if it is `old` or what signs has changed.
    ///
    /// # Errors
    /// If there are no keys any more.
    async fn renewed(
        &self,
        request: &HttpRequest,
        old: bool,
    ) -> Result<Option<HttpRequest>, HttpError> {
        let keys = match &self.keys {
            SigningKeys::Fixed(keys) => Arc::clone(keys),
            SigningKeys::Renewed(ring) => ring.current(&self.traffic).await.map_err(lost)?,
            // Asking for them is a request itself, and its own affair.
            SigningKeys::Cloud(_) => return Ok(None),
        };
        if !old && is_signed_by(request.headers(), &keys) {
            return Ok(None);
        }
        self.sign(request, &keys).map(Some)
    }

    /// The same request signed with other keys, if it was refused because its own have ended and there are others.
    ///
    /// # Errors
    /// If there are no keys any more.
    async fn after_refusal(
        &self,
        request: &HttpRequest,
        answer: &HttpResponse,
    ) -> Result<Option<HttpRequest>, HttpError> {
        let SigningKeys::Renewed(ring) = &self.keys else {
            return Ok(None);
        };
        if answer.extensions().get::<EndedKeys>().is_none() {
            return Ok(None);
        }
        let is_refused = |keys: &AwsCredential| is_signed_by(request.headers(), keys);
        match ring.after(is_refused, &self.traffic).await.map_err(lost)? {
            Some(keys) => self.sign(request, &keys).map(Some),
            None if is_wordless(request.method(), answer.status()) => Err(lost(LostKeys {
                problem: format!(
                    "{}: the server refuses its keys (400 to a HEAD), and it has no others: they have ended, most likely",
                    ring.source()
                ),
            })),
            None => Ok(None),
        }
    }

    fn sign(&self, request: &HttpRequest, keys: &AwsCredential) -> Result<HttpRequest, HttpError> {
        let mut signed = request.clone();
        let hash = signed.headers_mut().remove(HASH);
        for header in [AUTHORIZATION.as_str(), TOKEN, DATE] {
            signed.headers_mut().remove(header);
        }
        // What it says of the body stays.
        let hash = hash.unwrap_or_else(|| HeaderValue::from_static(UNSIGNED));
        let digest = HEXLOWER_PERMISSIVE.decode(hash.as_bytes()).ok();
        let authorizer = AwsAuthorizer::new(keys, "s3", &self.region)
            .with_sign_payload(hash.as_bytes() != UNSIGNED.as_bytes());
        authorizer
            .try_authorize(&mut signed, digest.as_deref())
            .map_err(|cause| HttpError::new(HttpErrorKind::Unknown, cause))?;
        Ok(signed)
    }
}

/// A request that is signed anew when need be.
pub(super) struct SignedRequest<'a> {
    /// As object_store has signed it.
    original: &'a HttpRequest,
    signer: Option<&'a Signer>,
    anew: Option<HttpRequest>,
    when: Instant,
    was_refused: bool,
}

impl<'a> SignedRequest<'a> {
    /// A request that was signed just now.
    pub(super) fn new(original: &'a HttpRequest, signer: Option<&'a Signer>) -> Self {
        Self {
            original,
            signer,
            anew: None,
            when: Instant::now(),
            was_refused: false,
        }
    }

    /// The request.
    pub(super) fn get(&self) -> &HttpRequest {
        self.anew.as_ref().unwrap_or(self.original)
    }

    /// Signs it with what signs now, if that is not what has, or if it was long ago.
    ///
    /// # Errors
    /// If there are no keys any more.
    pub(super) async fn keep_good(&mut self) -> Result<(), HttpError> {
        if let Some(signer) = self.signer {
            let is_old = self.when.elapsed() > AGE;
            if let Some(renewed) = signer.renewed(self.get(), is_old).await? {
                self.replace(renewed);
            }
        }
        Ok(())
    }

    /// Was it signed with other keys because this answer says that its own have ended? Once.
    ///
    /// # Errors
    /// If there are no keys any more.
    pub(super) async fn is_replaced_after(
        &mut self,
        answer: &HttpResponse,
    ) -> Result<bool, HttpError> {
        let signer = self.signer.filter(|_| !self.was_refused);
        let Some(signer) = signer else {
            return Ok(false);
        };
        let Some(renewed) = signer.after_refusal(self.get(), answer).await? else {
            return Ok(false);
        };
        self.was_refused = true;
        self.replace(renewed);
        Ok(true)
    }

    fn replace(&mut self, renewed: HttpRequest) {
        self.anew = Some(renewed);
        self.when = Instant::now();
    }
}

const TOKEN: &str = "x-amz-security-token";
const DATE: &str = "x-amz-date";
const HASH: &str = "x-amz-content-sha256";
/// In place of a body's hash.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

fn lost(lost: LostKeys) -> HttpError {
    HttpError::new(HttpErrorKind::Unknown, lost)
}

/// Is this what signed the request?
fn is_signed_by(headers: &HeaderMap, keys: &AwsCredential) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let authorization = text(AUTHORIZATION.as_str()).unwrap_or_default();
    let named = format!("Credential={}/", keys.key_id);
    authorization.contains(&named) && text(TOKEN) == keys.token.as_deref()
}

/// Marks an answer that says that the keys have ended; travels in its extensions.
#[derive(Clone, Copy, Debug)]
pub(super) struct EndedKeys;

/// Does an answer refuse keys that have ended without saying so, as its kind cannot?
fn is_wordless(method: &Method, status: StatusCode) -> bool {
    *method == Method::HEAD && status == StatusCode::BAD_REQUEST
}

/// Does an answer say that the keys have ended? That to a HEAD says nothing but that the request is refused.
pub(super) fn says_ended(method: &Method, status: StatusCode, body: &[u8]) -> bool {
    let refusals = [
        StatusCode::BAD_REQUEST,
        StatusCode::UNAUTHORIZED,
        StatusCode::FORBIDDEN,
    ];
    if !refusals.contains(&status) {
        return false;
    }
    let body = String::from_utf8_lossy(body);
    let code = body.split_once("<Code>");
    match code.and_then(|(_, rest)| rest.split_once("</Code>")) {
        Some((code, _)) => ENDED.contains(&code.trim()),
        None => *method == Method::HEAD,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn keys(name: &str, token: Option<&str>) -> Arc<AwsCredential> {
        Arc::new(AwsCredential {
            key_id: name.to_owned(),
            secret_key: format!("secret of {name}"),
            token: token.map(str::to_owned),
        })
    }

    fn signer(keys: Arc<AwsCredential>) -> Signer {
        Signer {
            keys: SigningKeys::Fixed(keys),
            region: REGION.to_owned(),
            traffic: Traffic::default(),
        }
    }

    #[tokio::test]
    async fn a_request_is_signed_anew_when_its_keys_are_not_those_of_now() {
        let mut request = HttpRequest::new(Bytes::from_static(b"body").into());
        *request.method_mut() = Method::PUT;
        *request.uri_mut() = "http://s/ocean/a".parse().unwrap();
        request
            .headers_mut()
            .insert("if-none-match", "*".parse().unwrap());
        request
            .headers_mut()
            .insert(HASH, UNSIGNED.parse().unwrap());
        let first = signer(keys("first", Some("session")));
        let signed = first.renewed(&request, false).await.unwrap().unwrap();
        let text = |request: &HttpRequest, name: &str| {
            let value = request.headers().get(name);
            value.map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(text(&signed, TOKEN).as_deref(), Some("session"));
        assert_eq!(text(&signed, HASH).as_deref(), Some(UNSIGNED));
        assert!(first.renewed(&signed, false).await.unwrap().is_none());
        assert!(first.renewed(&signed, true).await.unwrap().is_some());
        let second = signer(keys("second", None));
        let again = second.renewed(&signed, false).await.unwrap().unwrap();
        let authorization = text(&again, "authorization").unwrap();
        assert!(authorization.contains("Credential=second/"));
        assert!(authorization.contains("if-none-match"));
        assert!(!authorization.contains(TOKEN));
        assert_eq!(text(&again, TOKEN), None);
        assert_eq!(again.body().as_bytes().unwrap(), "body");
    }

    #[tokio::test]
    async fn what_is_covered_is_signed_with_the_keys_of_now_whoever_has_them() {
        let mut request = HttpRequest::new(Bytes::from_static(b"body").into());
        *request.method_mut() = Method::PUT;
        *request.uri_mut() = "http://s/ocean/a".parse().unwrap();
        let authorization = |request: &HttpRequest| {
            let value = request.headers().get(AUTHORIZATION);
            value.map(|value| value.to_str().unwrap().to_owned())
        };
        let cloud = Signer {
            keys: SigningKeys::Cloud(Arc::default()),
            ..signer(keys("unused", None))
        };
        assert!(
            cloud.cover(&request).await.is_err(),
            "they are not known yet"
        );
        let provider = object_store::StaticCredentialProvider::new(AwsCredential {
            key_id: "cloud".to_owned(),
            secret_key: "secret".to_owned(),
            token: None,
        });
        let provider: AwsCredentialProvider = Arc::new(provider);
        cloud.learn(&provider);
        for (signer, name) in [(cloud, "cloud"), (signer(keys("fixed", None)), "fixed")] {
            let before = signer.cover(&request).await.unwrap();
            assert!(!authorization(&before).unwrap().contains("x-amz-checksum"));
            let mut more = before.clone();
            more.headers_mut()
                .insert("x-amz-checksum-crc32c", "AAAAAA==".parse().unwrap());
            let covered = authorization(&signer.cover(&more).await.unwrap()).unwrap();
            assert!(
                covered.contains(&format!("Credential={name}/")),
                "{covered}"
            );
            assert!(covered.contains(";x-amz-checksum-crc32c;"), "{covered}");
        }
    }

    #[test]
    fn answers_that_say_that_keys_have_ended() {
        let says = |method: Method, status: u16, body: &str| {
            says_ended(
                &method,
                StatusCode::from_u16(status).unwrap(),
                body.as_bytes(),
            )
        };
        let error = |code: &str| format!("<Error><Code>{code}</Code></Error>");
        assert!(says(Method::PUT, 400, &error("ExpiredToken")));
        assert!(says(Method::GET, 403, &error("InvalidAccessKeyId")));
        assert!(says(Method::HEAD, 403, ""));
        assert!(!says(Method::GET, 403, ""));
        assert!(!says(Method::PUT, 403, &error("AccessDenied")));
        assert!(!says(Method::HEAD, 404, ""));
        assert!(!says(Method::PUT, 503, &error("ExpiredToken")));
    }
}
