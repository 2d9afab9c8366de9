//! Whether a request that asks for something to be done comes from this very page, or from a program of this place; and
//! not from a foreign web site that somebody here has open.
//!
//! Under which name we were reached is looked at before, for every request.

use axum::http::{HeaderMap, StatusCode, header};

/// Checks a request with a body of JSON.
///
/// A browser says where a request comes from, and asks first before it sends JSON to another site; we answer no such
/// question. Programs say nothing of it.
///
/// # Errors
/// How it is to be refused.
pub(crate) fn check(headers: &HeaderMap) -> Result<(), (StatusCode, &'static str)> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if text(header::CONTENT_TYPE).is_none_or(|kind| !is_json(kind)) {
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "send JSON, as application/json"));
    }
    let foreign = Err((StatusCode::FORBIDDEN, "only this page itself can ask for this"));
    if text(header::HeaderName::from_static("sec-fetch-site")).is_some_and(|site| site != "same-origin") {
        return foreign;
    }
    let host = text(header::HOST).unwrap_or_default();
    match text(header::ORIGIN) {
        Some(origin) if origin.split_once("://").is_none_or(|(_, at)| !at.eq_ignore_ascii_case(host)) => {
            foreign
        }
        _ => Ok(()),
    }
}

fn is_json(kind: &str) -> bool {
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: (&str, &str) = ("content-type", "application/json");

    /// Name, headers and status.
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], u16);

    #[test]
    fn who_may_ask() {
        let cases: [Case<'_>; 9] = [
            ("a program", &[JSON], 200),
            (
                "the page",
                &[JSON, ("origin", "http://127.0.0.1:8720"), ("sec-fetch-site", "same-origin")],
                200,
            ),
            ("with a charset", &[("content-type", "Application/JSON; charset=utf-8")], 200),
            ("a form", &[("content-type", "text/plain")], 415),
            ("nothing said", &[], 415),
            ("another site", &[JSON, ("origin", "https://evil.example")], 403),
            ("another port", &[JSON, ("origin", "http://127.0.0.1:8721")], 403),
            ("a sandbox", &[JSON, ("origin", "null")], 403),
            ("a link elsewhere", &[JSON, ("sec-fetch-site", "cross-site")], 403),
        ];
        for (name, headers, expected) in cases {
            let mut map = HeaderMap::new();
            map.insert("host", "127.0.0.1:8720".parse().unwrap());
            for (key, value) in headers {
                map.insert(header::HeaderName::from_bytes(key.as_bytes()).unwrap(), value.parse().unwrap());
            }
            let status = check(&map).map_or_else(|(status, _)| status.as_u16(), |()| 200);
            assert_eq!(status, expected, "{name}");
        }
    }
}
