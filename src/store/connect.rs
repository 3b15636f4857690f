//! From [`Access`] to clients of an S3 server: the URL of the bucket, signing, TLS, and patience.
//!
//! Key types: [`Clients`]; [`Endpoint`], the server as users know it; [`ClientTarget`], where a bucket's URL points.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{ClientOptions, RetryConfig};
use reqwest::tls::Certificate;
use url::Url;

use super::access::{Access, Addressing, Keys};
use super::answer::{innermost, scrub};
use super::bucket::Bucket;
use super::error::StoreError;
use super::fence::Fence;
use super::flow::Flow;
use super::http_client::http_client;
use super::keyring::ProvidedKeys;
use super::place::Place;
use super::signature::Signer;
use super::wire::Wire;
use crate::events::{Reporter, Traffic};

/// How long the first request is tried again while the server is busy, fails or does not answer: nothing has begun, and the user waits for a typing error to show.
const HURRY: Duration = Duration::from_secs(3);

/// The clients of one bucket.
pub(super) struct Clients {
    pub patient: AmazonS3,
    /// The same with less patience.
    pub hurried: AmazonS3,
    /// As hurried, and deletes many objects with one request.
    pub bulk: AmazonS3,
    /// What messages call the bucket.
    pub place: String,
    /// The server.
    pub endpoint: Endpoint,
}

/// A server as users know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Where requests go, with the bucket in the host's name if that is the style; without the bucket in the path.
    pub url: Url,
    /// Is the bucket in the host's name?
    pub virtual_hosted: bool,
}

/// Makes the clients, whose changing requests pass `fence`, with so much patience; nothing is asked of the server yet.
pub(super) fn connect(
    bucket: &str,
    access: &Access,
    fence: &Fence,
    flow: &Flow,
    patience: Duration,
    reporter: Arc<dyn Reporter>,
) -> Result<Clients, StoreError> {
    let endpoint = access.endpoint.as_ref();
    let place = format!("s3://{bucket} at {}", shown(endpoint));
    let ClientTarget {
        url,
        virtual_hosted,
    } = target(bucket, endpoint, access.addressing)?;
    let url_of_aws = || {
        let region = access.region.as_deref().unwrap_or("us-east-1");
        let bucket = virtual_hosted.then(|| format!("{bucket}."));
        format!(
            "https://{}s3.{region}.amazonaws.com",
            bucket.unwrap_or_default()
        )
    };
    let reached = url.clone().unwrap_or_else(url_of_aws);
    let reached = Url::parse(&reached).map_err(|cause| StoreError::Addressing {
        problem: format!("{reached}: {cause}"),
    })?;
    let traffic = reporter.traffic();
    let builder = builder(bucket, access, &reached, traffic)
        .with_virtual_hosted_style_request(virtual_hosted);
    let builder = match url {
        Some(url) => builder.with_endpoint(url),
        None => builder,
    };
    let wire = wire(&place, access, fence, flow, patience, reporter)?;
    let hurry = wire.with_patience(HURRY);
    let build = |wire: &Wire, bulk: bool| {
        let builder = builder.clone().with_disable_bulk_delete(!bulk);
        build(builder, wire, &place, access)
    };
    Ok(Clients {
        patient: build(&wire, false)?,
        hurried: build(&hurry, false)?,
        bulk: build(&hurry, true)?,
        place: place.clone(),
        endpoint: Endpoint {
            url: reached,
            virtual_hosted,
        },
    })
}

/// If one server has both buckets and takes the same keys for both, a client that copies: what it copies are keys of the bucket
/// `from`, and what it makes of them keys of `to`.
///
/// # Errors
/// If it cannot be made.
pub(super) fn copying(from: &Bucket, to: &Bucket) -> Result<Option<AmazonS3>, StoreError> {
    let Some(Endpoint {
        url: reached,
        virtual_hosted,
    }) = to.endpoint()
    else {
        return Ok(None);
    };
    let (source, target) = (&from.opened.connection, &to.opened.connection);
    let (Place::S3 { bucket }, Place::S3 { bucket: other }) = (&source.place, &target.place) else {
        return Ok(None);
    };
    let access = target.access.as_ref();
    let Some(access) = access.filter(|access| source.access.as_ref() == Some(access)) else {
        return Ok(None);
    };
    let mut url = reached.as_str().trim_end_matches('/').to_owned();
    if !virtual_hosted {
        url = format!("{url}/{other}");
    }
    let reporter = Arc::clone(&to.opened.reporter);
    let (fence, flow) = (to.fence(), to.flow());
    let listener = Arc::clone(&reporter);
    let wire = wire(to.place(), access, fence, flow, target.patience, listener)?;
    let builder = builder(bucket, access, reached, reporter.traffic())
        // The name in a URL is that of the one, the name in front of what is copied that of the other.
        .with_virtual_hosted_style_request(true)
        .with_endpoint(url);
    build(builder, &wire, to.place(), access).map(Some)
}

/// What signs requests and is sent for `bucket`, which is `reached` there.
fn builder(bucket: &str, access: &Access, reached: &Url, traffic: Traffic) -> AmazonS3Builder {
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        // TLS protects bodies already: their hash would be taken for nothing.
        .with_unsigned_payload(reached.scheme() == "https")
        // The wire makes its connections itself; without this, the URL is refused.
        .with_client_options(ClientOptions::new().with_allow_http(true))
        .with_retry(without_retries());
    if let Some(region) = &access.region {
        builder = builder.with_region(region);
    }
    match &access.keys {
        Keys::Pair {
            token,
            secret,
            session,
        } => {
            let signed = builder
                .with_access_key_id(token)
                .with_secret_access_key(secret);
            match session {
                Some(session) => signed.with_token(session),
                None => signed,
            }
        }
        Keys::Renewed(ring) => builder.with_credentials(Arc::new(ProvidedKeys {
            ring: ring.clone(),
            traffic,
        })),
        Keys::Cloud(config) => config.iter().fold(builder, |builder, (key, value)| {
            builder.with_config(*key, value)
        }),
        Keys::Anonymous => builder.with_skip_signature(true),
    }
}

/// What carries requests to the server, if they are to pass `fence`.
fn wire(
    place: &str,
    access: &Access,
    fence: &Fence,
    flow: &Flow,
    patience: Duration,
    reporter: Arc<dyn Reporter>,
) -> Result<Wire, StoreError> {
    let trusted = access.ca_bundle.as_deref().map(certificates).transpose()?;
    let client = http_client(trusted.unwrap_or_default()).map_err(|cause| {
        let cause = scrub(&innermost(&cause), &access.secrets());
        match &access.ca_bundle {
            // The PEM was sound; what it wraps is read only now.
            Some(path) => StoreError::CaBundle {
                path: path.clone(),
                problem: format!("the certificates cannot be used ({cause})"),
            },
            None => StoreError::Unreachable {
                place: place.to_owned(),
                cause,
            },
        }
    })?;
    let signer = Signer::new(access, reporter.traffic());
    Ok(Wire::new(
        client,
        fence.clone(),
        flow.clone(),
        signer,
        patience,
        reporter,
    ))
}

/// The client, whose requests take this `wire`.
fn build(
    builder: AmazonS3Builder,
    wire: &Wire,
    place: &str,
    access: &Access,
) -> Result<AmazonS3, StoreError> {
    let client = builder.with_http_connector(wire.clone()).build();
    let client = client.map_err(|cause| {
        let cause = scrub(&innermost(&cause), &access.secrets());
        let problem = format!("{place}: {cause}");
        StoreError::Credentials { problem }
    })?;
    wire.learn_keys(&client);
    Ok(client)
}

fn shown(endpoint: Option<&Url>) -> String {
    endpoint.map_or_else(
        || "the AWS endpoint".to_owned(),
        |url| url.as_str().trim_end_matches('/').to_owned(),
    )
}

/// Where the bucket's URL points, in the terms of object_store: a virtual-hosted endpoint has the bucket in it already.
#[derive(Debug, PartialEq, Eq)]
struct ClientTarget {
    /// `None` is AWS itself.
    url: Option<String>,
    virtual_hosted: bool,
}

/// Servers elsewhere rarely have a name for each bucket, AWS wants one.
fn target(
    bucket: &str,
    endpoint: Option<&Url>,
    asked: Option<Addressing>,
) -> Result<ClientTarget, StoreError> {
    let named = is_host_name(bucket);
    let Some(endpoint) = endpoint else {
        // A certificate for *.s3.amazonaws.com does not cover another dot.
        let fits = named && !bucket.contains('.');
        let virtual_hosted = asked.map_or(fits, |asked| asked == Addressing::Virtual);
        return if virtual_hosted && !named {
            Err(unnameable(bucket))
        } else {
            Ok(ClientTarget {
                url: None,
                virtual_hosted,
            })
        };
    };
    let mut url = endpoint.clone();
    let virtual_hosted = asked == Some(Addressing::Virtual);
    if virtual_hosted {
        let Some(url::Host::Domain(host)) = endpoint.host() else {
            return Err(StoreError::Addressing {
                problem: format!(
                    "endpoint_url {} is an address without a name to put the bucket in front of",
                    shown(Some(endpoint))
                ),
            });
        };
        if !named || url.set_host(Some(&format!("{bucket}.{host}"))).is_err() {
            return Err(unnameable(bucket));
        }
    }
    Ok(ClientTarget {
        url: Some(shown(Some(&url))),
        virtual_hosted,
    })
}

fn unnameable(bucket: &str) -> StoreError {
    StoreError::Addressing {
        problem: format!(
            "the bucket '{bucket}' cannot be part of a host's name, which has small letters, digits, '-' and '.' only"
        ),
    }
}

fn is_host_name(bucket: &str) -> bool {
    bucket.split('.').all(|label| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    })
}

/// The certificates of a PEM file.
fn certificates(path: &Path) -> Result<Vec<Certificate>, StoreError> {
    let wrong = |problem: String| StoreError::CaBundle {
        path: path.to_owned(),
        problem,
    };
    let pem = std::fs::read(path).map_err(|cause| wrong(format!("cannot be read: {cause}")))?;
    if pem.is_empty() {
        return Err(wrong("is empty".to_owned()));
    }
    let certificates = Certificate::from_pem_bundle(&pem)
        .map_err(|cause| wrong(format!("is not sound PEM ({})", innermost(&cause))))?;
    if certificates.is_empty() {
        return Err(wrong("holds no certificate in PEM form".to_owned()));
    }
    Ok(certificates)
}

/// The wire tries again itself: the library takes "not implemented" for a passing trouble.
fn without_retries() -> RetryConfig {
    RetryConfig {
        max_retries: 0,
        ..RetryConfig::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(endpoint: &str, asked: Option<Addressing>) -> Result<(String, bool), String> {
        let target = target("ocean", Some(&Url::parse(endpoint).unwrap()), asked);
        let target = target.map_err(|error| error.to_string())?;
        Ok((target.url.unwrap(), target.virtual_hosted))
    }

    #[test]
    fn the_buckets_url_on_a_server_of_ones_own() {
        let url = |endpoint, asked| at(endpoint, asked).unwrap().0;
        for asked in [None, Some(Addressing::Path)] {
            assert_eq!(url("https://store.ac.uk", asked), "https://store.ac.uk");
            assert_eq!(url("http://store:9000/", asked), "http://store:9000");
            assert_eq!(url("https://e.org/s3/", asked), "https://e.org/s3");
            assert_eq!(url("http://[::1]:9000", asked), "http://[::1]:9000");
            assert!(!at("https://store.ac.uk", asked).unwrap().1);
        }
        let asked = Some(Addressing::Virtual);
        assert_eq!(
            url("https://store.ac.uk", asked),
            "https://ocean.store.ac.uk"
        );
        assert_eq!(url("http://store:9000/", asked), "http://ocean.store:9000");
        assert_eq!(url("https://e.org/s3//", asked), "https://ocean.e.org/s3");
        assert!(at("https://store.ac.uk", asked).unwrap().1);
        for endpoint in ["http://127.0.0.1:9000", "https://[::1]"] {
            let error = at(endpoint, asked).unwrap_err();
            assert!(error.contains("address without a name"), "{error}");
        }
    }

    #[test]
    fn aws_names_the_bucket_in_the_host_where_that_works() {
        let style = |bucket, asked| target(bucket, None, asked).map(|t| t.virtual_hosted).ok();
        assert_eq!(style("ocean", None), Some(true));
        assert_eq!(style("ocean.data", None), Some(false));
        assert_eq!(style("Ocean_Data", None), Some(false));
        assert_eq!(style("ocean", Some(Addressing::Path)), Some(false));
        assert_eq!(style("ocean.data", Some(Addressing::Virtual)), Some(true));
        assert_eq!(style("Ocean_Data", Some(Addressing::Virtual)), None);
    }
}
