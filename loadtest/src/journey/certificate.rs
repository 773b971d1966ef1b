//! The fields of a server's certificate that the `certificate` query knows, written as OpenSSL writes them.

use super::value::{Value, hex};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate, X509Name};

/// What of a certificate is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Whom it is for.
    Subject,
    /// Who issued it.
    Issuer,
    /// From when on it holds.
    StartDate,
    /// Until when it holds.
    ExpireDate,
    /// Its number.
    SerialNumber,
    /// The names and addresses it is for.
    SubjectAltName,
    /// The certificate itself, as PEM.
    Value,
}

/// The field, if the certificate has it.
#[must_use]
pub(super) fn look(der: &[u8], field: Field) -> Option<Value> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let date = |timestamp| DateTime::from_timestamp(timestamp, 0).map(Value::Date);
    match field {
        Field::Subject => Some(Value::text(name(certificate.subject()))),
        Field::Issuer => Some(Value::text(name(certificate.issuer()))),
        Field::StartDate => date(certificate.validity().not_before.timestamp()),
        Field::ExpireDate => date(certificate.validity().not_after.timestamp()),
        Field::SerialNumber => Some(Value::text(colons(certificate.raw_serial()))),
        Field::SubjectAltName => {
            let names = &certificate.subject_alternative_name().ok()??.value.general_names;
            Some(Value::text(names.iter().map(alternative).collect::<Vec<_>>().join(", ")))
        }
        Field::Value => Some(Value::text(pem(der))),
    }
}

/// `C = DE, O = "Us, Inc", CN = localhost`
fn name(name: &X509Name<'_>) -> String {
    let one = |attribute: &x509_parser::x509::AttributeTypeAndValue<'_>| {
        format!("{} = {}", key(&attribute.attr_type().to_id_string()), quoted(attribute.as_str().unwrap_or_default()))
    };
    name.iter_attributes().map(one).collect::<Vec<_>>().join(", ")
}

/// OpenSSL's short names; what has none is shown by its number.
fn key(oid: &str) -> &str {
    match oid {
        "2.5.4.3" => "CN",
        "2.5.4.4" => "SN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "street",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.12" => "title",
        "2.5.4.42" => "GN",
        "2.5.4.97" => "organizationIdentifier",
        "1.2.840.113549.1.9.1" => "emailAddress",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        other => other,
    }
}

fn quoted(value: &str) -> String {
    let special =
        value.contains([',', '+', '<', '>', ';', '"', '\\']) || value.starts_with([' ', '#']) || value.ends_with(' ');
    if special { format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")) } else { value.to_owned() }
}

fn colons(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| hex(&[*byte])).collect::<Vec<_>>().join(":")
}

fn alternative(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(name) => format!("DNS:{name}"),
        GeneralName::RFC822Name(name) => format!("email:{name}"),
        GeneralName::URI(uri) => format!("URI:{uri}"),
        GeneralName::IPAddress(bytes) => match (<[u8; 4]>::try_from(*bytes), <[u8; 16]>::try_from(*bytes)) {
            (Ok(four), _) => format!("IP Address:{}", std::net::Ipv4Addr::from(four)),
            (_, Ok(sixteen)) => format!("IP Address:{}", ipv6(sixteen)),
            _ => "IP Address:<invalid>".to_owned(),
        },
        other => other.to_string(),
    }
}

/// All eight groups, as OpenSSL writes them.
fn ipv6(bytes: [u8; 16]) -> String {
    std::net::Ipv6Addr::from(bytes).segments().map(|group| format!("{group:X}")).join(":")
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut out = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for (index, c) in text.chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            out.push('\n');
        }
        out.push(c);
    }
    out + "\n-----END CERTIFICATE-----\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_as_openssl_writes_them() {
        let mut parameters = rcgen::CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "test");
        parameters.distinguished_name.push(rcgen::DnType::OrganizationName, "Us, Inc");
        parameters.distinguished_name.push(rcgen::DnType::CustomDnType(vec![1, 2, 840, 113_549, 1, 9, 1]), "a@b.de");
        parameters.serial_number = Some(vec![0x0a, 0xff].into());
        parameters.not_before = rcgen::date_time_ymd(2024, 1, 2);
        let certificate = parameters.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
        let show = |field| look(certificate.der(), field).unwrap().describe();
        assert_eq!(show(Field::Subject), "string `CN = test, O = \"Us, Inc\", emailAddress = a@b.de`");
        assert_eq!(show(Field::Issuer), show(Field::Subject));
        assert_eq!(show(Field::SerialNumber), "string `0a:ff`");
        assert_eq!(show(Field::SubjectAltName), "string `DNS:localhost, IP Address:127.0.0.1`");
        assert_eq!(show(Field::StartDate), "date `2024-01-02T00:00:00.000000Z`");
        assert!(show(Field::Value).starts_with("string `-----BEGIN CERTIFICATE-----\n"));
    }

    #[test]
    fn what_is_no_certificate_has_no_fields() {
        assert_eq!(look(b"nonsense", Field::Subject), None);
    }
}
