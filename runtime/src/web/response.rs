//! What becomes of a request: the one file that its host has at its path, or why there is none.

use super::request::{Malformed, Request};
use crate::acme::challenge::Challenges;
use postern_schema::autoconfig;
use postern_schema::decide::{Lookup, LookupFailed};
use postern_schema::name::Domain;
use postern_schema::record::MtaStsPolicy;

/// An answer without what depends on the moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// The status line.
    pub status: &'static str,
    fields: String,
    body: String,
}

/// What a request gets.
pub fn to(request: &Result<Request, Malformed>, site: &dyn Lookup) -> Response {
    let request = match request {
        Err(Malformed::NoRequest) => return Response::without_file("HTTP/1.1 400 Bad Request"),
        Err(Malformed::TooLong) => return Response::without_file("HTTP/1.1 431 Request Header Fields Too Large"),
        Ok(request) => request,
    };
    if !request.is_reading {
        return Response {
            fields: "Allow: GET, HEAD\r\n".to_owned(),
            ..Response::without_file("HTTP/1.1 405 Method Not Allowed")
        };
    }
    match file(request, site) {
        Ok(Some(response)) => response,
        Ok(None) => Response::without_file("HTTP/1.1 404 Not Found"),
        // A failed lookup is never "there is none".
        Err(LookupFailed(why)) => {
            tracing::error!(%why, "a domain cannot be read from the snapshot");
            Response::without_file("HTTP/1.1 503 Service Unavailable")
        }
    }
}

/// What an authority gets that asks whether a name is ours (RFC 8555 8.3).
pub fn to_authority(request: &Result<Request, Malformed>, challenges: &Challenges) -> Response {
    let request = match request {
        Err(Malformed::NoRequest) => return Response::without_file("HTTP/1.1 400 Bad Request"),
        Err(Malformed::TooLong) => return Response::without_file("HTTP/1.1 431 Request Header Fields Too Large"),
        Ok(request) => request,
    };
    let token = request.path.strip_prefix(Challenges::PATH).filter(|_| request.is_reading);
    match request.host.as_ref().zip(token).and_then(|(host, token)| challenges.file(host, token)) {
        Some(authorization) => Response::file("application/octet-stream", authorization),
        None => Response::without_file("HTTP/1.1 404 Not Found"),
    }
}

fn file(request: &Request, lookup: &dyn Lookup) -> Result<Option<Response>, LookupFailed> {
    let Some(host) = &request.host else { return Ok(None) };
    let site = lookup.site();
    let below = |label: &str| host.parent().filter(|_| host.as_str().split('.').next() == Some(label));
    let publication = |domain: Domain| -> Result<_, LookupFailed> {
        Ok(lookup.domain(&domain)?.map(|entry| (entry.name.clone(), entry.publication.clone())))
    };
    match &*request.path {
        MtaStsPolicy::PATH => {
            let Some((_, publication)) = below("mta-sts").map(publication).transpose()?.flatten() else { return Ok(None) };
            Ok(publication.mta_sts.map(|mta_sts| Response::file("text/plain", mta_sts.policy(&site.hostname).to_string())))
        }
        // Programs look at `autoconfig.` and at the domain itself.
        autoconfig::PATH => {
            let domain = below("autoconfig").unwrap_or_else(|| host.clone());
            let Some((domain, publication)) = publication(domain)? else { return Ok(None) };
            let document = |autoconfig| Response::file("text/xml", autoconfig::document(site, &domain, &autoconfig));
            Ok(publication.autoconfig.map(document))
        }
        autoconfig::PACC_PATH => {
            let Some((domain, publication)) = below("ua-auto-config").map(publication).transpose()?.flatten() else {
                return Ok(None);
            };
            let offered = publication.autoconfig.filter(|autoconfig| autoconfig.pacc);
            let document = |autoconfig| Response::file("application/json", autoconfig::pacc_document(site, &domain, &autoconfig));
            Ok(offered.map(document))
        }
        autoconfig::OLD_PATH => {
            let Some((_, publication)) = below("autoconfig").map(publication).transpose()?.flatten() else { return Ok(None) };
            Ok(publication.autoconfig.map(|_| Response {
                fields: format!("Location: {}\r\n", autoconfig::PATH),
                ..Response::without_file("HTTP/1.1 308 Permanent Redirect")
            }))
        }
        _ => Ok(None),
    }
}

impl Response {
    fn file(media_type: &str, body: String) -> Response {
        Response { status: "HTTP/1.1 200 OK", fields: format!("Content-Type: {media_type}; charset=utf-8\r\n"), body }
    }

    fn without_file(status: &'static str) -> Response {
        Response { status, fields: String::new(), body: String::new() }
    }

    /// As it goes out, at a moment in the form of RFC 9110 5.6.7.
    pub fn to_octets(&self, date: &str, is_head: bool) -> Vec<u8> {
        let Response { status, fields, body } = self;
        let length = body.len();
        let head = format!("{status}\r\nDate: {date}\r\n{fields}Content-Length: {length}\r\nConnection: close\r\n\r\n");
        if is_head { head.into_bytes() } else { [head.as_bytes(), body.as_bytes()].concat() }
    }
}
