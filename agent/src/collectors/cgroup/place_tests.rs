//! Where runtimes and their drivers put a container: a row each, found by its name or by its process alone.

use super::*;
use crate::collectors::testing::{Tree, at};

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const UID: &str = "1f2e3d4c-5b6a-7988-a7b6-c5d4e3f20110";
const SLICE: &str = "1f2e3d4c_5b6a_7988_a7b6_c5d4e3f20110";

/// What is mounted.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Machine {
    V2,
    V1,
    Hybrid,
}

/// Makes a container that has used a second of processor time, and others around it.
fn machine(machine: Machine, place: &str) -> Tree {
    let tree = Tree::new(&[("proc/stat", "cpu  1\ncpu0 1\nbtime 1700000000\n")]);
    let write = |folder: &str, seconds: u64| match machine {
        Machine::V2 => {
            tree.write(&format!("cgroup/{folder}/memory.current"), "4096\n");
            tree.write(&format!("cgroup/{folder}/memory.stat"), "anon 4096\ninactive_file 0\n");
            tree.write(&format!("cgroup/{folder}/cgroup.procs"), "0\n");
            tree.write(&format!("cgroup/{folder}/cpu.stat"), &format!("usage_usec {seconds}000000\n"));
        }
        Machine::V1 | Machine::Hybrid => {
            let file = |controller: &str, name: &str| format!("cgroup/{controller}/{folder}/{name}");
            tree.write(&file("memory", "memory.usage_in_bytes"), "4096\n");
            tree.write(&file("memory", "memory.limit_in_bytes"), "9223372036854771712\n");
            tree.write(&file("memory", "memory.stat"), "total_rss 4096\n");
            tree.write(&file("memory", "cgroup.procs"), "0\n");
            tree.write(&file("cpu,cpuacct", "cpuacct.usage"), &format!("{seconds}000000000\n"));
        }
    };
    match machine {
        Machine::V2 => tree.write("cgroup/cgroup.controllers", "cpu memory\n"),
        Machine::V1 => {}
        Machine::Hybrid => {
            tree.write("cgroup/unified/cgroup.controllers", "\n");
            tree.write(&format!("cgroup/unified/{place}/cpu.stat"), "usage_usec 7000000\n");
        }
    }
    write(place, 1);
    // Its neighbours in the pod: the pause container, the agent.
    let parent = place.rsplit_once('/').map_or("", |(parent, _)| parent);
    for other in ["a", "f"] {
        write(&place.replace(ID, &ID.replace('0', other)), 99);
    }
    write(&format!("{parent}/crio-conmon-{ID}.scope"), 99);
    tree
}

/// A process of the container in the PID namespace that the agent shares.
fn process(tree: &Tree, cgroup: &str) {
    tree.write("proc/20/comm", "api\n");
    tree.write("proc/20/stat", "20 (api) S 1 42 42 0 -1 0 0 0 0 0 1 0 0 0 20 0 7 0 100 4096 256 0");
    tree.write("proc/20/cgroup", cgroup);
}

fn seconds(tree: &Tree, peer: PeerPlan) -> Result<f64, String> {
    let roots =
        Roots { proc: tree.join("proc"), cgroup: tree.join("cgroup"), sys: tree.join("sys"), root: tree.path() };
    let collected = Cgroup::new(&roots, &peer).collect(at(0));
    let readings = collected.readings();
    let used = readings.iter().find(|reading| *reading.metric == names::CPU_USAGE);
    used.map(|used| used.value).ok_or_else(|| format!("{collected:?}"))
}

fn by_process() -> PeerPlan {
    PeerPlan { process: Some("api".to_owned()), ..PeerPlan::default() }
}

/// The place of a container, and what its process's `/proc/<pid>/cgroup` says.
fn places() -> Vec<(Machine, String, String)> {
    use Machine::{Hybrid, V1, V2};
    let pod = |class: &str| format!("kubepods.slice/kubepods-{class}.slice/kubepods-{class}-pod{SLICE}.slice");
    let v2 = |place: &str| (V2, place.to_owned(), format!("0::/{place}\n"));
    let v1 =
        |place: &str| (V1, place.to_owned(), format!("9:cpu,cpuacct:/{place}\n4:memory:/{place}\n1:name=systemd:/\n"));
    let containerd = format!("{}/cri-containerd-{ID}.scope", pod("burstable"));
    vec![
        v2(&containerd),
        v2(&format!("{}/cri-containerd-{ID}.scope", pod("besteffort"))),
        v2(&format!("kubepods.slice/kubepods-pod{SLICE}.slice/cri-containerd-{ID}.scope")),
        v2(&format!("kubepods/burstable/pod{UID}/{ID}")),
        v2(&format!("kubepods/pod{UID}/{ID}")),
        v2(&format!("system.slice/docker-{ID}.scope")),
        v2(&format!("docker/{ID}")),
        v2(&format!("machine.slice/libpod-{ID}.scope")),
        v2(&format!("docker/kind/kubelet.slice/kubelet-{containerd}")),
        // A private cgroup namespace of the agent: its neighbour is beside it.
        (V2, containerd.clone(), format!("0::/../cri-containerd-{ID}.scope\n")),
        // cri-o puts the processes one level below.
        (V2, format!("{}/crio-{ID}.scope", pod("burstable")), format!("0::/../crio-{ID}.scope/container\n")),
        v1(&containerd),
        v1(&format!("{}/crio-{ID}.scope", pod("besteffort"))),
        v1(&format!("kubepods/besteffort/pod{UID}/{ID}")),
        v1(&format!("kubepods/pod{UID}/{ID}")),
        v1(&format!("docker/{ID}")),
        (V1, format!("docker/{ID}"), format!("4:memory:/../{ID}\n0::/\n")),
        (Hybrid, format!("docker/{ID}"), format!("4:memory:/docker/{ID}\n0::/docker/{ID}\n")),
    ]
}

#[test]
fn a_container_is_found_by_its_process_wherever_runtimes_put_it() {
    for (kind, place, text) in places() {
        let tree = machine(kind, &place);
        process(&tree, &text);
        assert_eq!(seconds(&tree, by_process()), Ok(1.0), "{kind:?} {place}");
    }
}

#[test]
fn a_pods_directory_that_is_named_is_narrowed_down_by_the_process() {
    for (kind, place, text) in places() {
        let tree = machine(kind, &place);
        process(&tree, &text);
        let parent = place.rsplit('/').nth(1).expect("a parent").to_owned();
        let named = PeerPlan { cgroup: Some(parent), ..by_process() };
        assert_eq!(seconds(&tree, named), Ok(1.0), "{kind:?} {place}");
    }
}

#[test]
fn a_process_outside_of_containers_or_the_mount_finds_nothing() {
    let tree = machine(Machine::V2, &format!("docker/{ID}"));
    let why = |text: &str| {
        process(&tree, text);
        seconds(&tree, by_process()).expect_err("nothing")
    };
    for outside in ["0::/user.slice/user-0.slice/session-1.scope\n", "0::/\n", "", "0::/../../etc\n"] {
        assert!(why(outside).contains("no cgroup is named"), "{outside}");
    }
    // The agent and everybody else in one container: it is not the peer's.
    let shared = format!("0::/docker/{ID}\n");
    tree.write("proc/self/cgroup", &shared);
    assert!(why(&shared).contains("no cgroup is named"));
    tree.remove("proc/self");
    let elsewhere = why(&format!("0::/../cri-containerd-{}.scope\n", ID.replace('1', "9")));
    assert!(elsewhere.contains("is not mounted here"), "{elsewhere}");
}

#[test]
fn the_place_is_remembered_and_looked_for_again_when_it_has_gone() {
    let tree = machine(Machine::V2, &format!("a/shop_api.slice/docker-{ID}.scope"));
    let roots = Roots { proc: tree.join("proc"), cgroup: tree.join("cgroup"), ..Roots::of_system() };
    let mut finder = Finder::new(&roots, &PeerPlan { cgroup: Some("shop_api".to_owned()), ..PeerPlan::default() });
    let place = |finder: &mut Finder| finder.find().map(|found| found.parent_id);
    assert_eq!(place(&mut finder).as_deref(), Ok("/a/shop_api.slice"));
    std::fs::rename(tree.join("cgroup/a"), tree.join("cgroup/b")).expect("moved");
    assert_eq!(place(&mut finder).as_deref(), Ok("/b/shop_api.slice"));
}

/// A container that Kubernetes starts again has another id, and its own count begins at 0; its pod's goes on.
#[test]
fn a_kill_that_ended_a_pods_container_is_told_by_the_pods_count() {
    let pod = format!("kubepods.slice/kubepods-pod{SLICE}.slice");
    let tree = machine(Machine::V2, &format!("{pod}/cri-containerd-{ID}.scope"));
    let kills = |count: u64| tree.write(&format!("cgroup/{pod}/memory.events"), &format!("oom_kill {count}\n"));
    let container = |id: &str| {
        tree.write(&format!("cgroup/{pod}/cri-containerd-{id}.scope/memory.events"), "oom_kill 0\n");
        process(&tree, &format!("0::/../cri-containerd-{id}.scope\n"));
    };
    tree.write("proc/vmstat", "oom_kill 70\n");
    let roots = Roots { proc: tree.join("proc"), cgroup: tree.join("cgroup"), ..Roots::of_system() };
    let mut cgroup = Cgroup::new(&roots, &by_process());
    let mut inferred = |seconds| {
        let collected = cgroup.collect(at(seconds));
        let kills = |reading: &&Reading| *reading.metric == metrics::OOM_KILLS && reading.labels == ["inferred"];
        collected.readings().iter().find(kills).map(|reading| reading.value)
    };
    kills(3);
    container(ID);
    assert_eq!(inferred(0), Some(0.0), "what was before is nobody's");
    tree.remove("proc/20");
    assert_eq!(inferred(5), Some(0.0));
    kills(4);
    container(&ID.replace('0', "a"));
    assert_eq!(inferred(10), Some(0.0), "while it was away, another one was killed");
    kills(5);
    container(&ID.replace('0', "f"));
    assert_eq!(inferred(15), Some(1.0));
}

#[test]
fn processes_below_the_containers_own_cgroups_are_its_own() {
    let tree = machine(Machine::V2, &format!("shop_api.slice/docker-{ID}.scope"));
    let own = format!("cgroup/shop_api.slice/docker-{ID}.scope");
    tree.write(&format!("{own}/cgroup.procs"), "");
    tree.write(&format!("{own}/init.scope/cgroup.procs"), "1\n");
    tree.write(&format!("{own}/system.slice/nginx.service/cgroup.procs"), "20\n0\n");
    for other in ["a", "f"] {
        tree.remove(&format!("cgroup/shop_api.slice/docker-{}.scope", ID.replace('0', other)));
    }
    let roots = Roots { proc: tree.join("proc"), cgroup: tree.join("cgroup"), ..Roots::of_system() };
    let mut finder = Finder::new(&roots, &PeerPlan { cgroup: Some("shop_api".to_owned()), ..PeerPlan::default() });
    let tasks = finder.find().expect("found").tasks().expect("read");
    assert_eq!((tasks.all, tasks.seen), (3, vec![1, 20]));
}

proptest::proptest! {
    #[test]
    fn no_text_names_more_than_one_directory(text in "([0-9]{0,2}:[a-z]{0,6}:(/[a-f0-9.]{0,40}){0,5}\n|.{0,40}\n){0,8}") {
        if let Some(name) = find::container_of(&text) {
            assert!(!name.contains('/') && name.len() >= 32 && name != "..");
        }
    }
}
