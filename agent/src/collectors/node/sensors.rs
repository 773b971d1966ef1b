//! Sensors: temperatures, voltages, fans and the like of `/sys/class/hwmon`, zones and coolers of `/sys/class/thermal`.
//! Source: kernel documentation, hwmon/sysfs-interface and driver-api/thermal.

use super::look::{Lack, Look, names, number, numbered, parser, text};
use super::{Part, on};
use crate::parser::Parser;
use crate::reading::Metric;
use std::collections::BTreeMap;
use std::path::Path;

static SENSOR: Metric = Metric::gauge("node_hwmon_*", "Sensor or setting of a chip: *").labelled(&["chip", "sensor"]);
static ENERGY: Metric =
    Metric::counter("node_hwmon_*_joule_total", "Energy used so far, in joules: *").labelled(&["chip", "sensor"]);
static CHIP: Metric =
    Metric::gauge("node_hwmon_chip_names", "Name of a chip for people, always 1").labelled(&["chip", "chip_name"]);
static LABEL: Metric = Metric::gauge("node_hwmon_sensor_label", "Name of a sensor for people, always 1")
    .labelled(&["chip", "sensor", "label"]);
static ZONE: Metric =
    Metric::gauge("node_thermal_zone_temp", "Temperature of the zone in degrees Celsius").labelled(&["zone", "type"]);
static COOLING: Metric =
    Metric::gauge("node_cooling_device_cur_state", "How much the device cools now").labelled(&["name", "type"]);
static COOLING_MOST: Metric =
    Metric::gauge("node_cooling_device_max_state", "How much the device can cool").labelled(&["name", "type"]);

/// The rows of the table.
pub(super) static HWMON: Part = on("hwmon", hwmon, &[&SENSOR, &ENERGY, &CHIP, &LABEL]);
pub(super) static THERMAL_ZONE: Part = on("thermal_zone", thermal, &[&ZONE, &COOLING, &COOLING_MOST]);
/// What reads names of files that drivers choose.
pub(super) const FILE_NAME: Parser = parser("node_hwmon_file", |bytes| {
    for line in String::from_utf8_lossy(bytes).lines() {
        drop(file_name(line).map(|(kind, _, element)| (named(kind, element, true), clean(element))));
    }
});

/// Kinds of sensors that are read.
const KINDS: [&str; 14] = [
    "vrm",
    "beep_enable",
    "update_interval",
    "in",
    "cpu",
    "fan",
    "pwm",
    "temp",
    "curr",
    "power",
    "energy",
    "humidity",
    "intrusion",
    "freq",
];

/// Kind, number and element of a file's name: `temp1_crit_alarm` is the element `crit_alarm` of `temp` 1.
fn file_name(name: &str) -> Option<(&str, u32, &str)> {
    let letters = name.find(|c: char| c.is_ascii_digit()).unwrap_or(name.len());
    let (kind, rest) = name.split_at_checked(letters)?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (number, rest) = rest.split_at_checked(digits)?;
    let element = match rest.strip_prefix('_') {
        Some(element) => element,
        None if rest.is_empty() => "",
        None => return None,
    };
    let number = if number.is_empty() { 0 } else { number.parse().ok()? };
    KINDS.contains(&kind).then_some((kind, number, element))
}

/// Text fit for a name or a chip's label: small letters, digits and `_`, none of these at the ends.
fn clean(text: &str) -> String {
    let fit = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() || c == ':' { c } else { '_' };
    text.trim().to_lowercase().chars().map(fit).collect::<String>().trim_matches('_').to_owned()
}

/// The metric of a sensor's element: what stands for the `*` of [`SENSOR`] (or [`ENERGY`]), and what a unit of it is.
fn named(kind: &str, element: &str, has_plain: bool) -> (String, f64) {
    const MILLI: f64 = 0.001;
    const MICRO: f64 = 0.000_001;
    let base = match element {
        // `pwm1` beside `pwm1_input` would be one metric.
        "input" if has_plain => format!("{kind}_input"),
        "input" | "" => kind.to_owned(),
        other => format!("{kind}_{}", clean(other)),
    };
    let interval = ["average_interval", "average_interval_min", "average_interval_max"].contains(&element);
    match (kind, element) {
        ("beep_enable", _) => ("beep_enabled".to_owned(), 1.0),
        ("vrm", _) => ("voltage_regulator_version".to_owned(), 1.0),
        ("update_interval", _) => ("update_interval_seconds".to_owned(), MILLI),
        (_, "fault" | "alarm") => (base, 1.0),
        (_, "beep") => (format!("{base}_enabled"), 1.0),
        ("in" | "cpu", _) => (format!("{base}_volts"), MILLI),
        ("temp", element) if element != "type" => (format!("{base}_celsius"), MILLI),
        ("curr", _) => (format!("{base}_amps"), MILLI),
        ("energy", _) => (base, MICRO),
        ("power", "accuracy") | ("humidity", _) => (base, MICRO),
        ("power", _) if interval => (format!("{base}_seconds"), MILLI),
        ("power", _) => (format!("{base}_watt"), MICRO),
        ("fan", "input" | "min" | "max" | "target") => (format!("{base}_rpm"), 1.0),
        ("freq", "input") => (format!("{base}_freq_mhz"), MICRO),
        _ => (base, 1.0),
    }
}

/// Elements of sensors with what their files hold.
type Sensors = BTreeMap<(String, u32), BTreeMap<String, String>>;

fn read_into(sensors: &mut Sensors, folder: &Path) {
    for name in names(folder).unwrap_or_default() {
        let Some((kind, sensor, element)) = file_name(&name) else { continue };
        // Drivers give an error for what is not connected.
        if let Some(text) = text(&folder.join(&name)) {
            sensors.entry((kind.to_owned(), sensor)).or_default().insert(element.to_owned(), text);
        }
    }
}

/// The chip's name for programs: that of the device it sits on, else its own, else that of its folder.
fn chip_name(folder: &Path) -> Option<String> {
    let last = |path: &Path| path.file_name().map(|name| clean(&name.to_string_lossy()));
    let device = folder.join("device").canonicalize().ok().and_then(|device| {
        let name = last(&device).filter(|name| !name.is_empty())?;
        let kind = device.parent().and_then(last).unwrap_or_default();
        Some(if kind.is_empty() { name } else { format!("{kind}_{name}") })
    });
    let own = || text(&folder.join("name")).map(|name| clean(&name)).filter(|name| !name.is_empty());
    device.or_else(own).or_else(|| last(&folder.canonicalize().ok()?))
}

/// The chips with their names; two of one device are told apart by their own names, or by their folders.
fn chips(folder: &Path) -> Result<Vec<(String, String)>, Lack> {
    let entries = names(folder)?.into_iter().filter(|entry| folder.join(entry).is_dir());
    let named: Vec<(String, String, String)> = entries
        .filter_map(|entry| {
            let own = text(&folder.join(&entry).join("name")).unwrap_or_default();
            Some((chip_name(&folder.join(&entry))?, own, entry))
        })
        .collect();
    let twins = |chip: &str| named.iter().filter(|(other, ..)| other == chip).count() > 1;
    let alike =
        |chip: &str, own: &str| named.iter().filter(|(other, name, _)| other == chip && name == own).count() > 1;
    let full = |(chip, own, entry): &(String, String, String)| {
        let name = match clean(own) {
            _ if !twins(chip) => chip.clone(),
            own_clean if own_clean.is_empty() || alike(chip, own) => format!("{chip}_{}", clean(entry)),
            own_clean => format!("{chip}_{own_clean}"),
        };
        (entry.clone(), name)
    };
    Ok(named.iter().map(full).collect())
}

fn hwmon(look: &mut Look<'_>) -> Result<(), Lack> {
    let folder = look.sys("class/hwmon");
    for (entry, chip) in chips(&folder)? {
        let folder = folder.join(entry);
        let mut sensors = Sensors::new();
        read_into(&mut sensors, &folder);
        read_into(&mut sensors, &folder.join("device"));
        let own = text(&folder.join("name")).map(|name| clean(&name)).filter(|name| !name.is_empty());
        if let Some(own) = own {
            look.give(&CHIP, [&chip, &own], 1.0);
        }
        for ((kind, sensor), elements) in &sensors {
            sensor_of(look, &chip, (kind, *sensor), elements);
        }
    }
    Ok(())
}

fn sensor_of(look: &mut Look<'_>, chip: &str, (kind, number): (&str, u32), elements: &BTreeMap<String, String>) {
    let sensor = format!("{kind}{number}");
    let label = elements.get("label");
    if let Some(label) = label {
        look.give(&LABEL, [chip, &sensor, label], 1.0);
    }
    let has_plain = elements.contains_key("");
    for (element, text) in elements.iter().filter(|(element, _)| *element != "label") {
        let Ok(value) = text.parse::<f64>() else { continue };
        let (name, unit) = named(kind, element, has_plain);
        match (kind, element.as_str()) {
            ("energy", _) => look.give_named(&ENERGY, &name, [chip, &sensor], value * unit),
            // A processor's clock goes by its name, and without one it has no meaning.
            ("freq", "input") => {
                if let Some(label) = label {
                    look.give_named(&SENSOR, &name, [chip, &clean(label)], value * unit);
                }
            }
            _ => look.give_named(&SENSOR, &name, [chip, &sensor], value * unit),
        }
    }
}

fn thermal(look: &mut Look<'_>) -> Result<(), Lack> {
    let folder = look.sys("class/thermal");
    for (name, zone) in numbered(&folder, "thermal_zone")? {
        let folder = folder.join(name);
        if let Some(thousandths) = number(&folder.join("temp")) {
            let kind = text(&folder.join("type")).unwrap_or_default();
            look.give(&ZONE, [&zone.to_string(), &kind], thousandths / 1000.0);
        }
    }
    for (name, cooler) in numbered(&folder, "cooling_device")? {
        let folder = folder.join(name);
        let kind = text(&folder.join("type")).unwrap_or_default();
        for (metric, file) in [(&COOLING, "cur_state"), (&COOLING_MOST, "max_state")] {
            if let Some(state) = number(&folder.join(file)) {
                look.give(metric, [&cooler.to_string(), &kind], state);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::node::testing::{Bench, found, look_at};

    #[test]
    fn takes_a_files_name_apart() {
        let cases = [
            ("temp1_input", Some(("temp", 1, "input"))),
            ("temp12_crit_alarm", Some(("temp", 12, "crit_alarm"))),
            ("pwm2", Some(("pwm", 2, ""))),
            ("vrm", Some(("vrm", 0, ""))),
            ("update_interval", Some(("update_interval", 0, ""))),
            ("name", None),
            ("temp1input", None),
            ("temp99999999999_input", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(file_name(name), expected, "{name}");
        }
    }

    #[test]
    fn names_and_units_are_node_exporters() {
        let cases = [
            ("temp", "input", false, "temp_celsius", 0.001),
            ("temp", "crit", false, "temp_crit_celsius", 0.001),
            ("temp", "crit_alarm", false, "temp_crit_alarm_celsius", 0.001),
            ("temp", "alarm", false, "temp_alarm", 1.0),
            ("temp", "type", false, "temp_type", 1.0),
            ("in", "input", false, "in_volts", 0.001),
            ("fan", "input", false, "fan_rpm", 1.0),
            ("fan", "div", false, "fan_div", 1.0),
            ("pwm", "", true, "pwm", 1.0),
            ("pwm", "enable", true, "pwm_enable", 1.0),
            ("fan", "beep", false, "fan_beep_enabled", 1.0),
            ("curr", "max", false, "curr_max_amps", 0.001),
            ("power", "average", false, "power_average_watt", 0.000_001),
            ("power", "average_interval", false, "power_average_interval_seconds", 0.001),
            ("power", "accuracy", false, "power_accuracy", 0.000_001),
            ("update_interval", "", true, "update_interval_seconds", 0.001),
            ("freq", "input", false, "freq_freq_mhz", 0.000_001),
        ];
        for (kind, element, plain, name, unit) in cases {
            assert_eq!(named(kind, element, plain), (name.to_owned(), unit), "{kind} {element}");
        }
    }

    #[test]
    fn tells_each_sensor_of_a_chip() {
        let files = [
            ("sys/class/hwmon/hwmon0/name", "coretemp\n"),
            ("sys/class/hwmon/hwmon0/temp1_input", "55000\n"),
            ("sys/class/hwmon/hwmon0/temp1_label", "Package id 0\n"),
            ("sys/class/hwmon/hwmon0/temp2_input", "x\n"),
            ("sys/class/hwmon/hwmon0/energy1_input", "5000000\n"),
        ];
        let (result, readings) = look_at(&files, &HWMON);
        assert_eq!(result, Ok(()));
        assert_eq!(found(&readings, "node_hwmon_temp_celsius", &["coretemp", "temp1"]), Some(55.0));
        assert_eq!(found(&readings, "node_hwmon_sensor_label", &["coretemp", "temp1", "Package id 0"]), Some(1.0));
        assert_eq!(found(&readings, "node_hwmon_chip_names", &["coretemp", "coretemp"]), Some(1.0));
        assert_eq!(found(&readings, "node_hwmon_temp_celsius", &["coretemp", "temp2"]), None);
        assert_eq!(found(&readings, "node_hwmon_energy_joule_total", &["coretemp", "energy1"]), Some(5.0));
        assert_eq!(look_at(&[], &HWMON).0, Err(Lack::Nothing));
    }

    #[test]
    fn two_chips_of_one_device_have_two_names() {
        let bench = Bench::new(&[("sys/devices/pci0000:00/0000:01:00.0/x", "")]);
        for (entry, name) in [("hwmon0", "amdgpu"), ("hwmon1", "amdgpu"), ("hwmon2", "k10temp")] {
            bench.write(&format!("sys/class/hwmon/{entry}/name"), name);
            let device = bench.root().join("sys/devices/pci0000:00/0000:01:00.0");
            std::os::unix::fs::symlink(device, bench.root().join("sys/class/hwmon").join(entry).join("device"))
                .expect("a link");
        }
        let chips: Vec<String> =
            chips(&bench.root().join("sys/class/hwmon")).expect("chips").into_iter().map(|(_, chip)| chip).collect();
        let of = |end: &str| format!("pci0000:00_0000:01:00_0_{end}");
        assert_eq!(chips, [of("hwmon0"), of("hwmon1"), of("k10temp")]);
    }

    #[test]
    fn tells_zones_and_coolers() {
        let files = [
            ("sys/class/thermal/thermal_zone0/temp", "-5500\n"),
            ("sys/class/thermal/thermal_zone0/type", "x86_pkg_temp\n"),
            ("sys/class/thermal/cooling_device1/type", "Processor\n"),
            ("sys/class/thermal/cooling_device1/cur_state", "1\n"),
            ("sys/class/thermal/cooling_device1/max_state", "10\n"),
        ];
        let (_, readings) = look_at(&files, &THERMAL_ZONE);
        assert_eq!(found(&readings, "node_thermal_zone_temp", &["0", "x86_pkg_temp"]), Some(-5.5));
        assert_eq!(found(&readings, "node_cooling_device_max_state", &["1", "Processor"]), Some(10.0));
    }

    proptest::proptest! {
        #[test]
        fn no_name_breaks_the_parser(name in "(temp|in|pwm)?[0-9]{0,12}_?.{0,20}") {
            let _named = file_name(&name).map(|(kind, _, element)| named(kind, element, false));
        }
    }
}
