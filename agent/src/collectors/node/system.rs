//! Which machine it is: kernel and name, operating system, hardware.

use super::look::{Lack, Look, parser, text};
use super::{Part, on};
use crate::clock;
use crate::collectors::files;
use crate::parser::Parser;
use crate::reading::Metric;

static UNAME: Metric = Metric::gauge("node_uname_info", "Kernel and names of the machine, always 1").labelled(&[
    "sysname",
    "release",
    "version",
    "machine",
    "nodename",
    "domainname",
]);
static OS: Metric = Metric::gauge("node_os_info", "Operating system as os-release says, always 1").labelled(&[
    "build_id",
    "id",
    "id_like",
    "image_id",
    "image_version",
    "name",
    "pretty_name",
    "variant",
    "variant_id",
    "version",
    "version_codename",
    "version_id",
]);
static OS_VERSION: Metric = Metric::gauge("node_os_version", "First two parts of the operating system's version")
    .labelled(&["id", "id_like", "name"]);
static OS_ENDS: Metric = Metric::gauge(
    "node_os_support_end_timestamp_seconds",
    "When the operating system's support ends, in seconds since the Unix epoch",
);
static DMI_INFO: Metric = Metric::gauge(
    "node_dmi_info",
    "Hardware as its firmware says, always 1; serial numbers are empty unless read by root",
)
.labelled(&[
    "bios_date",
    "bios_release",
    "bios_vendor",
    "bios_version",
    "board_asset_tag",
    "board_name",
    "board_serial",
    "board_vendor",
    "board_version",
    "chassis_asset_tag",
    "chassis_serial",
    "chassis_vendor",
    "chassis_version",
    "product_family",
    "product_name",
    "product_serial",
    "product_sku",
    "product_uuid",
    "product_version",
    "system_vendor",
]);

/// The rows of the table.
pub(super) static UNAME_PART: Part = on("uname", uname, &[&UNAME]);
pub(super) static OS_PART: Part = on("os", os, &[&OS, &OS_VERSION, &OS_ENDS]);
pub(super) static DMI: Part = on("dmi", dmi, &[&DMI_INFO]);
/// What reads the host's bytes here.
pub(super) const OS_RELEASE: Parser = parser("node_os_release", |bytes| {
    let text = String::from_utf8_lossy(bytes);
    let _version = (
        assigned(&text, "VERSION_ID").map(|version| major_minor(&version)),
        assigned(&text, "SUPPORT_END").map(|day| date(&day)),
    );
});

fn uname(look: &mut Look<'_>) -> Result<(), Lack> {
    let kernel = |name: &str| text(&look.sight.proc.join("sys/kernel").join(name));
    let lacking = || Lack::Failed("`sys/kernel` cannot be read".to_owned());
    let release = kernel("osrelease").ok_or_else(lacking)?;
    let [system, version, domain] = ["ostype", "version", "domainname"].map(|name| kernel(name).unwrap_or_default());
    let name = look.sight.node_name().ok_or_else(lacking)?;
    look.give(&UNAME, [&system, &release, &version, std::env::consts::ARCH, &name, &domain], 1.0);
    Ok(())
}

/// What a file of shell assignments gives a name; os-release(5).
fn assigned(text: &str, name: &str) -> Option<String> {
    let value = text.lines().rev().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='))?;
    let mut plain = String::new();
    let mut chars = value.trim().chars().peekable();
    let quote = chars.next_if(|c| ['"', '\''].contains(c));
    while let Some(c) = chars.next() {
        match c {
            c if Some(c) == quote => break,
            '\\' if quote != Some('\'') => plain.extend(chars.next()),
            c => plain.push(c),
        }
    }
    Some(plain)
}

/// `12` of `12`, `22.04` of `22.04.3`.
fn major_minor(version: &str) -> Option<f64> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let major = digits(version);
    let minor = version.get(major..).and_then(|rest| rest.strip_prefix('.')).map_or(0, |rest| 1 + digits(rest));
    version.get(..major + minor).filter(|_| major > 0)?.trim_end_matches('.').parse().ok()
}

/// A day such as `2028-06-30` in seconds since the Unix epoch.
fn date(day: &str) -> Option<f64> {
    let mut parts = day.trim().split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let days = clock::days(year, month, day).filter(|_| year >= 1970)?;
    #[expect(clippy::cast_precision_loss, reason = "days of years of four digits")]
    Some(days as f64 * 86_400.0)
}

fn os(look: &mut Look<'_>) -> Result<(), Lack> {
    let root = look.sight.own_files().map_err(Lack::Unseen)?;
    let text = files::read(&root.join("etc/os-release")).or_else(|_| files::read(&root.join("usr/lib/os-release")))?;
    let word = |name: &str| assigned(&text, name).unwrap_or_default();
    let [id, id_like, name, version_id] = ["ID", "ID_LIKE", "NAME", "VERSION_ID"].map(word);
    let [build, image, image_version, pretty] = ["BUILD_ID", "IMAGE_ID", "IMAGE_VERSION", "PRETTY_NAME"].map(word);
    let [variant, variant_id, version, codename] = ["VARIANT", "VARIANT_ID", "VERSION", "VERSION_CODENAME"].map(word);
    let labels: [&str; 12] = [
        &build,
        &id,
        &id_like,
        &image,
        &image_version,
        &name,
        &pretty,
        &variant,
        &variant_id,
        &version,
        &codename,
        &version_id,
    ];
    look.give(&OS, labels, 1.0);
    if let Some(version) = major_minor(&version_id).filter(|version| *version > 0.0) {
        look.give(&OS_VERSION, [&id, &id_like, &name], version);
    }
    if let Some(ends) = date(&word("SUPPORT_END")) {
        look.give(&OS_ENDS, [], ends);
    }
    Ok(())
}

fn dmi(look: &mut Look<'_>) -> Result<(), Lack> {
    const FILES: [&str; 20] = [
        "bios_date",
        "bios_release",
        "bios_vendor",
        "bios_version",
        "board_asset_tag",
        "board_name",
        "board_serial",
        "board_vendor",
        "board_version",
        "chassis_asset_tag",
        "chassis_serial",
        "chassis_vendor",
        "chassis_version",
        "product_family",
        "product_name",
        "product_serial",
        "product_sku",
        "product_uuid",
        "product_version",
        "sys_vendor",
    ];
    let folder = look.sys("class/dmi/id");
    let values = FILES.map(|name| text(&folder.join(name)).unwrap_or_default());
    if values.iter().all(String::is_empty) {
        return Err(Lack::Nothing);
    }
    look.give(&DMI_INFO, values.each_ref().map(String::as_str), 1.0);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::node::testing::{Bench, found, look_at};

    const DEBIAN: &str = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\n\
        VERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\nSUPPORT_END=2028-06-30\n";

    #[test]
    fn reads_values_as_a_shell_would() {
        let cases = [
            ("ID=debian\n", Some("debian")),
            ("ID=\"a b\" # c\n", Some("a b")),
            ("ID='a\\b'\n", Some("a\\b")),
            ("ID=\"a\\\"b\\$c\"\n", Some("a\"b$c")),
            ("ID=\n", Some("")),
            ("ID=first\nID=last\n", Some("last")),
            ("ID_LIKE=x\n", None),
        ];
        for (text, expected) in cases {
            assert_eq!(assigned(text, "ID").as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn versions_and_days_are_numbers() {
        for (version, expected) in
            [("12", Some(12.0)), ("22.04.3", Some(22.04)), ("9.", Some(9.0)), ("", None), ("x1", None)]
        {
            assert_eq!(major_minor(version), expected, "{version}");
        }
        for (day, expected) in [
            ("1970-01-01", Some(0.0)),
            ("2000-02-29", Some(951_782_400.0)),
            ("2028-06-30", Some(1_845_936_000.0)),
            ("2028-13-01", None),
            ("soon", None),
        ] {
            assert_eq!(date(day), expected, "{day}");
        }
    }

    #[test]
    fn tells_the_operating_system_of_the_host() {
        let (result, readings) = look_at(&[("usr/lib/os-release", DEBIAN)], &OS_PART);
        assert_eq!(result, Ok(()));
        assert_eq!(found(&readings, "node_os_version", &["debian", "", "Debian GNU/Linux"]), Some(12.0));
        assert_eq!(found(&readings, "node_os_support_end_timestamp_seconds", &[]), Some(1_845_936_000.0));
        let (result, readings) = Bench::new(&[]).look(&OS_PART);
        assert!(matches!(result, Err(Lack::Unseen(_))) && readings.is_empty(), "that of a container is not the host's");
    }

    #[test]
    fn names_kernel_and_machine() {
        let files = [
            ("proc/sys/kernel/ostype", "Linux\n"),
            ("proc/sys/kernel/osrelease", "6.18.44\n"),
            ("proc/sys/kernel/version", "#1 SMP\n"),
            ("proc/sys/kernel/hostname", "vm\n"),
            ("proc/sys/kernel/domainname", "(none)\n"),
        ];
        let (_, readings) = look_at(&files, &UNAME_PART);
        let labels = ["Linux", "6.18.44", "#1 SMP", std::env::consts::ARCH, "vm", "(none)"];
        assert_eq!(found(&readings, "node_uname_info", &labels), Some(1.0));
        assert!(matches!(look_at(&[], &UNAME_PART).0, Err(Lack::Failed(_))));
    }

    #[test]
    fn a_machine_without_firmware_has_nothing_to_report() {
        assert_eq!(look_at(&[], &DMI).0, Err(Lack::Nothing));
        let (result, readings) = look_at(&[("sys/class/dmi/id/sys_vendor", "QEMU\n")], &DMI);
        assert_eq!((result, readings.len()), (Ok(()), 1));
        assert_eq!(readings[0].labels.last().map(String::as_str), Some("QEMU"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_parsers(text in "(ID|VERSION_ID)=.{0,40}|.{0,60}") {
            let _read = (assigned(&text, "ID"), major_minor(&text), date(&text));
        }
    }
}
