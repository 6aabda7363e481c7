//! Whatever the nodes are like: nothing goes where it does not fit, who is to be apart is, and order changes nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests say what they expect by failing")]

use domain::HostId;
use domain::placement::{Candidate, Need, Space, choose};
use proptest::prelude::*;
use uuid::Uuid;

fn space() -> impl Strategy<Value = Space> {
    (prop::sample::select(vec!["local", "ceph", "zfs"]), any::<bool>(), 0..200_000u64, 0..3u8).prop_map(
        |(name, shared, free_mb, total)| Space {
            name: name.to_owned(),
            shared,
            free_mb,
            total_mb: if total == 0 { 0 } else { 200_000 },
        },
    )
}

fn candidate() -> impl Strategy<Value = Candidate> {
    let size = (0..32u32, 0..64u32, 0..40_000u64, 0..40_000u64, 0..4_000u64);
    let guests = (0..40u32, 0..5u32, 0..3u32, 0..8u8);
    (size, guests, prop::collection::vec(space(), 0..3)).prop_map(|(size, guests, storages)| Candidate {
        host: HostId::new(Uuid::from_u128(1)),
        host_name: "pve".to_owned(),
        node: String::new(),
        barred: (guests.3 == 0).then(|| "it is in maintenance".to_owned()),
        cores: size.0,
        cores_promised: size.1,
        memory_mb: size.2,
        memory_free_mb: size.3.min(size.2),
        memory_promised_mb: size.4,
        storages,
        guests: guests.0,
        alike: guests.1,
        same_spread: guests.2,
    })
}

fn nodes() -> impl Strategy<Value = Vec<Candidate>> {
    prop::collection::vec(candidate(), 0..8).prop_map(|mut nodes| {
        nodes.iter_mut().enumerate().for_each(|(n, node)| node.node = format!("pve{n}"));
        nodes
    })
}

fn need() -> impl Strategy<Value = Need> {
    let storage = prop::option::of(prop::sample::select(vec!["local".to_owned(), "ceph".to_owned()]));
    (1..16u32, 128..16_000u32, 1..150u32, storage, any::<bool>(), any::<bool>()).prop_map(
        |(cores, memory_mb, disk_gb, storage, spread, named)| Need {
            cores,
            memory_mb,
            disk_gb,
            storage,
            spread_by: spread.then(|| "web".to_owned()),
            named,
        },
    )
}

/// Said again in other words than the rule has.
fn fits(need: &Need, node: &Candidate) -> bool {
    let memory = u64::from(need.memory_mb);
    let disk = u64::from(need.disk_gb) * 1024;
    node.barred.is_none()
        && (node.cores == 0 || node.cores >= need.cores)
        && (node.memory_mb == 0 || node.memory_mb >= memory)
        && (need.named || node.memory_mb == 0 || node.memory_free_mb >= memory)
        && node.storages.iter().any(|space| {
            need.storage.as_ref().is_none_or(|name| *name == space.name)
                && (space.total_mb == 0 || space.free_mb >= disk)
        })
}

proptest! {
    #[test]
    fn nothing_goes_where_it_does_not_fit(need in need(), nodes in nodes()) {
        let verdict = choose(&need, &nodes);
        prop_assert_eq!(verdict.considered.len(), nodes.len());
        match verdict.chosen {
            Some(chosen) => {
                let node = nodes.iter().find(|node| node.node == chosen.node).unwrap();
                prop_assert!(fits(&need, node), "{chosen:?} {node:?}");
                let space = node.storages.iter().filter(|space| space.name == chosen.storage);
                prop_assert!(space.clone().any(|s| s.total_mb == 0 || s.free_mb >= u64::from(need.disk_gb) * 1024));
            }
            // The storage with the most room is taken; one of which nothing is known may hide behind it.
            None => prop_assert!(nodes.iter().all(|node| !fits(&need, node) || node.storages.iter().any(|s| s.total_mb == 0))),
        }
        for one in &verdict.considered {
            prop_assert!(!one.why.is_empty() && one.score.is_none_or(|score| score <= 1000));
        }
    }

    #[test]
    fn who_is_to_be_apart_is_when_there_is_a_place(need in need(), nodes in nodes()) {
        let verdict = choose(&need, &nodes);
        if let Some(chosen) = verdict.chosen {
            let of = |name: &str| nodes.iter().find(|node| node.node == name).unwrap().same_spread;
            let able = verdict.considered.iter().filter(|one| one.score.is_some());
            prop_assert_eq!(of(&chosen.node), able.map(|one| of(&one.node)).min().unwrap());
        }
    }

    #[test]
    fn in_which_order_they_come_changes_nothing(need in need(), (nodes, shuffled) in nodes().prop_flat_map(|nodes| (Just(nodes.clone()), Just(nodes).prop_shuffle()))) {
        prop_assert_eq!(choose(&need, &nodes), choose(&need, &shuffled));
    }
}
