//! A plain HTTP client from outside: what a user would see with curl.

use std::time::Duration;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The content type, empty when absent.
    pub content_type: String,
    /// The body as text.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Gets a page, or tells why there was no answer.
///
/// # Errors
/// When there is no HTTP answer within five seconds.
pub fn get(url: &str) -> Result<Answer, String> {
    get_with(url, &[])
}

/// Gets a page with headers.
///
/// # Errors
/// When there is no HTTP answer within five seconds.
pub fn get_with(url: &str, headers: &[(&str, &str)]) -> Result<Answer, String> {
    let request = headers.iter().fold(client().get(url), |request, (name, value)| request.header(*name, *value));
    read(request.call().map_err(|error| error.to_string())?)
}

/// Posts nothing to a page.
///
/// # Errors
/// When there is no HTTP answer within five seconds.
pub fn post(url: &str) -> Result<Answer, String> {
    post_with(url, &[])
}

/// Posts nothing to a page, with headers.
///
/// # Errors
/// When there is no HTTP answer within five seconds.
pub fn post_with(url: &str, headers: &[(&str, &str)]) -> Result<Answer, String> {
    let request = headers.iter().fold(client().post(url), |request, (name, value)| request.header(*name, *value));
    read(request.send_empty().map_err(|error| error.to_string())?)
}

fn client() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    config.timeout_global(Some(Duration::from_secs(5))).build().into()
}

fn read(mut answer: ureq::http::Response<ureq::Body>) -> Result<Answer, String> {
    let content_type =
        answer.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let body = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
    Ok(Answer { status: answer.status().as_u16(), content_type, body })
}

/// The value of one sample of a metrics page: the name with its labels as written, such as `up{job="x"}`.
#[must_use]
pub fn sample(page: &str, series: &str) -> Option<f64> {
    let line = page.lines().find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')))?;
    line.rsplit(' ').next()?.parse().ok()
}
