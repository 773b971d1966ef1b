//! How much CPU this process may use: the cores it may run on, or less where a cgroup has a quota (`docker run --cpus`,
//! a Kubernetes limit). The standard library rounds a quota to whole cores; half a core is a common limit.

use crate::limits;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Cores that this process may use, at least a hundredth of one. `root` is `/`, or a fixture in tests; `cores` is what
/// the scheduler allows.
#[must_use]
pub fn allowed_cores(root: &Path, cores: usize) -> f64 {
    let cores = f64::from(u32::try_from(cores).unwrap_or(1).max(1));
    quota(root).map_or(cores, |quota| quota.clamp(0.01, cores))
}

/// The tightest quota on the way from this process's cgroup to the root; absent when there is none.
fn quota(root: &Path) -> Option<f64> {
    let own = read(&root.join("proc/self/cgroup"))?;
    own.lines().filter_map(|line| quota_of(root, line)).min_by(f64::total_cmp)
}

/// The quota of one line of `/proc/self/cgroup`: `0::/path` on v2, `4:cpu,cpuacct:/path` on v1.
fn quota_of(root: &Path, line: &str) -> Option<f64> {
    let mut parts = line.splitn(3, ':');
    let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
    let (base, parse): (&str, fn(&Path) -> Option<f64>) = match controllers {
        "" => ("sys/fs/cgroup", v2),
        _ if controllers.split(',').any(|name| name == "cpu") => ("sys/fs/cgroup/cpu", v1),
        _ => return None,
    };
    let base = root.join(base);
    // In a container the path is often that of the host, while its own cgroup is mounted as the root: both are tried.
    let own = base.join(path.trim_start_matches('/'));
    own.ancestors().take_while(|directory| directory.starts_with(&base)).filter_map(parse).min_by(f64::total_cmp)
}

/// `cpu.max`: `50000 100000`, or `max 100000`.
fn v2(directory: &Path) -> Option<f64> {
    let text = read(&directory.join("cpu.max"))?;
    let (quota, period) = text.trim().split_once(' ')?;
    ratio(quota, period)
}

/// `cpu.cfs_quota_us` (-1 for none) over `cpu.cfs_period_us`.
fn v1(directory: &Path) -> Option<f64> {
    ratio(read(&directory.join("cpu.cfs_quota_us"))?.trim(), read(&directory.join("cpu.cfs_period_us"))?.trim())
}

fn ratio(quota: &str, period: &str) -> Option<f64> {
    let (quota, period) = (quota.parse::<u32>().ok()?, period.parse::<u32>().ok().filter(|period| *period > 0)?);
    Some(f64::from(quota) / f64::from(period))
}

fn read(path: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.take(limits::PROC_BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn check(files: &[(&str, &str)], expected: f64) {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        assert_eq!(allowed_cores(root.path(), 4), expected, "{files:?}");
    }

    #[test]
    fn a_quota_counts_wherever_it_stands() {
        check(&[], 4.0);
        check(&[("proc/self/cgroup", "0::/\n"), ("sys/fs/cgroup/cpu.max", "max 100000\n")], 4.0);
        check(&[("proc/self/cgroup", "0::/\n"), ("sys/fs/cgroup/cpu.max", "50000 100000\n")], 0.5);
        check(
            &[
                ("proc/self/cgroup", "0::/a.slice/b\n"),
                ("sys/fs/cgroup/a.slice/cpu.max", "150000 100000\n"),
                ("sys/fs/cgroup/a.slice/b/cpu.max", "max 100000\n"),
            ],
            1.5,
        );
        let v1 = "12:memory:/docker/x\n4:cpu,cpuacct:/docker/x\n";
        check(
            &[
                ("proc/self/cgroup", v1),
                ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "25000\n"),
                ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
            ],
            0.25,
        );
        check(
            &[
                ("proc/self/cgroup", v1),
                ("sys/fs/cgroup/cpu/docker/x/cpu.cfs_quota_us", "-1\n"),
                ("sys/fs/cgroup/cpu/docker/x/cpu.cfs_period_us", "100000\n"),
            ],
            4.0,
        );
        check(&[("proc/self/cgroup", "nonsense\n0::/../../etc\n")], 4.0);
    }
}
