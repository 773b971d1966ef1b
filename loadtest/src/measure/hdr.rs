//! Histograms as text: HdrHistogram's own V2 form, deflated, in base64, as its log files and viewers use it. What is
//! read back can be merged exactly.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};

/// Why a text is no histogram.
#[derive(Debug, thiserror::Error)]
pub enum HdrError {
    /// Not base64.
    #[error("the histogram is not base64")]
    Base64,
    /// Not the V2 form, or damaged.
    #[error("the histogram is not in HdrHistogram's V2 form")]
    Form,
}

/// Writes a histogram.
///
/// # Errors
/// When a count does not fit the format (2^63 of one value).
pub fn encode(histogram: &Histogram<u64>) -> Result<String, HdrError> {
    let mut binary = Vec::new();
    V2DeflateSerializer::new().serialize(histogram, &mut binary).map_err(|_| HdrError::Form)?;
    Ok(STANDARD.encode(binary))
}

/// Reads a histogram.
///
/// # Errors
/// When the text is no base64, or not the V2 form.
pub fn decode(text: &str) -> Result<Histogram<u64>, HdrError> {
    let binary = STANDARD.decode(text.trim()).map_err(|_| HdrError::Base64)?;
    let mut histogram = Deserializer::new().deserialize(&mut binary.as_slice()).map_err(|_| HdrError::Form)?;
    histogram.auto(true);
    Ok(histogram)
}
